import { EINVAL } from "../../../abi/errno.ts";
import {
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_CGROUP_SOCK,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  BPF_PROG_TYPE_CGROUP_SOCKOPT,
  BPF_PROG_TYPE_EXT,
  BPF_PROG_TYPE_NETFILTER,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_SYSCALL,
} from "../../../abi/prog-types.ts";

/** The attach types that a program type takes, where it takes only some: `bpf_prog_load_check_attach`. */
const ATTACH_TYPES: ReadonlyMap<number, readonly number[]> = new Map([
  [BPF_PROG_TYPE_CGROUP_SOCK, [2, 12, 13, 34]],
  [BPF_PROG_TYPE_CGROUP_SOCK_ADDR, [8, 9, 10, 11, 14, 15, 19, 20, 29, 30, 31, 32]],
  [BPF_PROG_TYPE_CGROUP_SKB, [0, 1]],
  [BPF_PROG_TYPE_CGROUP_SOCKOPT, [21, 22]],
  [BPF_PROG_TYPE_SK_LOOKUP, [36]],
  [BPF_PROG_TYPE_SK_REUSEPORT, [39, 40]],
  [BPF_PROG_TYPE_NETFILTER, [45]],
  [BPF_PROG_TYPE_SYSCALL, [0]],
  [BPF_PROG_TYPE_EXT, [0]],
]);

/** What 0 stands for, from a time before there were attach types: `bpf_prog_load_fixup_attach_type`. */
const FIRST_ATTACH_TYPES: ReadonlyMap<number, number> = new Map([
  [BPF_PROG_TYPE_CGROUP_SOCK, 2],
  [BPF_PROG_TYPE_SK_REUSEPORT, 39],
]);

/** Where a program of a type is to be attached that says so by this number. */
export function attachTypeOf(programType: number, given: number): number {
  return given === 0 ? (FIRST_ATTACH_TYPES.get(programType) ?? 0) : given;
}

/** Why a program cannot be loaded to be attached there, as `−errno`; 0 when it can. */
export function attachTypeRefusal(programType: number, attachType: number): number {
  const allowed = ATTACH_TYPES.get(programType);
  return allowed === undefined || allowed.includes(attachType) ? 0 : -EINVAL;
}

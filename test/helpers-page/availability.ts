import type { Bpf, ProgTypeName } from "mapiary";
import { type HelperName, helperName } from "../../src/abi/helpers.ts";
import { BPF_F_SLEEPABLE } from "../../src/abi/prog-flags.ts";
import { BPF_CALL, BPF_EXIT, BPF_JMP } from "../../src/isa/opcodes.ts";

/**
 * The types of programs that are loaded without BTF of the kernel, and where a program is to be attached for which Linux
 * wants to know that: where it has the most helpers.
 */
const ATTACH_TYPES: readonly (readonly [ProgTypeName, number])[] = [
  ["socket_filter", 0],
  ["kprobe", 0],
  ["sched_cls", 0],
  ["sched_act", 0],
  ["tracepoint", 0],
  ["xdp", 0],
  ["perf_event", 0],
  ["cgroup_skb", 0],
  ["cgroup_sock", 2],
  ["lwt_in", 0],
  ["lwt_out", 0],
  ["lwt_xmit", 0],
  ["sock_ops", 3],
  ["sk_skb", 0],
  ["cgroup_device", 6],
  ["sk_msg", 7],
  ["raw_tracepoint", 0],
  ["cgroup_sock_addr", 10],
  ["lwt_seg6local", 0],
  ["sk_reuseport", 39],
  ["flow_dissector", 17],
  ["cgroup_sysctl", 18],
  ["raw_tracepoint_writable", 0],
  ["cgroup_sockopt", 22],
  ["sk_lookup", 36],
  ["syscall", 0],
  ["netfilter", 45],
];

export const PROGRAM_TYPES: readonly ProgTypeName[] = ATTACH_TYPES.map(([type]) => type);

/** By helper, the types of programs that can call it. */
export type Availability = ReadonlyMap<HelperName, readonly ProgTypeName[]>;

/** What a kernel says of a helper that programs of a type cannot call. */
const CANNOT = /cannot use helper|invalid func|unknown func|has no helper|does not verify programs/;
/** The last helper, of which the embedded kernel has two more than Linux. */
const LAST = 213;

/** Asks a kernel about each helper and each type, with a program that calls the one as the other. */
export function availabilityOn(bpf: Bpf): Availability {
  const helpers = Array.from({ length: LAST }, (_, index) => index + 1);
  return new Map(
    helpers.map((helper) => {
      const types = ATTACH_TYPES.filter(([type, attachType]) => canCall(bpf, helper, type, attachType));
      return [helperName(helper) as HelperName, types.map(([type]) => type)] as const;
    }),
  );
}

const logBuf = new Uint8Array(4096);

function canCall(bpf: Bpf, helper: number, type: ProgTypeName, expectedAttachType: number): boolean {
  const insns = [
    { opcode: BPF_JMP | BPF_CALL, dst: 0, src: 0, offset: 0, imm: helper },
    { opcode: BPF_JMP | BPF_EXIT, dst: 0, src: 0, offset: 0, imm: 0 },
  ];
  logBuf.fill(0);
  const flags = type === "syscall" ? BPF_F_SLEEPABLE : 0;
  const fd = bpf.sys.progLoad({ type, expectedAttachType, flags, insns, license: "GPL", logLevel: 1, logBuf });
  if (fd >= 0) bpf.sys.close(fd);
  const log = new TextDecoder().decode(logBuf.subarray(0, logBuf.indexOf(0)));
  if (fd < 0 && log === "") throw new Error(`a program of type ${type} was not looked at: ${fd}`);
  return !CANNOT.test(log);
}

import {
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_CGROUP_SOCKOPT,
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SK_MSG,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_SK_SKB,
  BPF_PROG_TYPE_XDP,
} from "../../../../abi/prog-types.ts";

const READERS: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_CGROUP_SKB,
]);

const WRITERS: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_XDP,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_SK_SKB,
  BPF_PROG_TYPE_SK_MSG,
  BPF_PROG_TYPE_CGROUP_SOCKOPT,
]);

/** Whether programs of a type may store into the packet: `may_access_direct_pkt_data`, 6.18. */
export function mayWritePacket(programType: number): boolean {
  return WRITERS.has(programType);
}

/** Whether a helper that takes memory in the packet may be given it by programs of a type. */
export function mayPassPacket(programType: number, helperTakesIt: boolean): boolean {
  if (programType === BPF_PROG_TYPE_CGROUP_SOCKOPT) return true;
  return helperTakesIt && (READERS.has(programType) || WRITERS.has(programType));
}

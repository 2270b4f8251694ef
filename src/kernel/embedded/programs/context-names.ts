import {
  BPF_PROG_TYPE_CGROUP_DEVICE,
  BPF_PROG_TYPE_CGROUP_SKB,
  BPF_PROG_TYPE_CGROUP_SOCK,
  BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
  BPF_PROG_TYPE_CGROUP_SOCKOPT,
  BPF_PROG_TYPE_CGROUP_SYSCTL,
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_LWT_IN,
  BPF_PROG_TYPE_LWT_OUT,
  BPF_PROG_TYPE_LWT_SEG6LOCAL,
  BPF_PROG_TYPE_LWT_XMIT,
  BPF_PROG_TYPE_PERF_EVENT,
  BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_PROG_TYPE_SK_MSG,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_SK_SKB,
  BPF_PROG_TYPE_SOCK_OPS,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_XDP,
} from "../../../abi/prog-types.ts";

const SKB = ["__sk_buff"];
const RAW_TRACEPOINT = ["bpf_raw_tracepoint_args"];

/** What C calls the context of a program: `include/linux/bpf_types.h`, 6.18. */
const NAMES: Readonly<Record<number, readonly string[]>> = {
  [BPF_PROG_TYPE_SOCKET_FILTER]: SKB,
  [BPF_PROG_TYPE_SCHED_CLS]: SKB,
  [BPF_PROG_TYPE_SCHED_ACT]: SKB,
  [BPF_PROG_TYPE_CGROUP_SKB]: SKB,
  [BPF_PROG_TYPE_LWT_IN]: SKB,
  [BPF_PROG_TYPE_LWT_OUT]: SKB,
  [BPF_PROG_TYPE_LWT_XMIT]: SKB,
  [BPF_PROG_TYPE_LWT_SEG6LOCAL]: SKB,
  [BPF_PROG_TYPE_SK_SKB]: SKB,
  [BPF_PROG_TYPE_FLOW_DISSECTOR]: SKB,
  [BPF_PROG_TYPE_XDP]: ["xdp_md"],
  [BPF_PROG_TYPE_CGROUP_SOCK]: ["bpf_sock"],
  [BPF_PROG_TYPE_CGROUP_SOCK_ADDR]: ["bpf_sock_addr"],
  [BPF_PROG_TYPE_CGROUP_DEVICE]: ["bpf_cgroup_dev_ctx"],
  [BPF_PROG_TYPE_CGROUP_SYSCTL]: ["bpf_sysctl"],
  [BPF_PROG_TYPE_CGROUP_SOCKOPT]: ["bpf_sockopt"],
  [BPF_PROG_TYPE_SOCK_OPS]: ["bpf_sock_ops"],
  [BPF_PROG_TYPE_SK_MSG]: ["sk_msg_md"],
  [BPF_PROG_TYPE_SK_REUSEPORT]: ["sk_reuseport_md"],
  [BPF_PROG_TYPE_SK_LOOKUP]: ["bpf_sk_lookup"],
  [BPF_PROG_TYPE_KPROBE]: ["bpf_user_pt_regs_t", "pt_regs"],
  [BPF_PROG_TYPE_PERF_EVENT]: ["bpf_perf_event_data"],
  [BPF_PROG_TYPE_RAW_TRACEPOINT]: RAW_TRACEPOINT,
  [BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE]: RAW_TRACEPOINT,
};

/** The names of the struct that programs of a type are given as their context. */
export function contextNames(programType: number): readonly string[] {
  return NAMES[programType] ?? [];
}

import { type AttachTypeName, attachTypeNumber } from "../abi/attach-types.ts";
import { BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS } from "../abi/prog-flags.ts";
import type { ProgTypeName } from "../abi/prog-types.ts";

/** What the name of a section says of the programs in it. */
export interface SectionMeaning {
  readonly type: ProgTypeName;
  readonly expectedAttachType: number;
  /** Bits of `BPF_F_…` for BPF_PROG_LOAD. */
  readonly flags: number;
  /** What it is attached to, which the kernel must be told when it is loaded: a name in the kernel's BTF. */
  readonly target?: AttachTarget | undefined;
}

/** A type of the kernel's BTF by its kind and name: the function that is watched. */
export interface AttachTarget {
  readonly kind: "func" | "typedef";
  readonly name: string;
}

interface SectionRule {
  readonly type: ProgTypeName;
  readonly attach?: AttachTypeName;
  readonly flags?: number;
  /** How the rest of the name, behind the slash, is found in the kernel's BTF. */
  readonly target?: { readonly kind: AttachTarget["kind"]; readonly prefix: string };
}

/** Names that stand alone. */
function exactNames(): Readonly<Record<string, SectionRule>> {
  return {
    socket: { type: "socket_filter" },
    "sk_reuseport/migrate": { type: "sk_reuseport", attach: "SK_REUSEPORT_SELECT_OR_MIGRATE" },
    sk_reuseport: { type: "sk_reuseport", attach: "SK_REUSEPORT_SELECT" },
    "tc/ingress": { type: "sched_cls", attach: "TCX_INGRESS" },
    "tc/egress": { type: "sched_cls", attach: "TCX_EGRESS" },
    "tcx/ingress": { type: "sched_cls", attach: "TCX_INGRESS" },
    "tcx/egress": { type: "sched_cls", attach: "TCX_EGRESS" },
    "netkit/primary": { type: "sched_cls", attach: "NETKIT_PRIMARY" },
    "netkit/peer": { type: "sched_cls", attach: "NETKIT_PEER" },
    tc: { type: "sched_cls" },
    classifier: { type: "sched_cls" },
    action: { type: "sched_act" },
    syscall: { type: "syscall", flags: BPF_F_SLEEPABLE },
    "xdp.frags/devmap": { type: "xdp", attach: "XDP_DEVMAP", flags: BPF_F_XDP_HAS_FRAGS },
    "xdp/devmap": { type: "xdp", attach: "XDP_DEVMAP" },
    "xdp.frags/cpumap": { type: "xdp", attach: "XDP_CPUMAP", flags: BPF_F_XDP_HAS_FRAGS },
    "xdp/cpumap": { type: "xdp", attach: "XDP_CPUMAP" },
    "xdp.frags": { type: "xdp", attach: "XDP", flags: BPF_F_XDP_HAS_FRAGS },
    xdp: { type: "xdp", attach: "XDP" },
    perf_event: { type: "perf_event" },
    lwt_in: { type: "lwt_in" },
    lwt_out: { type: "lwt_out" },
    lwt_xmit: { type: "lwt_xmit" },
    lwt_seg6local: { type: "lwt_seg6local" },
    sockops: { type: "sock_ops", attach: "CGROUP_SOCK_OPS" },
    "sk_skb/stream_parser": { type: "sk_skb", attach: "SK_SKB_STREAM_PARSER" },
    "sk_skb/stream_verdict": { type: "sk_skb", attach: "SK_SKB_STREAM_VERDICT" },
    "sk_skb/verdict": { type: "sk_skb", attach: "SK_SKB_VERDICT" },
    sk_skb: { type: "sk_skb" },
    sk_msg: { type: "sk_msg", attach: "SK_MSG_VERDICT" },
    lirc_mode2: { type: "lirc_mode2", attach: "LIRC_MODE2" },
    flow_dissector: { type: "flow_dissector", attach: "FLOW_DISSECTOR" },
    "cgroup_skb/ingress": { type: "cgroup_skb", attach: "CGROUP_INET_INGRESS" },
    "cgroup_skb/egress": { type: "cgroup_skb", attach: "CGROUP_INET_EGRESS" },
    "cgroup/skb": { type: "cgroup_skb" },
    "cgroup/sock_create": { type: "cgroup_sock", attach: "CGROUP_INET_SOCK_CREATE" },
    "cgroup/sock_release": { type: "cgroup_sock", attach: "CGROUP_INET_SOCK_RELEASE" },
    "cgroup/sock": { type: "cgroup_sock", attach: "CGROUP_INET_SOCK_CREATE" },
    "cgroup/post_bind4": { type: "cgroup_sock", attach: "CGROUP_INET4_POST_BIND" },
    "cgroup/post_bind6": { type: "cgroup_sock", attach: "CGROUP_INET6_POST_BIND" },
    "cgroup/bind4": { type: "cgroup_sock_addr", attach: "CGROUP_INET4_BIND" },
    "cgroup/bind6": { type: "cgroup_sock_addr", attach: "CGROUP_INET6_BIND" },
    "cgroup/connect4": { type: "cgroup_sock_addr", attach: "CGROUP_INET4_CONNECT" },
    "cgroup/connect6": { type: "cgroup_sock_addr", attach: "CGROUP_INET6_CONNECT" },
    "cgroup/connect_unix": { type: "cgroup_sock_addr", attach: "CGROUP_UNIX_CONNECT" },
    "cgroup/sendmsg4": { type: "cgroup_sock_addr", attach: "CGROUP_UDP4_SENDMSG" },
    "cgroup/sendmsg6": { type: "cgroup_sock_addr", attach: "CGROUP_UDP6_SENDMSG" },
    "cgroup/sendmsg_unix": { type: "cgroup_sock_addr", attach: "CGROUP_UNIX_SENDMSG" },
    "cgroup/recvmsg4": { type: "cgroup_sock_addr", attach: "CGROUP_UDP4_RECVMSG" },
    "cgroup/recvmsg6": { type: "cgroup_sock_addr", attach: "CGROUP_UDP6_RECVMSG" },
    "cgroup/recvmsg_unix": { type: "cgroup_sock_addr", attach: "CGROUP_UNIX_RECVMSG" },
    "cgroup/getpeername4": { type: "cgroup_sock_addr", attach: "CGROUP_INET4_GETPEERNAME" },
    "cgroup/getpeername6": { type: "cgroup_sock_addr", attach: "CGROUP_INET6_GETPEERNAME" },
    "cgroup/getpeername_unix": { type: "cgroup_sock_addr", attach: "CGROUP_UNIX_GETPEERNAME" },
    "cgroup/getsockname4": { type: "cgroup_sock_addr", attach: "CGROUP_INET4_GETSOCKNAME" },
    "cgroup/getsockname6": { type: "cgroup_sock_addr", attach: "CGROUP_INET6_GETSOCKNAME" },
    "cgroup/getsockname_unix": { type: "cgroup_sock_addr", attach: "CGROUP_UNIX_GETSOCKNAME" },
    "cgroup/sysctl": { type: "cgroup_sysctl", attach: "CGROUP_SYSCTL" },
    "cgroup/getsockopt": { type: "cgroup_sockopt", attach: "CGROUP_GETSOCKOPT" },
    "cgroup/setsockopt": { type: "cgroup_sockopt", attach: "CGROUP_SETSOCKOPT" },
    "cgroup/dev": { type: "cgroup_device", attach: "CGROUP_DEVICE" },
    sk_lookup: { type: "sk_lookup", attach: "SK_LOOKUP" },
    netfilter: { type: "netfilter", attach: "NETFILTER" },
  };
}

const func = (prefix = ""): NonNullable<SectionRule["target"]> => ({ kind: "func", prefix });

/** Names behind which a slash and a place to attach to may stand: `kprobe/do_unlinkat`. */
function namesWithPlace(): Readonly<Record<string, SectionRule>> {
  return {
    kprobe: { type: "kprobe" },
    kretprobe: { type: "kprobe" },
    uprobe: { type: "kprobe" },
    "uprobe.s": { type: "kprobe", flags: BPF_F_SLEEPABLE },
    uretprobe: { type: "kprobe" },
    "uretprobe.s": { type: "kprobe", flags: BPF_F_SLEEPABLE },
    "kprobe.multi": { type: "kprobe", attach: "TRACE_KPROBE_MULTI" },
    "kretprobe.multi": { type: "kprobe", attach: "TRACE_KPROBE_MULTI" },
    "kprobe.session": { type: "kprobe", attach: "TRACE_KPROBE_SESSION" },
    "uprobe.multi": { type: "kprobe", attach: "TRACE_UPROBE_MULTI" },
    "uretprobe.multi": { type: "kprobe", attach: "TRACE_UPROBE_MULTI" },
    "uprobe.session": { type: "kprobe", attach: "TRACE_UPROBE_SESSION" },
    "uprobe.multi.s": { type: "kprobe", attach: "TRACE_UPROBE_MULTI", flags: BPF_F_SLEEPABLE },
    "uretprobe.multi.s": { type: "kprobe", attach: "TRACE_UPROBE_MULTI", flags: BPF_F_SLEEPABLE },
    "uprobe.session.s": { type: "kprobe", attach: "TRACE_UPROBE_SESSION", flags: BPF_F_SLEEPABLE },
    ksyscall: { type: "kprobe" },
    kretsyscall: { type: "kprobe" },
    usdt: { type: "kprobe" },
    "usdt.s": { type: "kprobe", flags: BPF_F_SLEEPABLE },
    tracepoint: { type: "tracepoint" },
    tp: { type: "tracepoint" },
    raw_tracepoint: { type: "raw_tracepoint" },
    raw_tp: { type: "raw_tracepoint" },
    "raw_tracepoint.w": { type: "raw_tracepoint_writable" },
    "raw_tp.w": { type: "raw_tracepoint_writable" },
    tp_btf: { type: "tracing", attach: "TRACE_RAW_TP", target: { kind: "typedef", prefix: "btf_trace_" } },
    fentry: { type: "tracing", attach: "TRACE_FENTRY", target: func() },
    fmod_ret: { type: "tracing", attach: "MODIFY_RETURN", target: func() },
    fexit: { type: "tracing", attach: "TRACE_FEXIT", target: func() },
    "fentry.s": { type: "tracing", attach: "TRACE_FENTRY", flags: BPF_F_SLEEPABLE, target: func() },
    "fmod_ret.s": { type: "tracing", attach: "MODIFY_RETURN", flags: BPF_F_SLEEPABLE, target: func() },
    "fexit.s": { type: "tracing", attach: "TRACE_FEXIT", flags: BPF_F_SLEEPABLE, target: func() },
    freplace: { type: "ext" },
    lsm: { type: "lsm", attach: "LSM_MAC", target: func("bpf_lsm_") },
    "lsm.s": { type: "lsm", attach: "LSM_MAC", flags: BPF_F_SLEEPABLE, target: func("bpf_lsm_") },
    lsm_cgroup: { type: "lsm", attach: "LSM_CGROUP", target: func("bpf_lsm_") },
    iter: { type: "tracing", attach: "TRACE_ITER", target: func("bpf_iter_") },
    "iter.s": { type: "tracing", attach: "TRACE_ITER", flags: BPF_F_SLEEPABLE, target: func("bpf_iter_") },
    struct_ops: { type: "struct_ops" },
    "struct_ops.s": { type: "struct_ops", flags: BPF_F_SLEEPABLE },
  };
}

let exact: ReturnType<typeof exactNames> | undefined;
let withPlace: ReturnType<typeof namesWithPlace> | undefined;

/**
 * What the name of a section says of the programs in it, as libbpf reads it; `undefined` for a name that says nothing.
 *
 * Source: Documentation/bpf/libbpf/program_types.rst, Linux 6.18.
 */
export function sectionMeaning(name: string): SectionMeaning | undefined {
  const slash = name.indexOf("/");
  const kind = slash < 0 ? name : name.slice(0, slash);
  const place = slash < 0 ? "" : name.slice(slash + 1);
  exact ??= exactNames();
  withPlace ??= namesWithPlace();
  const rule = ownOf(exact, name) ?? ownOf(withPlace, kind);
  if (rule === undefined) return undefined;
  return {
    type: rule.type,
    expectedAttachType: rule.attach === undefined ? 0 : attachTypeNumber(rule.attach),
    flags: rule.flags ?? 0,
    target: rule.target && place !== "" ? { kind: rule.target.kind, name: rule.target.prefix + place } : undefined,
  };
}

function ownOf<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

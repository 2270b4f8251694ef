/**
 * The helpers that programs call, `bpf_…` by number: `include/uapi/linux/bpf.h: ___BPF_FUNC_MAPPER`, Linux 6.18, and what
 * each takes and gives (the `struct bpf_func_proto` of each).
 */

/** What a helper takes as an argument. */
export type HelperArgument =
  /** Any register that was written: a number, or an address as a number. */
  | "anything"
  /** The context that the program was called with, or with NULL allowed. */
  | "ctx"
  | "ctx_or_null"
  /** The map itself, from a 64-bit immediate or a lookup in a map of maps. */
  | "map"
  /** Memory of the map's key size, which the helper reads. */
  | "map_key"
  | "map_key_or_null"
  /** Memory of the map's key size that the helper writes. */
  | "uninit_map_key"
  /** Memory of the map's value size that the helper reads, or, uninitialised, writes. */
  | "map_value"
  | "uninit_map_value"
  /** Memory that the helper reads. Its size is the next argument. */
  | "memory"
  | "memory_or_null"
  /** Memory that the helper reads and writes. */
  | "writable_memory"
  | "writable_memory_or_null"
  /** Memory that the helper writes, whole or in part. */
  | "uninit_memory"
  /** The size in bytes of the memory before it: at least 1, or also 0. */
  | "size"
  | "size_or_zero"
  /** A constant: the size in bytes of the memory that the helper gives. */
  | "allocation_size"
  /** 8 bytes, aligned, that the helper writes; the 4 bytes of the MTU that it reads and writes. */
  | "uninit_long"
  | "mtu"
  /** A NUL-terminated text in a frozen, read-only map. */
  | "constant_string"
  /** A subprogram, by address, that the helper calls; what the helper hands on to it: the stack, or NULL. */
  | "callback"
  | "stack_or_null"
  /** `struct bpf_spin_lock` or `struct bpf_timer` in a map value. */
  | "spin_lock"
  | "timer"
  /** A record of a ring buffer, which the call takes back. */
  | "ringbuf_record"
  /** 16 bytes of the stack: a dynptr that the helper makes, uses, or takes back. */
  | "dynptr"
  | "uninit_local_dynptr"
  | "uninit_ringbuf_dynptr"
  | "released_ringbuf_dynptr";

/** What a helper leaves in r0. */
export type HelperResult =
  | "integer"
  | "void"
  | "map_value_or_null"
  /** A record of a ring buffer, of `allocation_size` bytes, which the program must give back. */
  | "ringbuf_record_or_null"
  /** `allocation_size` bytes of what a dynptr stands for. */
  | "dynptr_memory_or_null";

/** How a helper is called. */
export interface HelperProto {
  readonly id: number;
  /** Without `bpf_`. */
  readonly name: string;
  /** `undefined` for a helper that the embedded kernel does not have. */
  readonly parameters: readonly HelperArgument[] | undefined;
  readonly result: HelperResult;
  /** Only programs under a GPL-compatible licence may call it. */
  readonly gplOnly: boolean;
  /** Its memory arguments may lie in the packet. */
  readonly takesPacket: boolean;
  /** Pointers into the packet are void after the call. */
  readonly changesPacket: boolean;
  /** Only sleepable programs may call it. */
  readonly mightSleep: boolean;
}

type Traits = Partial<Pick<HelperProto, "gplOnly" | "takesPacket" | "changesPacket" | "mightSleep">>;

const NO_TRAITS = { gplOnly: false, takesPacket: false, changesPacket: false, mightSleep: false };

function proto(
  id: number,
  name: string,
  result: HelperResult,
  parameters: readonly HelperArgument[],
  traits: Traits = {},
): HelperProto {
  return { id, name, parameters, result, ...NO_TRAITS, ...traits };
}

function unsupported(id: number, name: string): HelperProto {
  return { id, name, parameters: undefined, result: "integer", ...NO_TRAITS };
}

/** Those of Linux 6.18, by their numbers from 1. */
function linuxProtos(): readonly HelperProto[] {
  return [
    proto(1, "map_lookup_elem", "map_value_or_null", ["map", "map_key"], { takesPacket: true }),
    proto(2, "map_update_elem", "integer", ["map", "map_key", "map_value", "anything"], { takesPacket: true }),
    proto(3, "map_delete_elem", "integer", ["map", "map_key"], { takesPacket: true }),
    proto(4, "probe_read", "integer", ["uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    proto(5, "ktime_get_ns", "integer", []),
    proto(6, "trace_printk", "integer", ["memory", "size"], { gplOnly: true }),
    proto(7, "get_prandom_u32", "integer", []),
    proto(8, "get_smp_processor_id", "integer", []),
    proto(9, "skb_store_bytes", "integer", ["ctx", "anything", "memory", "size", "anything"], { changesPacket: true }),
    proto(10, "l3_csum_replace", "integer", ["ctx", "anything", "anything", "anything", "anything"], {
      changesPacket: true,
    }),
    proto(11, "l4_csum_replace", "integer", ["ctx", "anything", "anything", "anything", "anything"], {
      changesPacket: true,
    }),
    proto(12, "tail_call", "void", ["ctx", "map", "anything"], { changesPacket: true }),
    proto(13, "clone_redirect", "integer", ["ctx", "anything", "anything"], { changesPacket: true }),
    proto(14, "get_current_pid_tgid", "integer", []),
    proto(15, "get_current_uid_gid", "integer", []),
    proto(16, "get_current_comm", "integer", ["uninit_memory", "size"]),
    proto(17, "get_cgroup_classid", "integer", []),
    proto(18, "skb_vlan_push", "integer", ["ctx", "anything", "anything"], { changesPacket: true }),
    proto(19, "skb_vlan_pop", "integer", ["ctx"], { changesPacket: true }),
    unsupported(20, "skb_get_tunnel_key"),
    unsupported(21, "skb_set_tunnel_key"),
    proto(22, "perf_event_read", "integer", ["map", "anything"], { gplOnly: true }),
    proto(23, "redirect", "integer", ["anything", "anything"]),
    proto(24, "get_route_realm", "integer", ["ctx"]),
    proto(25, "perf_event_output", "integer", ["ctx", "map", "anything", "memory", "size_or_zero"], { gplOnly: true }),
    proto(26, "skb_load_bytes", "integer", ["ctx", "anything", "uninit_memory", "size"]),
    proto(27, "get_stackid", "integer", ["ctx", "map", "anything"], { gplOnly: true }),
    proto(
      28,
      "csum_diff",
      "integer",
      ["memory_or_null", "size_or_zero", "memory_or_null", "size_or_zero", "anything"],
      {
        takesPacket: true,
      },
    ),
    unsupported(29, "skb_get_tunnel_opt"),
    unsupported(30, "skb_set_tunnel_opt"),
    proto(31, "skb_change_proto", "integer", ["ctx", "anything", "anything"], { changesPacket: true }),
    proto(32, "skb_change_type", "integer", ["ctx", "anything"]),
    proto(33, "skb_under_cgroup", "integer", ["ctx", "map", "anything"]),
    proto(34, "get_hash_recalc", "integer", ["ctx"]),
    proto(35, "get_current_task", "integer", [], { gplOnly: true }),
    unsupported(36, "probe_write_user"),
    proto(37, "current_task_under_cgroup", "integer", ["map", "anything"]),
    proto(38, "skb_change_tail", "integer", ["ctx", "anything", "anything"], { changesPacket: true }),
    proto(39, "skb_pull_data", "integer", ["ctx", "anything"], { changesPacket: true }),
    proto(40, "csum_update", "integer", ["ctx", "anything"]),
    proto(41, "set_hash_invalid", "integer", ["ctx"]),
    proto(42, "get_numa_node_id", "integer", []),
    proto(43, "skb_change_head", "integer", ["ctx", "anything", "anything"], { changesPacket: true }),
    proto(44, "xdp_adjust_head", "integer", ["ctx", "anything"], { changesPacket: true }),
    proto(45, "probe_read_str", "integer", ["uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    proto(46, "get_socket_cookie", "integer", ["ctx"]),
    proto(47, "get_socket_uid", "integer", ["ctx"]),
    proto(48, "set_hash", "integer", ["ctx", "anything"]),
    unsupported(49, "setsockopt"),
    proto(50, "skb_adjust_room", "integer", ["ctx", "anything", "anything", "anything"], { changesPacket: true }),
    proto(51, "redirect_map", "integer", ["map", "anything", "anything"]),
    unsupported(52, "sk_redirect_map"),
    unsupported(53, "sock_map_update"),
    proto(54, "xdp_adjust_meta", "integer", ["ctx", "anything"], { changesPacket: true }),
    proto(55, "perf_event_read_value", "integer", ["map", "anything", "uninit_memory", "size"], { gplOnly: true }),
    proto(56, "perf_prog_read_value", "integer", ["ctx", "uninit_memory", "size"], { gplOnly: true }),
    unsupported(57, "getsockopt"),
    unsupported(58, "override_return"),
    unsupported(59, "sock_ops_cb_flags_set"),
    unsupported(60, "msg_redirect_map"),
    unsupported(61, "msg_apply_bytes"),
    unsupported(62, "msg_cork_bytes"),
    unsupported(63, "msg_pull_data"),
    unsupported(64, "bind"),
    proto(65, "xdp_adjust_tail", "integer", ["ctx", "anything"], { changesPacket: true }),
    unsupported(66, "skb_get_xfrm_state"),
    proto(67, "get_stack", "integer", ["ctx", "uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    proto(68, "skb_load_bytes_relative", "integer", ["ctx", "anything", "uninit_memory", "size", "anything"]),
    proto(69, "fib_lookup", "integer", ["ctx", "writable_memory", "size", "anything"], { gplOnly: true }),
    unsupported(70, "sock_hash_update"),
    unsupported(71, "msg_redirect_hash"),
    unsupported(72, "sk_redirect_hash"),
    unsupported(73, "lwt_push_encap"),
    unsupported(74, "lwt_seg6_store_bytes"),
    unsupported(75, "lwt_seg6_adjust_srh"),
    unsupported(76, "lwt_seg6_action"),
    unsupported(77, "rc_repeat"),
    unsupported(78, "rc_keydown"),
    proto(79, "skb_cgroup_id", "integer", ["ctx"]),
    proto(80, "get_current_cgroup_id", "integer", []),
    unsupported(81, "get_local_storage"),
    unsupported(82, "sk_select_reuseport"),
    proto(83, "skb_ancestor_cgroup_id", "integer", ["ctx", "anything"]),
    unsupported(84, "sk_lookup_tcp"),
    unsupported(85, "sk_lookup_udp"),
    unsupported(86, "sk_release"),
    proto(87, "map_push_elem", "integer", ["map", "map_value", "anything"]),
    proto(88, "map_pop_elem", "integer", ["map", "uninit_map_value"]),
    proto(89, "map_peek_elem", "integer", ["map", "uninit_map_value"]),
    unsupported(90, "msg_push_data"),
    unsupported(91, "msg_pop_data"),
    unsupported(92, "rc_pointer_rel"),
    proto(93, "spin_lock", "void", ["spin_lock"]),
    proto(94, "spin_unlock", "void", ["spin_lock"]),
    unsupported(95, "sk_fullsock"),
    unsupported(96, "tcp_sock"),
    proto(97, "skb_ecn_set_ce", "integer", ["ctx"]),
    unsupported(98, "get_listener_sock"),
    unsupported(99, "skc_lookup_tcp"),
    unsupported(100, "tcp_check_syncookie"),
    unsupported(101, "sysctl_get_name"),
    unsupported(102, "sysctl_get_current_value"),
    unsupported(103, "sysctl_get_new_value"),
    unsupported(104, "sysctl_set_new_value"),
    proto(105, "strtol", "integer", ["memory", "size", "anything", "uninit_long"]),
    proto(106, "strtoul", "integer", ["memory", "size", "anything", "uninit_long"]),
    unsupported(107, "sk_storage_get"),
    unsupported(108, "sk_storage_delete"),
    proto(109, "send_signal", "integer", ["anything"]),
    unsupported(110, "tcp_gen_syncookie"),
    unsupported(111, "skb_output"),
    proto(112, "probe_read_user", "integer", ["uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    proto(113, "probe_read_kernel", "integer", ["uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    proto(114, "probe_read_user_str", "integer", ["uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    proto(115, "probe_read_kernel_str", "integer", ["uninit_memory", "size_or_zero", "anything"], { gplOnly: true }),
    unsupported(116, "tcp_send_ack"),
    proto(117, "send_signal_thread", "integer", ["anything"]),
    proto(118, "jiffies64", "integer", []),
    unsupported(119, "read_branch_records"),
    proto(120, "get_ns_current_pid_tgid", "integer", ["anything", "anything", "uninit_memory", "size"]),
    unsupported(121, "xdp_output"),
    proto(122, "get_netns_cookie", "integer", ["ctx_or_null"]),
    proto(123, "get_current_ancestor_cgroup_id", "integer", ["anything"]),
    unsupported(124, "sk_assign"),
    proto(125, "ktime_get_boot_ns", "integer", []),
    unsupported(126, "seq_printf"),
    unsupported(127, "seq_write"),
    unsupported(128, "sk_cgroup_id"),
    unsupported(129, "sk_ancestor_cgroup_id"),
    proto(130, "ringbuf_output", "integer", ["map", "memory", "size_or_zero", "anything"]),
    proto(131, "ringbuf_reserve", "ringbuf_record_or_null", ["map", "allocation_size", "anything"]),
    proto(132, "ringbuf_submit", "void", ["ringbuf_record", "anything"]),
    proto(133, "ringbuf_discard", "void", ["ringbuf_record", "anything"]),
    proto(134, "ringbuf_query", "integer", ["map", "anything"]),
    proto(135, "csum_level", "integer", ["ctx", "anything"]),
    unsupported(136, "skc_to_tcp6_sock"),
    unsupported(137, "skc_to_tcp_sock"),
    unsupported(138, "skc_to_tcp_timewait_sock"),
    unsupported(139, "skc_to_tcp_request_sock"),
    unsupported(140, "skc_to_udp6_sock"),
    unsupported(141, "get_task_stack"),
    unsupported(142, "load_hdr_opt"),
    unsupported(143, "store_hdr_opt"),
    unsupported(144, "reserve_hdr_opt"),
    unsupported(145, "inode_storage_get"),
    unsupported(146, "inode_storage_delete"),
    unsupported(147, "d_path"),
    proto(148, "copy_from_user", "integer", ["uninit_memory", "size_or_zero", "anything"], { mightSleep: true }),
    unsupported(149, "snprintf_btf"),
    unsupported(150, "seq_printf_btf"),
    proto(151, "skb_cgroup_classid", "integer", ["ctx"]),
    proto(152, "redirect_neigh", "integer", ["anything", "memory_or_null", "size_or_zero", "anything"]),
    unsupported(153, "per_cpu_ptr"),
    unsupported(154, "this_cpu_ptr"),
    proto(155, "redirect_peer", "integer", ["anything", "anything"]),
    unsupported(156, "task_storage_get"),
    unsupported(157, "task_storage_delete"),
    unsupported(158, "get_current_task_btf"),
    unsupported(159, "bprm_opts_set"),
    proto(160, "ktime_get_coarse_ns", "integer", []),
    unsupported(161, "ima_inode_hash"),
    unsupported(162, "sock_from_file"),
    proto(163, "check_mtu", "integer", ["ctx", "anything", "mtu", "anything", "anything"], { gplOnly: true }),
    proto(164, "for_each_map_elem", "integer", ["map", "callback", "stack_or_null", "anything"]),
    proto(
      165,
      "snprintf",
      "integer",
      ["writable_memory_or_null", "size_or_zero", "constant_string", "memory_or_null", "size_or_zero"],
      { gplOnly: true },
    ),
    unsupported(166, "sys_bpf"),
    unsupported(167, "btf_find_by_name_kind"),
    unsupported(168, "sys_close"),
    proto(169, "timer_init", "integer", ["timer", "map", "anything"], { gplOnly: true }),
    proto(170, "timer_set_callback", "integer", ["timer", "callback"], { gplOnly: true }),
    proto(171, "timer_start", "integer", ["timer", "anything", "anything"], { gplOnly: true }),
    proto(172, "timer_cancel", "integer", ["timer"], { gplOnly: true }),
    proto(173, "get_func_ip", "integer", ["ctx"], { gplOnly: true }),
    proto(174, "get_attach_cookie", "integer", ["ctx"]),
    unsupported(175, "task_pt_regs"),
    unsupported(176, "get_branch_snapshot"),
    proto(177, "trace_vprintk", "integer", ["memory", "size", "memory_or_null", "size_or_zero"], { gplOnly: true }),
    unsupported(178, "skc_to_unix_sock"),
    unsupported(179, "kallsyms_lookup_name"),
    unsupported(180, "find_vma"),
    proto(181, "loop", "integer", ["anything", "callback", "stack_or_null", "anything"]),
    proto(182, "strncmp", "integer", ["memory", "size", "constant_string"]),
    unsupported(183, "get_func_arg"),
    unsupported(184, "get_func_ret"),
    unsupported(185, "get_func_arg_cnt"),
    proto(186, "get_retval", "integer", []),
    proto(187, "set_retval", "integer", ["anything"]),
    proto(188, "xdp_get_buff_len", "integer", ["ctx"]),
    proto(189, "xdp_load_bytes", "integer", ["ctx", "anything", "uninit_memory", "size"]),
    proto(190, "xdp_store_bytes", "integer", ["ctx", "anything", "memory", "size"]),
    unsupported(191, "copy_from_user_task"),
    proto(192, "skb_set_tstamp", "integer", ["ctx", "anything", "anything"]),
    unsupported(193, "ima_file_hash"),
    unsupported(194, "kptr_xchg"),
    proto(195, "map_lookup_percpu_elem", "map_value_or_null", ["map", "map_key", "anything"], { takesPacket: true }),
    unsupported(196, "skc_to_mptcp_sock"),
    proto(197, "dynptr_from_mem", "integer", ["uninit_memory", "size_or_zero", "anything", "uninit_local_dynptr"]),
    proto(198, "ringbuf_reserve_dynptr", "integer", ["map", "anything", "anything", "uninit_ringbuf_dynptr"]),
    proto(199, "ringbuf_submit_dynptr", "void", ["released_ringbuf_dynptr", "anything"]),
    proto(200, "ringbuf_discard_dynptr", "void", ["released_ringbuf_dynptr", "anything"]),
    proto(201, "dynptr_read", "integer", ["uninit_memory", "size_or_zero", "dynptr", "anything", "anything"]),
    proto(202, "dynptr_write", "integer", ["dynptr", "anything", "memory", "size_or_zero", "anything"]),
    proto(203, "dynptr_data", "dynptr_memory_or_null", ["dynptr", "anything", "allocation_size"]),
    unsupported(204, "tcp_raw_gen_syncookie_ipv4"),
    unsupported(205, "tcp_raw_gen_syncookie_ipv6"),
    unsupported(206, "tcp_raw_check_syncookie_ipv4"),
    unsupported(207, "tcp_raw_check_syncookie_ipv6"),
    proto(208, "ktime_get_tai_ns", "integer", []),
    proto(209, "user_ringbuf_drain", "integer", ["map", "callback", "stack_or_null", "anything"]),
    unsupported(210, "cgrp_storage_get"),
    unsupported(211, "cgrp_storage_delete"),
  ];
}

/**
 * What Linux has for user space alone, under the numbers behind the last of its own, which will have no others. Linux
 * refuses a program that calls one as it refuses any number that is no helper's.
 */
function ownProtos(): readonly HelperProto[] {
  return [
    proto(212, "map_lookup_and_delete_elem", "map_value_or_null", ["map", "map_key"], { takesPacket: true }),
    proto(213, "map_get_next_key", "integer", ["map", "map_key_or_null", "uninit_map_key"]),
  ];
}

let protos: readonly (HelperProto | undefined)[] | undefined;

/**
 * Every helper of Linux 6.18 by its number, and behind them those that the embedded kernel has besides. Made when the first
 * program is loaded: who loads none should not wait for it.
 */
export function helperProtos(): readonly (HelperProto | undefined)[] {
  protos ??= [undefined, ...linuxProtos(), ...ownProtos()];
  return protos;
}

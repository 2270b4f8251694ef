import { helperProtos } from "./helper-protos.ts";

/**
 * Which program type may call which helper: what Linux 6.18 answered when each of the helpers was called by a program of
 * each type, for a caller with every capability (`kernel/bpf/helpers.c: bpf_base_func_proto` and the `get_func_proto` of
 * each type).
 */

/** The helpers of every program type. */
const EVERY_TYPE = `
  map_lookup_elem map_update_elem map_delete_elem ktime_get_ns trace_printk get_prandom_u32 get_smp_processor_id
  tail_call get_current_pid_tgid get_current_uid_gid get_current_comm get_cgroup_classid perf_event_read
  get_current_task current_task_under_cgroup get_numa_node_id perf_event_read_value get_current_cgroup_id
  map_push_elem map_pop_elem map_peek_elem spin_lock spin_unlock strtol strtoul send_signal probe_read_user
  probe_read_kernel probe_read_user_str probe_read_kernel_str send_signal_thread jiffies64
  get_ns_current_pid_tgid get_current_ancestor_cgroup_id ktime_get_boot_ns ringbuf_output ringbuf_reserve
  ringbuf_submit ringbuf_discard ringbuf_query get_task_stack copy_from_user snprintf_btf per_cpu_ptr
  this_cpu_ptr task_storage_get task_storage_delete get_current_task_btf for_each_map_elem snprintf timer_init
  timer_set_callback timer_start timer_cancel task_pt_regs get_branch_snapshot trace_vprintk find_vma loop
  strncmp copy_from_user_task kptr_xchg map_lookup_percpu_elem dynptr_from_mem ringbuf_reserve_dynptr
  ringbuf_submit_dynptr ringbuf_discard_dynptr dynptr_read dynptr_write dynptr_data ktime_get_tai_ns
  user_ringbuf_drain cgrp_storage_get cgrp_storage_delete
`;

/** The helpers that Linux does not have. */
const OWN = "map_lookup_and_delete_elem map_get_next_key";

/** Casts of sockets, which most of the networking types share. */
const SOCKET_CASTS = `
  skc_to_tcp6_sock skc_to_tcp_sock skc_to_tcp_timewait_sock skc_to_tcp_request_sock skc_to_udp6_sock skc_to_unix_sock
  skc_to_mptcp_sock
`;

/** What a program type may call besides, by the number of the type. */
const OF_TYPE: Readonly<Record<number, string>> = {
  // socket_filter
  1: `
    ${SOCKET_CASTS}
    perf_event_output skb_load_bytes get_socket_cookie get_socket_uid skb_load_bytes_relative get_netns_cookie
    ktime_get_coarse_ns
  `,
  // kprobe
  2: `
    probe_read perf_event_output get_stackid probe_read_str get_stack get_func_ip get_attach_cookie
  `,
  // sched_cls
  3: `
    ${SOCKET_CASTS}
    skb_store_bytes l3_csum_replace l4_csum_replace clone_redirect skb_vlan_push skb_vlan_pop skb_get_tunnel_key
    skb_set_tunnel_key redirect get_route_realm perf_event_output skb_load_bytes csum_diff skb_get_tunnel_opt
    skb_set_tunnel_opt skb_change_proto skb_change_type skb_under_cgroup get_hash_recalc skb_change_tail
    skb_pull_data csum_update set_hash_invalid skb_change_head get_socket_cookie get_socket_uid set_hash
    skb_adjust_room skb_get_xfrm_state skb_load_bytes_relative fib_lookup skb_cgroup_id skb_ancestor_cgroup_id
    sk_lookup_tcp sk_lookup_udp sk_release sk_fullsock tcp_sock skb_ecn_set_ce get_listener_sock skc_lookup_tcp
    tcp_check_syncookie sk_storage_get sk_storage_delete tcp_gen_syncookie get_netns_cookie sk_assign csum_level
    skb_cgroup_classid redirect_neigh redirect_peer ktime_get_coarse_ns check_mtu skb_set_tstamp
    tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6
  `,
  // sched_act
  4: `
    ${SOCKET_CASTS}
    skb_store_bytes l3_csum_replace l4_csum_replace clone_redirect skb_vlan_push skb_vlan_pop skb_get_tunnel_key
    skb_set_tunnel_key redirect get_route_realm perf_event_output skb_load_bytes csum_diff skb_get_tunnel_opt
    skb_set_tunnel_opt skb_change_proto skb_change_type skb_under_cgroup get_hash_recalc skb_change_tail
    skb_pull_data csum_update set_hash_invalid skb_change_head get_socket_cookie get_socket_uid set_hash
    skb_adjust_room skb_get_xfrm_state skb_load_bytes_relative fib_lookup skb_cgroup_id skb_ancestor_cgroup_id
    sk_lookup_tcp sk_lookup_udp sk_release sk_fullsock tcp_sock skb_ecn_set_ce get_listener_sock skc_lookup_tcp
    tcp_check_syncookie sk_storage_get sk_storage_delete tcp_gen_syncookie get_netns_cookie sk_assign csum_level
    skb_cgroup_classid redirect_neigh redirect_peer ktime_get_coarse_ns check_mtu skb_set_tstamp
    tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6 tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6
  `,
  // tracepoint
  5: `
    probe_read perf_event_output get_stackid probe_read_str get_stack get_func_ip get_attach_cookie
  `,
  // xdp
  6: `
    ${SOCKET_CASTS}
    redirect perf_event_output csum_diff xdp_adjust_head redirect_map xdp_adjust_meta xdp_adjust_tail fib_lookup
    sk_lookup_tcp sk_lookup_udp sk_release skc_lookup_tcp tcp_check_syncookie tcp_gen_syncookie ktime_get_coarse_ns
    check_mtu xdp_get_buff_len xdp_load_bytes xdp_store_bytes tcp_raw_gen_syncookie_ipv4 tcp_raw_gen_syncookie_ipv6
    tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6
  `,
  // perf_event
  7: `
    probe_read perf_event_output get_stackid probe_read_str perf_prog_read_value get_stack read_branch_records
    get_func_ip get_attach_cookie
  `,
  // cgroup_skb
  8: `
    ${SOCKET_CASTS}
    perf_event_output skb_load_bytes get_socket_cookie get_socket_uid skb_load_bytes_relative skb_cgroup_id
    get_local_storage skb_ancestor_cgroup_id sk_lookup_tcp sk_lookup_udp sk_release sk_fullsock tcp_sock
    skb_ecn_set_ce get_listener_sock skc_lookup_tcp sk_storage_get sk_storage_delete get_netns_cookie sk_cgroup_id
    sk_ancestor_cgroup_id ktime_get_coarse_ns
  `,
  // cgroup_sock
  9: `
    perf_event_output get_socket_cookie get_local_storage sk_storage_get get_netns_cookie ktime_get_coarse_ns
    get_retval set_retval
  `,
  // lwt_in
  10: `
    ${SOCKET_CASTS}
    get_route_realm perf_event_output skb_load_bytes csum_diff skb_under_cgroup get_hash_recalc skb_pull_data
    lwt_push_encap ktime_get_coarse_ns
  `,
  // lwt_out
  11: `
    ${SOCKET_CASTS}
    get_route_realm perf_event_output skb_load_bytes csum_diff skb_under_cgroup get_hash_recalc skb_pull_data
    ktime_get_coarse_ns
  `,
  // lwt_xmit
  12: `
    ${SOCKET_CASTS}
    skb_store_bytes l3_csum_replace l4_csum_replace clone_redirect skb_get_tunnel_key skb_set_tunnel_key redirect
    get_route_realm perf_event_output skb_load_bytes csum_diff skb_get_tunnel_opt skb_set_tunnel_opt
    skb_under_cgroup get_hash_recalc skb_change_tail skb_pull_data csum_update set_hash_invalid skb_change_head
    lwt_push_encap csum_level ktime_get_coarse_ns
  `,
  // sock_ops
  13: `
    ${SOCKET_CASTS} get_retval set_retval
    perf_event_output get_socket_cookie setsockopt sock_map_update getsockopt sock_ops_cb_flags_set sock_hash_update
    get_local_storage tcp_sock sk_storage_get sk_storage_delete get_netns_cookie load_hdr_opt store_hdr_opt
    reserve_hdr_opt ktime_get_coarse_ns
  `,
  // sk_skb
  14: `
    ${SOCKET_CASTS}
    skb_store_bytes perf_event_output skb_load_bytes skb_change_tail skb_pull_data skb_change_head get_socket_cookie
    get_socket_uid skb_adjust_room sk_redirect_map sk_redirect_hash sk_lookup_tcp sk_lookup_udp sk_release
    skc_lookup_tcp ktime_get_coarse_ns
  `,
  // cgroup_device
  15: `
    perf_event_output get_local_storage get_retval set_retval
  `,
  // sk_msg
  16: `
    ${SOCKET_CASTS}
    perf_event_output msg_redirect_map msg_apply_bytes msg_cork_bytes msg_pull_data msg_redirect_hash msg_push_data
    msg_pop_data sk_storage_get sk_storage_delete get_netns_cookie ktime_get_coarse_ns
  `,
  // raw_tracepoint
  17: `
    probe_read perf_event_output get_stackid probe_read_str get_stack get_func_ip get_attach_cookie
  `,
  // cgroup_sock_addr
  18: `
    ${SOCKET_CASTS}
    perf_event_output get_socket_cookie setsockopt getsockopt get_local_storage sk_lookup_tcp sk_lookup_udp
    sk_release skc_lookup_tcp sk_storage_get sk_storage_delete get_netns_cookie ktime_get_coarse_ns get_retval
    set_retval bind
  `,
  // lwt_seg6local
  19: `
    ${SOCKET_CASTS}
    get_route_realm perf_event_output skb_load_bytes csum_diff skb_under_cgroup get_hash_recalc skb_pull_data
    lwt_seg6_store_bytes lwt_seg6_adjust_srh lwt_seg6_action ktime_get_coarse_ns
  `,
  // sk_reuseport
  21: `
    skb_load_bytes get_socket_cookie skb_load_bytes_relative sk_select_reuseport ktime_get_coarse_ns
  `,
  // flow_dissector
  22: `
    ${SOCKET_CASTS}
    skb_load_bytes ktime_get_coarse_ns
  `,
  // cgroup_sysctl
  23: `
    perf_event_output get_local_storage sysctl_get_name sysctl_get_current_value sysctl_get_new_value
    sysctl_set_new_value ktime_get_coarse_ns get_retval set_retval
  `,
  // raw_tracepoint_writable
  24: `
    probe_read perf_event_output get_stackid probe_read_str get_stack get_func_ip get_attach_cookie
  `,
  // cgroup_sockopt
  25: `
    perf_event_output get_local_storage tcp_sock sk_storage_get sk_storage_delete get_netns_cookie get_retval
    set_retval setsockopt getsockopt
  `,
  // sk_lookup
  30: `
    ${SOCKET_CASTS}
    perf_event_output sk_release sk_assign ktime_get_coarse_ns
  `,
  // syscall
  31: `
    ${SOCKET_CASTS}
    probe_read perf_event_output get_stackid probe_read_str get_socket_cookie get_stack sk_storage_get
    sk_storage_delete skb_output xdp_output d_path sock_from_file sys_bpf btf_find_by_name_kind sys_close
    get_func_ip kallsyms_lookup_name xdp_get_buff_len
  `,
  // netfilter
  32: "",
};

/** Helpers that depend on where the program is to be attached: `expected_attach_type` by program type and helper. */
const OF_ATTACH_TYPE: Readonly<Record<number, Readonly<Record<string, readonly number[]>>>> = {
  // cgroup_sock_addr: bind is for the connect hooks.
  18: { bind: [10, 11] },
  // cgroup_sockopt: options of the socket may be touched by BPF_CGROUP_SETSOCKOPT alone.
  25: { setsockopt: [22], getsockopt: [22] },
};

/**
 * The hooks of control groups that have no answer to change (`kernel/bpf/cgroup.c: cgroup_current_func_proto`), as far as
 * programs of types say that which take any attach type.
 */
const WITHOUT_RETVAL = [0, 1, 3, 19, 20, 29, 30, 31, 32, 51, 52, 53];

const callable = new Map<number, ReadonlySet<string>>();

/** Whether a program of this type, to be attached there, may call the helper of this number. */
export function mayCall(programType: number, expectedAttachType: number, helper: number): boolean {
  const name = helperProtos()[helper]?.name;
  const extra = OF_TYPE[programType];
  if (name === undefined || extra === undefined) return false;
  let names = callable.get(programType);
  if (names === undefined) {
    names = new Set(`${EVERY_TYPE} ${OWN} ${extra}`.trim().split(/\s+/));
    callable.set(programType, names);
  }
  if ((name === "get_retval" || name === "set_retval") && WITHOUT_RETVAL.includes(expectedAttachType)) return false;
  const attachTypes = OF_ATTACH_TYPE[programType]?.[name];
  return attachTypes === undefined ? names.has(name) : attachTypes.includes(expectedAttachType);
}

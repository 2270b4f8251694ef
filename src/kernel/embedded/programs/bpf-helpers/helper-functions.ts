import { EAGAIN, EFAULT, EINVAL, ENODEV, ENOTSUPP, EPERM } from "../../../../abi/errno.ts";
import { type HelperName, helperNumber } from "../../../../abi/helpers.ts";
import { FOR_EACH_MAP_ELEM, USER_RINGBUF_DRAIN } from "./callbacks.ts";
import { CSUM_DIFF, L3_CSUM_REPLACE, L4_CSUM_REPLACE } from "./checksums.ts";
import { JIFFIES64, KTIME_GET_NS, KTIME_GET_TAI_NS } from "./clocks.ts";
import {
  DYNPTR_DATA,
  DYNPTR_FROM_MEM,
  DYNPTR_READ,
  DYNPTR_WRITE,
  RINGBUF_DISCARD_DYNPTR,
  RINGBUF_RESERVE_DYNPTR,
  RINGBUF_SUBMIT_DYNPTR,
} from "./dynptrs.ts";
import type { HelperFunction } from "./helper-function.ts";
import { SPIN_LOCK, SPIN_UNLOCK } from "./locks.ts";
import {
  MAP_DELETE_ELEM,
  MAP_GET_NEXT_KEY,
  MAP_LOOKUP_AND_DELETE_ELEM,
  MAP_LOOKUP_ELEM,
  MAP_LOOKUP_PERCPU_ELEM,
  MAP_PEEK_ELEM,
  MAP_POP_ELEM,
  MAP_PUSH_ELEM,
  MAP_UPDATE_ELEM,
} from "./map-elements.ts";
import { PROBE_READ, PROBE_READ_KERNEL, PROBE_READ_KERNEL_STR, PROBE_READ_STR, STRNCMP } from "./memory-copies.ts";
import { STRTOL, STRTOUL } from "./numbers-from-text.ts";
import {
  SKB_LOAD_BYTES,
  SKB_LOAD_BYTES_RELATIVE,
  SKB_STORE_BYTES,
  XDP_GET_BUFF_LEN,
  XDP_LOAD_BYTES,
  XDP_STORE_BYTES,
} from "./packet-bytes.ts";
import { PERF_EVENT_OUTPUT, PERF_EVENT_READ, PERF_EVENT_READ_VALUE } from "./perf-events.ts";
import { SNPRINTF, TRACE_PRINTK, TRACE_VPRINTK } from "./printing.ts";
import { CLONE_REDIRECT, REDIRECT, REDIRECT_MAP, REDIRECT_NEIGH, REDIRECT_PEER } from "./redirects.ts";
import { RINGBUF_DISCARD, RINGBUF_OUTPUT, RINGBUF_QUERY, RINGBUF_RESERVE, RINGBUF_SUBMIT } from "./ring-buffers.ts";
import {
  GET_HASH_RECALC,
  SET_HASH,
  SET_HASH_INVALID,
  SKB_CHANGE_HEAD,
  SKB_CHANGE_TAIL,
  SKB_CHANGE_TYPE,
  SKB_PULL_DATA,
  SKB_SET_TSTAMP,
  SKB_VLAN_POP,
  SKB_VLAN_PUSH,
} from "./skb-changes.ts";
import { CSUM_LEVEL, SKB_ECN_SET_CE } from "./skb-marks.ts";
import { SKB_ADJUST_ROOM, SKB_CHANGE_PROTO } from "./skb-room.ts";
import {
  always,
  atIndex,
  cleared,
  GET_CURRENT_COMM,
  GET_CURRENT_PID_TGID,
  GET_CURRENT_UID_GID,
  GET_PRANDOM_U32,
} from "./surroundings.ts";
import { TIMER_CANCEL, TIMER_INIT, TIMER_SET_CALLBACK, TIMER_START } from "./timers.ts";
import { XDP_ADJUST_HEAD, XDP_ADJUST_META, XDP_ADJUST_TAIL } from "./xdp-adjustments.ts";

/** There is one cgroup and one network namespace: the first. */
const ONE = always(1);
const NONE = always(0);
/** `overflowuid`: the sockets of test runs are nobody's. */
const NOBODY = 65534;

const byName = (): Partial<Record<HelperName, HelperFunction>> => ({
  bpf_map_lookup_elem: MAP_LOOKUP_ELEM,
  bpf_map_update_elem: MAP_UPDATE_ELEM,
  bpf_map_delete_elem: MAP_DELETE_ELEM,
  bpf_map_push_elem: MAP_PUSH_ELEM,
  bpf_map_pop_elem: MAP_POP_ELEM,
  bpf_map_peek_elem: MAP_PEEK_ELEM,
  bpf_map_lookup_percpu_elem: MAP_LOOKUP_PERCPU_ELEM,
  bpf_map_lookup_and_delete_elem: MAP_LOOKUP_AND_DELETE_ELEM,
  bpf_map_get_next_key: MAP_GET_NEXT_KEY,
  bpf_for_each_map_elem: FOR_EACH_MAP_ELEM,
  bpf_spin_lock: SPIN_LOCK,
  bpf_spin_unlock: SPIN_UNLOCK,
  bpf_timer_init: TIMER_INIT,
  bpf_timer_set_callback: TIMER_SET_CALLBACK,
  bpf_timer_start: TIMER_START,
  bpf_timer_cancel: TIMER_CANCEL,

  bpf_ringbuf_output: RINGBUF_OUTPUT,
  bpf_ringbuf_reserve: RINGBUF_RESERVE,
  bpf_ringbuf_submit: RINGBUF_SUBMIT,
  bpf_ringbuf_discard: RINGBUF_DISCARD,
  bpf_ringbuf_query: RINGBUF_QUERY,
  bpf_ringbuf_reserve_dynptr: RINGBUF_RESERVE_DYNPTR,
  bpf_ringbuf_submit_dynptr: RINGBUF_SUBMIT_DYNPTR,
  bpf_ringbuf_discard_dynptr: RINGBUF_DISCARD_DYNPTR,
  bpf_user_ringbuf_drain: USER_RINGBUF_DRAIN,
  bpf_dynptr_from_mem: DYNPTR_FROM_MEM,
  bpf_dynptr_read: DYNPTR_READ,
  bpf_dynptr_write: DYNPTR_WRITE,
  bpf_dynptr_data: DYNPTR_DATA,

  bpf_ktime_get_ns: KTIME_GET_NS,
  bpf_ktime_get_boot_ns: KTIME_GET_NS,
  bpf_ktime_get_coarse_ns: KTIME_GET_NS,
  bpf_ktime_get_tai_ns: KTIME_GET_TAI_NS,
  bpf_jiffies64: JIFFIES64,
  bpf_get_prandom_u32: GET_PRANDOM_U32,
  bpf_get_numa_node_id: NONE,
  bpf_get_current_pid_tgid: GET_CURRENT_PID_TGID,
  bpf_get_current_uid_gid: GET_CURRENT_UID_GID,
  bpf_get_current_comm: GET_CURRENT_COMM,
  bpf_get_ns_current_pid_tgid: cleared(-EINVAL, ["ignored", "ignored"]),
  bpf_get_current_task: NONE,
  bpf_get_current_cgroup_id: ONE,
  bpf_get_current_ancestor_cgroup_id: always(0, ["ignored"]),
  bpf_current_task_under_cgroup: atIndex(-EAGAIN, ["map", "u32"]),
  bpf_get_cgroup_classid: NONE,
  bpf_send_signal: always(-EPERM, ["ignored"]),
  bpf_send_signal_thread: always(-EPERM, ["ignored"]),
  bpf_get_netns_cookie: ONE,
  bpf_get_func_ip: NONE,
  bpf_get_attach_cookie: NONE,
  bpf_get_retval: NONE,
  bpf_set_retval: NONE,

  bpf_probe_read: PROBE_READ,
  bpf_probe_read_kernel: PROBE_READ_KERNEL,
  bpf_probe_read_user: PROBE_READ,
  bpf_copy_from_user: PROBE_READ,
  bpf_probe_read_str: PROBE_READ_STR,
  bpf_probe_read_kernel_str: PROBE_READ_KERNEL_STR,
  bpf_probe_read_user_str: PROBE_READ_STR,
  bpf_strncmp: STRNCMP,
  bpf_strtol: STRTOL,
  bpf_strtoul: STRTOUL,
  bpf_snprintf: SNPRINTF,
  bpf_trace_printk: TRACE_PRINTK,
  bpf_trace_vprintk: TRACE_VPRINTK,

  bpf_skb_load_bytes: SKB_LOAD_BYTES,
  bpf_skb_load_bytes_relative: SKB_LOAD_BYTES_RELATIVE,
  bpf_skb_store_bytes: SKB_STORE_BYTES,
  bpf_skb_pull_data: SKB_PULL_DATA,
  bpf_skb_change_tail: SKB_CHANGE_TAIL,
  bpf_skb_change_head: SKB_CHANGE_HEAD,
  bpf_skb_change_type: SKB_CHANGE_TYPE,
  bpf_skb_change_proto: SKB_CHANGE_PROTO,
  bpf_skb_adjust_room: SKB_ADJUST_ROOM,
  bpf_skb_vlan_push: SKB_VLAN_PUSH,
  bpf_skb_vlan_pop: SKB_VLAN_POP,
  bpf_skb_set_tstamp: SKB_SET_TSTAMP,
  bpf_skb_ecn_set_ce: SKB_ECN_SET_CE,
  bpf_skb_cgroup_id: NONE,
  bpf_skb_ancestor_cgroup_id: NONE,
  bpf_skb_cgroup_classid: NONE,
  bpf_skb_under_cgroup: atIndex(-EAGAIN, ["ignored", "map", "u32"]),
  bpf_get_hash_recalc: GET_HASH_RECALC,
  bpf_set_hash: SET_HASH,
  bpf_set_hash_invalid: SET_HASH_INVALID,
  bpf_get_route_realm: NONE,
  bpf_get_socket_cookie: ONE,
  bpf_get_socket_uid: always(NOBODY),
  bpf_csum_diff: CSUM_DIFF,
  // For packets that come with a checksum, of which there are none.
  bpf_csum_update: always(-ENOTSUPP),
  bpf_csum_level: CSUM_LEVEL,
  bpf_l3_csum_replace: L3_CSUM_REPLACE,
  bpf_l4_csum_replace: L4_CSUM_REPLACE,

  bpf_xdp_adjust_head: XDP_ADJUST_HEAD,
  bpf_xdp_adjust_meta: XDP_ADJUST_META,
  bpf_xdp_adjust_tail: XDP_ADJUST_TAIL,
  bpf_xdp_get_buff_len: XDP_GET_BUFF_LEN,
  bpf_xdp_load_bytes: XDP_LOAD_BYTES,
  bpf_xdp_store_bytes: XDP_STORE_BYTES,
  bpf_redirect: REDIRECT,
  bpf_redirect_map: REDIRECT_MAP,
  bpf_redirect_neigh: REDIRECT_NEIGH,
  bpf_redirect_peer: REDIRECT_PEER,
  bpf_clone_redirect: CLONE_REDIRECT,
  bpf_fib_lookup: always(-ENODEV),
  bpf_check_mtu: always(-ENODEV),

  bpf_perf_event_output: PERF_EVENT_OUTPUT,
  bpf_perf_event_read: PERF_EVENT_READ,
  bpf_perf_event_read_value: PERF_EVENT_READ_VALUE,
  bpf_perf_prog_read_value: cleared(-EINVAL, ["ignored"]),
  bpf_get_stackid: always(-EFAULT),
  bpf_get_stack: always(-EFAULT),
});

let functions: ReadonlyMap<number, HelperFunction> | undefined;

/**
 * A helper of the embedded kernel by its number; `undefined` when it has none of it, and for those that are compiled into
 * the program.
 */
export function helperFunction(number: number): HelperFunction | undefined {
  functions ??= new Map(Object.entries(byName()).map(([name, helper]) => [helperNumber(name) as number, helper]));
  return functions.get(number);
}

import { EINVAL } from "../../../../abi/errno.ts";
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_ARRAY_OF_MAPS,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_CGROUP_ARRAY,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_CGRP_STORAGE,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BPF_MAP_TYPE_PROG_ARRAY,
  BPF_MAP_TYPE_QUEUE,
  BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_MAP_TYPE_STACK,
  BPF_MAP_TYPE_STACK_TRACE,
  BPF_MAP_TYPE_TASK_STORAGE,
  BPF_MAP_TYPE_USER_RINGBUF,
  BPF_MAP_TYPE_XSKMAP,
  mapTypeName,
} from "../../../../abi/map-types.ts";
import {
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SK_LOOKUP,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_SOCK_OPS,
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_XDP,
} from "../../../../abi/prog-types.ts";
import type { MapView } from "./map-view.ts";
import { Rejection } from "./rejection.ts";

const RING_BUFFER = [
  "ringbuf_output",
  "ringbuf_reserve",
  "ringbuf_query",
  "ringbuf_reserve_dynptr",
  "ringbuf_submit_dynptr",
  "ringbuf_discard_dynptr",
];
const PERF_EVENTS = ["perf_event_read", "perf_event_output", "skb_output", "perf_event_read_value", "xdp_output"];

/** The helpers that take maps of a type; a type that is not here takes all but those that ask for another. */
const HELPERS_OF: Readonly<Record<number, readonly string[]>> = {
  [BPF_MAP_TYPE_PROG_ARRAY]: ["tail_call"],
  [BPF_MAP_TYPE_PERF_EVENT_ARRAY]: PERF_EVENTS,
  [BPF_MAP_TYPE_RINGBUF]: RING_BUFFER,
  [BPF_MAP_TYPE_USER_RINGBUF]: ["user_ringbuf_drain"],
  [BPF_MAP_TYPE_STACK_TRACE]: ["get_stackid"],
  [BPF_MAP_TYPE_CGROUP_ARRAY]: ["skb_under_cgroup", "current_task_under_cgroup"],
  [BPF_MAP_TYPE_CGROUP_STORAGE]: ["get_local_storage"],
  [BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE]: ["get_local_storage"],
  [BPF_MAP_TYPE_DEVMAP]: ["redirect_map", "map_lookup_elem"],
  [BPF_MAP_TYPE_DEVMAP_HASH]: ["redirect_map", "map_lookup_elem"],
  [BPF_MAP_TYPE_CPUMAP]: ["redirect_map"],
  [BPF_MAP_TYPE_XSKMAP]: ["redirect_map", "map_lookup_elem"],
  [BPF_MAP_TYPE_ARRAY_OF_MAPS]: ["map_lookup_elem"],
  [BPF_MAP_TYPE_HASH_OF_MAPS]: ["map_lookup_elem"],
  [BPF_MAP_TYPE_SOCKMAP]: [
    "sk_redirect_map",
    "sock_map_update",
    "msg_redirect_map",
    "sk_select_reuseport",
    "map_lookup_elem",
  ],
  [BPF_MAP_TYPE_SOCKHASH]: [
    "sk_redirect_hash",
    "sock_hash_update",
    "msg_redirect_hash",
    "sk_select_reuseport",
    "map_lookup_elem",
  ],
  [BPF_MAP_TYPE_REUSEPORT_SOCKARRAY]: ["sk_select_reuseport"],
  [BPF_MAP_TYPE_QUEUE]: ["map_peek_elem", "map_pop_elem", "map_push_elem"],
  [BPF_MAP_TYPE_STACK]: ["map_peek_elem", "map_pop_elem", "map_push_elem"],
  [BPF_MAP_TYPE_SK_STORAGE]: ["sk_storage_get", "sk_storage_delete", "kptr_xchg"],
  [BPF_MAP_TYPE_INODE_STORAGE]: ["inode_storage_get", "inode_storage_delete", "kptr_xchg"],
  [BPF_MAP_TYPE_TASK_STORAGE]: ["task_storage_get", "task_storage_delete", "kptr_xchg"],
  [BPF_MAP_TYPE_CGRP_STORAGE]: ["cgrp_storage_get", "cgrp_storage_delete", "kptr_xchg"],
  [BPF_MAP_TYPE_BLOOM_FILTER]: ["map_peek_elem", "map_push_elem"],
};

const HASHES = [BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH];

/** The map types that a helper takes; a helper that is not here takes all but those that ask for another. */
const TYPES_OF: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ["tail_call", [BPF_MAP_TYPE_PROG_ARRAY]],
  ...PERF_EVENTS.map((name): [string, readonly number[]] => [name, [BPF_MAP_TYPE_PERF_EVENT_ARRAY]]),
  ...RING_BUFFER.map((name): [string, readonly number[]] => [name, [BPF_MAP_TYPE_RINGBUF]]),
  ["user_ringbuf_drain", [BPF_MAP_TYPE_USER_RINGBUF]],
  ["get_stackid", [BPF_MAP_TYPE_STACK_TRACE]],
  ["current_task_under_cgroup", [BPF_MAP_TYPE_CGROUP_ARRAY]],
  ["skb_under_cgroup", [BPF_MAP_TYPE_CGROUP_ARRAY]],
  ["redirect_map", [BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_XSKMAP]],
  ["map_pop_elem", [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK]],
  ["map_peek_elem", [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_BLOOM_FILTER]],
  ["map_push_elem", [BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK, BPF_MAP_TYPE_BLOOM_FILTER]],
  ["map_lookup_and_delete_elem", HASHES],
  ["map_get_next_key", [...HASHES, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LPM_TRIE]],
  ["map_lookup_percpu_elem", [BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH]],
]);

/** The program types that may update a map of sockets: `may_update_sockmap`. */
const SOCKMAP_UPDATERS: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_SOCKET_FILTER,
  BPF_PROG_TYPE_SCHED_CLS,
  BPF_PROG_TYPE_SCHED_ACT,
  BPF_PROG_TYPE_XDP,
  BPF_PROG_TYPE_SK_REUSEPORT,
  BPF_PROG_TYPE_FLOW_DISSECTOR,
  BPF_PROG_TYPE_SK_LOOKUP,
]);

/** Refuses a helper that is not for maps of this type: `check_map_func_compatibility`, 6.18. */
export function checkMapHelper(map: MapView, helper: string, programType: number): void {
  const helpers = HELPERS_OF[map.type];
  const types = TYPES_OF.get(helper);
  const isTaken = helpers === undefined || helpers.includes(helper) || updatesSockets(map, helper, programType);
  if (isTaken && (types === undefined || types.includes(map.type))) return;
  const names = (types ?? []).map((type) => mapTypeName(type));
  const instead =
    types !== undefined && !types.includes(map.type)
      ? `it takes maps of type ${names.join(", ")}`
      : `such a map is for ${helpers?.map((name) => `bpf_${name}`).join(", ")}`;
  throw new Rejection(
    EINVAL,
    `cannot pass map_type ${map.type} into func bpf_${helper}: R1 or R2 is ${map.label}; ${instead}`,
  );
}

function updatesSockets(map: MapView, helper: string, programType: number): boolean {
  if (map.type !== BPF_MAP_TYPE_SOCKMAP && map.type !== BPF_MAP_TYPE_SOCKHASH) return false;
  if (helper === "map_delete_elem" && programType === BPF_PROG_TYPE_SOCK_OPS) return true;
  return (helper === "map_update_elem" || helper === "map_delete_elem") && SOCKMAP_UPDATERS.has(programType);
}

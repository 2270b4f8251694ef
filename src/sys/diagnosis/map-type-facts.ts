import {
  BPF_F_INNER_MAP,
  BPF_F_MMAPABLE,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_F_NO_USER_CONV,
  BPF_F_NUMA_NODE,
  BPF_F_PRESERVE_ELEMS,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_SEGV_ON_FAULT,
  BPF_F_STACK_BUILD_ID,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
} from "../../abi/flags.ts";
import { type MapTypeName, mapTypeName } from "../../abi/map-types.ts";

/** The least and the most that a field may be. */
export type Range = readonly [least: number, most: number];

/** What BPF_MAP_CREATE takes for a map type: the `map_alloc_check` of the type, as data. */
export interface MapTypeFacts {
  /** The flags that it takes. */
  readonly flags: number;
  /** The flags without which it is refused. */
  readonly needs: number;
  readonly keySize: Range;
  readonly valueSize: Range;
  /** Whether of a range of sizes only the two ends are taken. */
  readonly hasTwoSizes: boolean;
  readonly maxEntries: Range;
  /** A larger value, or key and value together, is E2BIG. */
  readonly mostBytes: number;
  /** Whether each possible CPU has a value of its own. */
  readonly isPerCpu: boolean;
  readonly mapExtra: Range;
}

const U32_MAX = 2 ** 32 - 1;
const INT_MAX = 2 ** 31 - 1;
const KMALLOC_MAX_SIZE = 2 ** 22;
/** `sizeof(struct htab_elem)`. */
const HASH_ELEMENT = 48;
/** `sizeof(struct lpm_trie_node)`. */
const LPM_NODE = 24;
/** `PCPU_MIN_UNIT_SIZE`: the most bytes of a per-CPU value. */
export const PERCPU_MOST = 32768;
/** Buckets of 16 bytes are counted in a u32, and are a power of two. */
const MOST_BUCKETS = 2 ** 27;
/** `MAX_BPF_STACK`, on which a program's key lies. */
const MAX_BPF_STACK = 512;
/** `BPF_LOCAL_STORAGE_MAX_VALUE_SIZE`. */
const LOCAL_STORAGE_MOST = 65407;
/** What a value is that holds the fd of a map or of a program. */
const FD: Range = [4, 4];
/** The smallest ring buffer that any page size takes. */
const RING_LEAST = 65536;
const RING_MOST = 2 ** 31;

const ACCESS = BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
const USER_ACCESS = BPF_F_RDONLY | BPF_F_WRONLY;
const HASH_FLAGS = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS;

/**
 * Source: `kernel/bpf` and, for maps of sockets, `net`, Linux 6.18. Types that are not here are diagnosed by trying.
 */
function facts(): Partial<Record<MapTypeName, MapTypeFacts>> {
  const ANY: MapTypeFacts = {
    flags: BPF_F_NUMA_NODE | ACCESS,
    needs: 0,
    keySize: [4, 4],
    valueSize: [1, U32_MAX],
    hasTwoSizes: false,
    maxEntries: [1, U32_MAX],
    mostBytes: U32_MAX,
    isPerCpu: false,
    mapExtra: [0, 0],
  };

  const HASH: MapTypeFacts = {
    ...ANY,
    flags: HASH_FLAGS,
    keySize: [1, U32_MAX],
    maxEntries: [1, MOST_BUCKETS],
    mostBytes: KMALLOC_MAX_SIZE - HASH_ELEMENT - 1,
  };
  const LRU: MapTypeFacts = { ...HASH, flags: (HASH_FLAGS & ~BPF_F_NO_PREALLOC) | BPF_F_NO_COMMON_LRU };
  const ARRAY: MapTypeFacts = {
    ...ANY,
    flags: BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP | ACCESS,
    mostBytes: INT_MAX,
  };
  /** An array of what user space gives as an fd. */
  const FD_ARRAY: MapTypeFacts = { ...ANY, flags: BPF_F_NUMA_NODE | USER_ACCESS, valueSize: FD };
  /** A socket by its fd or with its cookie, a device with its program or without. */
  const SOCKET_OR_DEVICE: MapTypeFacts = { ...FD_ARRAY, valueSize: [4, 8], hasTwoSizes: true };
  const CGROUP_STORAGE: MapTypeFacts = { ...ANY, keySize: [8, 16], maxEntries: [0, 0], mostBytes: LOCAL_STORAGE_MOST };
  const QUEUE: MapTypeFacts = { ...ANY, keySize: [0, 0], mostBytes: KMALLOC_MAX_SIZE };
  const RINGBUF: MapTypeFacts = {
    ...ANY,
    flags: BPF_F_NUMA_NODE,
    keySize: [0, 0],
    valueSize: [0, 0],
    maxEntries: [RING_LEAST, RING_MOST],
  };

  return {
    hash: HASH,
    percpu_hash: { ...HASH, flags: HASH_FLAGS & ~BPF_F_NUMA_NODE, isPerCpu: true },
    lru_hash: LRU,
    lru_percpu_hash: { ...LRU, flags: LRU.flags & ~BPF_F_NUMA_NODE, isPerCpu: true },
    hash_of_maps: { ...HASH, valueSize: FD },
    array: ARRAY,
    percpu_array: { ...ARRAY, flags: ACCESS, isPerCpu: true },
    prog_array: FD_ARRAY,
    cgroup_array: FD_ARRAY,
    array_of_maps: FD_ARRAY,
    perf_event_array: { ...FD_ARRAY, flags: FD_ARRAY.flags | BPF_F_PRESERVE_ELEMS },
    queue: QUEUE,
    stack: QUEUE,
    ringbuf: RINGBUF,
    user_ringbuf: RINGBUF,
    bloom_filter: { ...QUEUE, flags: QUEUE.flags | BPF_F_ZERO_SEED, mapExtra: [0, 15] },
    lpm_trie: {
      ...ANY,
      flags: BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | ACCESS,
      needs: BPF_F_NO_PREALLOC,
      keySize: [5, 260],
      valueSize: [1, KMALLOC_MAX_SIZE - 256 - LPM_NODE],
    },
    devmap: SOCKET_OR_DEVICE,
    devmap_hash: SOCKET_OR_DEVICE,
    cpumap: { ...SOCKET_OR_DEVICE, flags: BPF_F_NUMA_NODE },
    xskmap: FD_ARRAY,
    sockmap: SOCKET_OR_DEVICE,
    sockhash: { ...SOCKET_OR_DEVICE, keySize: [1, MAX_BPF_STACK], maxEntries: [1, MOST_BUCKETS] },
    reuseport_sockarray: { ...SOCKET_OR_DEVICE, flags: BPF_F_NUMA_NODE | ACCESS },
    cgroup_storage: CGROUP_STORAGE,
    percpu_cgroup_storage: { ...CGROUP_STORAGE, mostBytes: PERCPU_MOST, isPerCpu: true },
    arena: {
      ...ANY,
      flags: BPF_F_MMAPABLE | BPF_F_SEGV_ON_FAULT | BPF_F_NO_USER_CONV,
      needs: BPF_F_MMAPABLE,
      keySize: [0, 0],
      valueSize: [0, 0],
      mapExtra: [0, 2 ** 64],
    },
    stack_trace: { ...ANY, flags: BPF_F_NUMA_NODE | BPF_F_STACK_BUILD_ID | USER_ACCESS, valueSize: [8, U32_MAX] },
  };
}

/** The types that keep a value beside each object of some kind. */
export const OBJECT_STORAGES: ReadonlySet<MapTypeName | undefined> = new Set([
  "sk_storage",
  "inode_storage",
  "task_storage",
  "cgrp_storage",
]);

let made: ReturnType<typeof facts> | undefined;

/** What is known of a type by its number or name; `undefined` when that is nothing. */
export function mapTypeFacts(type: MapTypeName | number): MapTypeFacts | undefined {
  const name = typeof type === "number" ? mapTypeName(type) : type;
  made ??= facts();
  return name === undefined ? undefined : made[name];
}

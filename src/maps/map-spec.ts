import { type MapFlagName, mapFlagBits } from "../abi/flag-names.ts";
import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC } from "../abi/flags.ts";
import type { MapTypeName } from "../abi/map-types.ts";
import type { Layout } from "../layout/layout.ts";
import type { MapCreateOptions } from "../sys/sys.ts";
import type { BpfMap } from "./bpf-map.ts";
import type { OpaqueTypeName } from "./opaque-map.ts";

/** What every map is made from. */
export interface MapSpecBase {
  /** Letters, digits, `_` and `.`; what is longer than 15 bytes is cut, as libbpf does. */
  readonly name?: string;
  /** How many entries the map can hold, from 1. */
  readonly maxEntries: number;
  /** Flags by name (`["zero_seed", "no_prealloc"]`), or bits of `BPF_F_…`. */
  readonly flags?: readonly MapFlagName[] | number;
  /** The NUMA node that the map's memory shall lie on; counts only with the flag `"numa_node"`. */
  readonly numaNode?: number;
}

/** A hash map. */
export interface HashSpec<K, V> extends MapSpecBase {
  readonly type: "hash";
  readonly key: Layout<K>;
  readonly value: Layout<V>;
}

/** An array. Its keys are indexes, `u32` unless a layout of four bytes is given, an enum for one. */
export interface ArraySpec<V, K = number> extends MapSpecBase {
  readonly type: "array";
  readonly key?: Layout<K>;
  readonly value: Layout<V>;
}

/** An LPM trie. It has the flag `"no_prealloc"` in any case: Linux makes none without. */
export interface LpmTrieSpec<K, V> extends MapSpecBase {
  readonly type: "lpm_trie";
  /** The length of a prefix in bits, a `u32`, then up to 256 bytes of which so many bits count: `cidr`, `cidr6` or a `struct`. */
  readonly key: Layout<K>;
  readonly value: Layout<V>;
}

/** A hash map with a value for each possible CPU. `value` is one CPU's. */
export interface PercpuHashSpec<K, V> extends MapSpecBase {
  readonly type: "percpu_hash";
  readonly key: Layout<K>;
  readonly value: Layout<V>;
}

/** An array with a value for each possible CPU. `value` is one CPU's; its keys are indexes, as an array's. */
export interface PercpuArraySpec<V, K = number> extends MapSpecBase {
  readonly type: "percpu_array";
  readonly key?: Layout<K>;
  readonly value: Layout<V>;
}

/** A hash map that forgets what was not used for long instead of being full. */
export interface LruHashSpec<K, V> extends MapSpecBase {
  readonly type: "lru_hash";
  readonly key: Layout<K>;
  readonly value: Layout<V>;
}

/** An LRU hash map with a value for each possible CPU. `value` is one CPU's. */
export interface LruPercpuHashSpec<K, V> extends MapSpecBase {
  readonly type: "lru_percpu_hash";
  readonly key: Layout<K>;
  readonly value: Layout<V>;
}

/** A queue. It has no keys. */
export interface QueueSpec<V> extends MapSpecBase {
  readonly type: "queue";
  readonly key?: never;
  readonly value: Layout<V>;
}

/** A stack. It has no keys. */
export interface StackSpec<V> extends MapSpecBase {
  readonly type: "stack";
  readonly key?: never;
  readonly value: Layout<V>;
}

/** A bloom filter. It has no keys; `maxEntries` is how many values it is made for, and more can be added. */
export interface BloomFilterSpec<V> extends MapSpecBase {
  readonly type: "bloom_filter";
  readonly key?: never;
  readonly value: Layout<V>;
  /** The number of hash functions, from 1 to 15; 5 when it is 0 or not given. `map_extra` in Linux. */
  readonly hashes?: number;
}

/** A ring buffer, which programs write and user space reads. It has no keys. */
export interface RingBufSpec<V> extends MapSpecBase {
  readonly type: "ringbuf";
  readonly key?: never;
  /** A record; records are bytes of any length when it is not given. */
  readonly value?: Layout<V>;
  /** Its size in bytes: a power of two, and whole pages. */
  readonly maxEntries: number;
}

/** Records that programs give through a ring of each CPU. Its keys are CPUs, and are not given. */
export interface PerfEventArraySpec<V> extends Omit<MapSpecBase, "maxEntries"> {
  readonly type: "perf_event_array";
  readonly key?: never;
  /** A record; records are bytes of any length when it is not given. */
  readonly value?: Layout<V>;
  /** The number of possible CPUs when it is not given. */
  readonly maxEntries?: number;
}

/** A ring buffer, which user space writes and programs read. It has no keys. */
export interface UserRingBufSpec<V> extends MapSpecBase {
  readonly type: "user_ringbuf";
  readonly key?: never;
  /** A record; records are bytes of any length when it is not given. */
  readonly value?: Layout<V>;
  /** Its size in bytes: a power of two, and whole pages. */
  readonly maxEntries: number;
}

/**
 * What the maps in a map of maps are: a spec, or a map that they are made like. A map of a spec is made for the kernel to
 * see, and closed at once.
 */
export type Inner = InnerSpec<unknown, unknown> | OpaqueSpec | BpfMap;

/** Maps by index. Its keys are as an array's. */
export interface ArrayOfMapsSpec<I extends Inner = Inner, K = number> extends MapSpecBase {
  readonly type: "array_of_maps";
  readonly key?: Layout<K>;
  /** A value is a map, given by `inner`. */
  readonly value?: never;
  readonly inner: I;
}

/** Maps by any key. */
export interface HashOfMapsSpec<K, I extends Inner = Inner> extends MapSpecBase {
  readonly type: "hash_of_maps";
  readonly key: Layout<K>;
  /** A value is a map, given by `inner`. */
  readonly value?: never;
  readonly inner: I;
}

/**
 * A map whose elements are no data of user space. Sizes that are not given are the type's usual ones; what a type needs
 * besides is given here too: a ring buffer's `maxEntries` is its bytes and an arena's its pages; the storage of cgroups has
 * a `valueSize`, and that of sockets, inodes and tasks BTF as well. The flag that every map of a type has need not be given.
 */
export interface OpaqueSpec extends Omit<MapSpecBase, "maxEntries">, OpaqueAttributes {
  readonly type: OpaqueTypeName;
  readonly key?: never;
  readonly value?: never;
  /** 0 when it is not given, as some types want it. */
  readonly maxEntries?: number;
}

/** What only the types without data of user space are given: fields of `union bpf_attr`. */
type OpaqueAttributes = Pick<
  MapCreateOptions,
  | "keySize"
  | "valueSize"
  | "mapExtra"
  | "btfFd"
  | "btfKeyTypeId"
  | "btfValueTypeId"
  | "btfVmlinuxValueTypeId"
  | "valueTypeBtfObjFd"
>;

/** A map of any type that mapiary has. */
export type MapSpec<K, V> = InnerSpec<K, V> | ArrayOfMapsSpec<Inner, K> | HashOfMapsSpec<K> | OpaqueSpec;

/** A map of keys or values that are data. */
export type InnerSpec<K, V> =
  | HashSpec<K, V>
  | ArraySpec<V, K>
  | LpmTrieSpec<K, V>
  | PercpuHashSpec<K, V>
  | PercpuArraySpec<V, K>
  | LruHashSpec<K, V>
  | LruPercpuHashSpec<K, V>
  | QueueSpec<V>
  | StackSpec<V>
  | BloomFilterSpec<V>
  | RingBufSpec<V>
  | UserRingBufSpec<V>
  | PerfEventArraySpec<V>;

/** How the keys and values of a map that exists already are to be read. */
export interface OpenOptions<K, V> {
  /** What the map must be. */
  readonly type?: MapTypeName | undefined;
  readonly key?: Layout<K> | undefined;
  readonly value?: Layout<V> | undefined;
  /** What this program may do with the map: both, unless it says less. */
  readonly access?: "read" | "write" | "readwrite";
}

/** How the maps in a map of maps are to be read; their keys or values are bytes where no layout is given. */
export interface InnerOptions {
  readonly type: MapTypeName;
  readonly key?: Layout<unknown> | undefined;
  readonly value?: Layout<unknown> | undefined;
}

/** How the maps in a map of maps are to be read: by their type and layouts, or as a map that they are like. */
export type InnerLayouts = InnerOptions | BpfMap;

/** How the keys and maps of a map of maps that exists already are to be read. */
export interface OpenMapOfMapsOptions<K, I extends InnerLayouts = InnerLayouts>
  extends Pick<OpenOptions<K, never>, "key" | "access"> {
  readonly type?: "array_of_maps" | "hash_of_maps" | undefined;
  readonly inner: I;
}

/** The flag without which Linux makes no map of a type. */
const NEEDED_FLAGS: Readonly<Partial<Record<MapTypeName, number>>> = {
  lpm_trie: BPF_F_NO_PREALLOC,
  sk_storage: BPF_F_NO_PREALLOC,
  inode_storage: BPF_F_NO_PREALLOC,
  task_storage: BPF_F_NO_PREALLOC,
  cgrp_storage: BPF_F_NO_PREALLOC,
  arena: BPF_F_MMAPABLE,
};

/** The bits of the flags of a spec, and of those without which there is no map of its type. */
export function flagBits(flags: MapSpecBase["flags"], type?: MapTypeName): number {
  const bits = typeof flags === "object" ? mapFlagBits(flags) : (flags ?? 0);
  const needed = (type && NEEDED_FLAGS[type]) ?? 0;
  return bits + (needed & ~bits);
}

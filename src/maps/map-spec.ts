import { type MapFlagName, mapFlagBits } from "../abi/flag-names.ts";
import { BPF_F_NO_PREALLOC } from "../abi/flags.ts";
import type { MapTypeName } from "../abi/map-types.ts";
import type { Layout } from "../layout/layout.ts";

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

/** A map of any type that mapiary has. */
export type MapSpec<K, V> =
  | HashSpec<K, V>
  | ArraySpec<V, K>
  | LpmTrieSpec<K, V>
  | PercpuHashSpec<K, V>
  | PercpuArraySpec<V, K>
  | LruHashSpec<K, V>
  | LruPercpuHashSpec<K, V>
  | QueueSpec<V>
  | StackSpec<V>
  | BloomFilterSpec<V>;

/** How the keys and values of a map that exists already are to be read. */
export interface OpenOptions<K, V> {
  /** What the map must be. */
  readonly type?: MapTypeName | undefined;
  readonly key?: Layout<K> | undefined;
  readonly value?: Layout<V> | undefined;
  /** What this program may do with the map: both, unless it says less. */
  readonly access?: "read" | "write" | "readwrite";
}

/** The bits of the flags of a spec, and of those without which there is no map of its type. */
export function flagBits(flags: MapSpecBase["flags"], type?: MapTypeName): number {
  const bits = typeof flags === "object" ? mapFlagBits(flags) : (flags ?? 0);
  const isMissing = type === "lpm_trie" && (bits & BPF_F_NO_PREALLOC) === 0;
  return isMissing ? bits + BPF_F_NO_PREALLOC : bits;
}

import type { MapTypeName } from "../abi/map-types.ts";
import type { Layout } from "../layout/layout.ts";
import { ArrayMap } from "./array-map.ts";
import { ArrayOfMaps } from "./array-of-maps.ts";
import { BloomFilter } from "./bloom-filter.ts";
import type { BpfMap, MapParts } from "./bpf-map.ts";
import { HashMap } from "./hash-map.ts";
import { HashOfMaps } from "./hash-of-maps.ts";
import type { KeyedMapParts } from "./keyed-map.ts";
import { LpmTrie } from "./lpm-trie.ts";
import { LruHashMap } from "./lru-hash-map.ts";
import { LruPercpuHashMap } from "./lru-percpu-hash-map.ts";
import type { MapOfMapsParts } from "./map-of-maps.ts";
import type { OpaqueMap, OpaqueTypeName } from "./opaque-map.ts";
import { PercpuArrayMap } from "./percpu-array-map.ts";
import { PercpuHashMap } from "./percpu-hash-map.ts";
import { PerfEventArray } from "./perf-event-array.ts";
import { Queue } from "./queue.ts";
import type { RecordMapParts } from "./record-map.ts";
import { RingBuf } from "./ring-buf.ts";
import { Stack } from "./stack.ts";
import { UserRingBuf } from "./user-ring-buf.ts";

/** The class of each map type that mapiary has, for the compiler. A new type is a line here and one in `CLASSES`. */
export interface TypedMaps<K, V> extends Record<OpaqueTypeName, OpaqueMap> {
  hash: HashMap<K, V>;
  array: ArrayMap<K, V>;
  lpm_trie: LpmTrie<K, V>;
  percpu_hash: PercpuHashMap<K, V>;
  percpu_array: PercpuArrayMap<K, V>;
  lru_hash: LruHashMap<K, V>;
  lru_percpu_hash: LruPercpuHashMap<K, V>;
  queue: Queue<V>;
  stack: Stack<V>;
  bloom_filter: BloomFilter<V>;
  ringbuf: RingBuf<V>;
  user_ringbuf: UserRingBuf<V>;
  perf_event_array: PerfEventArray<V>;
  array_of_maps: ArrayOfMaps<K, Extract<V, BpfMap>>;
  hash_of_maps: HashOfMaps<K, Extract<V, BpfMap>>;
}

/** The types whose values are maps. */
export type MapOfMapsType = "array_of_maps" | "hash_of_maps";

/** The typed map that an `inner` describes: its own type if it is a map, else the class of its type over its layouts. */
export type InnerMapOf<I> = I extends BpfMap
  ? I
  : I extends { readonly type: infer T extends Exclude<keyof TypedMaps<unknown, unknown>, MapOfMapsType> }
    ? TypedMaps<KeyOf<I>, ValueOf<I>>[T]
    : never;

type KeyOf<I> = I extends { readonly key: Layout<infer K> }
  ? K
  : I extends { readonly type: "array" | "percpu_array" }
    ? number
    : Uint8Array;

type ValueOf<I> = I extends { readonly value: Layout<infer V> } ? V : Uint8Array;

/** How a typed map of some type is made. */
export type MapClass =
  | {
      /** What its keys are when no layout is given: only the caller knows, or `u32` indexes. */
      readonly keys: "given" | "index";
      /** Then `value` is an `InnerMapLayout`. */
      readonly holdsMaps?: true;
      readonly make: <K, V>(parts: KeyedMapParts<K, V>, fd: number) => BpfMap;
    }
  | { readonly keys: "none"; readonly holdsMaps?: never; readonly make: <V>(parts: MapParts<V>, fd: number) => BpfMap }
  | {
      /** A layout of its values is one of its records: the kernel has other sizes, or none. */
      readonly keys: "records";
      readonly sizes: readonly [keySize: number, valueSize: number];
      readonly holdsMaps?: never;
      readonly make: <V>(parts: RecordMapParts<V>, fd: number) => BpfMap;
    };

const CLASSES: Readonly<Record<Exclude<keyof TypedMaps<unknown, unknown>, OpaqueTypeName>, MapClass>> = {
  hash: { keys: "given", make: (parts, fd) => new HashMap(parts, fd) },
  array: { keys: "index", make: (parts, fd) => new ArrayMap(parts, fd) },
  lpm_trie: { keys: "given", make: (parts, fd) => new LpmTrie(parts, fd) },
  percpu_hash: { keys: "given", make: (parts, fd) => new PercpuHashMap(parts, fd) },
  percpu_array: { keys: "index", make: (parts, fd) => new PercpuArrayMap(parts, fd) },
  lru_hash: { keys: "given", make: (parts, fd) => new LruHashMap(parts, fd) },
  lru_percpu_hash: { keys: "given", make: (parts, fd) => new LruPercpuHashMap(parts, fd) },
  queue: { keys: "none", make: (parts, fd) => new Queue(parts, fd) },
  stack: { keys: "none", make: (parts, fd) => new Stack(parts, fd) },
  bloom_filter: { keys: "none", make: (parts, fd) => new BloomFilter(parts, fd) },
  ringbuf: { keys: "records", sizes: [0, 0], make: (parts, fd) => new RingBuf(parts, fd) },
  user_ringbuf: { keys: "records", sizes: [0, 0], make: (parts, fd) => new UserRingBuf(parts, fd) },
  perf_event_array: { keys: "records", sizes: [4, 4], make: (parts, fd) => new PerfEventArray(parts, fd) },
  array_of_maps: { keys: "index", holdsMaps: true, make: (parts, fd) => new ArrayOfMaps(ofMaps(parts), fd) },
  hash_of_maps: { keys: "given", holdsMaps: true, make: (parts, fd) => new HashOfMaps(ofMaps(parts), fd) },
};

/** How a typed map of this type is made; `undefined` when mapiary has no class for it. */
export function mapClass(type: MapTypeName | number): MapClass | undefined {
  return (CLASSES as Partial<Record<MapTypeName | number, MapClass>>)[type];
}

function ofMaps<K, V>(parts: KeyedMapParts<K, V>): MapOfMapsParts<K, BpfMap> {
  return parts as unknown as MapOfMapsParts<K, BpfMap>;
}

import { type Bpf, bytes, cidr, type Layout, struct, u32, u32be, u64 } from "mapiary";
import { shuffledKeys, valueOfKey } from "../key-sequence.ts";
import { evicting } from "./evicting.ts";
import { filter } from "./filter.ts";
import { type KeyedContents, keyed } from "./keyed.ts";
import { mapOfMaps } from "./map-of-maps.ts";
import type { MeasuredMap } from "./measured-map.ts";
import { type Prefix, prefixBytes, prefixText, randomPrefixes } from "./prefixes.ts";
import { ring } from "./ring.ts";

/** A map type as it is measured. */
export interface MeasuredType {
  readonly title: string;
  /** What stands for a lookup and for an update; absent when there is none. */
  readonly lookup?: string;
  readonly update: string;
  /** Makes a map with so many entries of 4-byte keys (8 for prefixes) and 8-byte values, and fills it. */
  make(bpf: Bpf, entries: number, seed: number): MeasuredMap;
}

const GET = "`get` of a key that is there";
const SET = "`set` of a key that is there";
const GET_PREFIX = "`get` of an address in a random prefix";

const INNER_MAPS = 8;
const value = u64.number;
const key = u32;

/** The map types, by the names that their peers have. */
export const MEASURED_TYPES: Readonly<Record<string, MeasuredType>> = {
  hash: withKeys("hash", (bpf, entries, seed) =>
    keyed(bpf.createMap({ type: "hash", key, value, maxEntries: entries }), numbers(entries, seed), seed),
  ),
  array: withKeys("array", (bpf, entries, seed) =>
    keyed(bpf.createMap({ type: "array", value, maxEntries: entries }), numbers(entries, seed), seed),
  ),
  percpu_hash: withKeys("percpu_hash", (bpf, entries, seed) =>
    keyed(bpf.createMap({ type: "percpu_hash", key, value, maxEntries: entries }), ofAllCpus(bpf, entries, seed), seed),
  ),
  percpu_array: withKeys("percpu_array", (bpf, entries, seed) =>
    keyed(bpf.createMap({ type: "percpu_array", value, maxEntries: entries }), ofAllCpus(bpf, entries, seed), seed),
  ),
  // Linux evicts from an LRU map before it is full, so half of the keys are there.
  lru_hash: withKeys("lru_hash, half full", (bpf, entries, seed) =>
    keyed(bpf.createMap({ type: "lru_hash", key, value, maxEntries: entries }), numbers(half(entries), seed), seed),
  ),
  lru_percpu_hash: withKeys("lru_percpu_hash, half full", (bpf, entries, seed) =>
    keyed(
      bpf.createMap({ type: "lru_percpu_hash", key, value, maxEntries: entries }),
      ofAllCpus(bpf, half(entries), seed),
      seed,
    ),
  ),
  lru_hash_evicting: {
    title: "lru_hash, evicting",
    update: "`set` of a key that is new to a full map",
    make: (bpf, entries, seed) => evicting(bpf.createMap({ type: "lru_hash", key, value, maxEntries: entries }), seed),
  },
  lpm_trie_bytes: trie("lpm_trie, bytes(8)", bytes(8), prefixBytes),
  lpm_trie_struct: trie("lpm_trie, struct", struct({ length: u32, address: u32be }), (prefix) => prefix),
  lpm_trie_cidr: trie("lpm_trie, cidr", cidr, prefixText),
  queue: {
    title: "queue",
    lookup: "`pop`",
    update: "`push`",
    make: (bpf, entries) => ring(bpf.createMap({ type: "queue", value, maxEntries: entries })),
  },
  stack: {
    title: "stack",
    lookup: "`pop`",
    update: "`push`",
    make: (bpf, entries) => ring(bpf.createMap({ type: "stack", value, maxEntries: entries })),
  },
  bloom_filter: {
    title: "bloom_filter",
    lookup: "`has` of a value that was added",
    update: "`add` of one",
    make: (bpf, entries, seed) => filter(bpf.createMap({ type: "bloom_filter", value, maxEntries: entries }), seed),
  },
  array_of_maps: ofMaps("array_of_maps", (bpf, entries, seed) => {
    const { inner, like } = innerMaps(bpf);
    return mapOfMaps(bpf.createMap({ type: "array_of_maps", inner: like, maxEntries: entries }), inner, seed);
  }),
  hash_of_maps: ofMaps("hash_of_maps", (bpf, entries, seed) => {
    const { inner, like } = innerMaps(bpf);
    return mapOfMaps(bpf.createMap({ type: "hash_of_maps", key, inner: like, maxEntries: entries }), inner, seed);
  }),
};

function withKeys(title: string, make: MeasuredType["make"]): MeasuredType {
  return { title, lookup: GET, update: SET, make };
}

function ofMaps(title: string, make: MeasuredType["make"]): MeasuredType {
  return { title, lookup: "`idOf` of a key that is there", update: "`set` of one to another map", make };
}

function trie<K>(title: string, layout: Layout<K>, keyOf: (prefix: Prefix) => K): MeasuredType {
  return {
    title,
    lookup: GET_PREFIX,
    update: "`set` of a prefix that is there",
    make(bpf, entries, seed) {
      const { prefixes, addresses } = randomPrefixes(entries, seed);
      const contents = {
        keys: prefixes.map(keyOf),
        values: prefixes.map((_, index) => valueOfKey(index)),
        lookups: addresses.map(keyOf),
      };
      return keyed(bpf.createMap({ type: "lpm_trie", key: layout, value, maxEntries: entries }), contents, seed);
    },
  };
}

function numbers(entries: number, seed: number): KeyedContents<number, number> {
  const keys = [...shuffledKeys(0, entries, seed)];
  return { keys, values: keys.map(valueOfKey) };
}

function ofAllCpus(bpf: Bpf, entries: number, seed: number): KeyedContents<number, number[]> {
  const { keys, values } = numbers(entries, seed);
  return { keys, values: values.map((one) => Array.from({ length: bpf.possibleCpus }, (_, cpu) => one + cpu)) };
}

function innerMaps(bpf: Bpf) {
  const make = () => bpf.createMap({ type: "array", value, maxEntries: 1 });
  const like = make();
  return { inner: [like, ...Array.from({ length: INNER_MAPS - 1 }, make)], like };
}

function half(entries: number): number {
  return Math.ceil(entries / 2);
}

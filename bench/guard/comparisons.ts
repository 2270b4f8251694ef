import { cidr, embedded, struct, u32, u64 } from "mapiary";
import { shuffledKeys } from "../key-sequence.ts";
import { useOtherLayouts } from "../peers/other-layouts.ts";

/** An operation of the embedded kernel on all entries, and what `Map` does in its place. */
interface Comparison {
  readonly name: string;
  readonly own: () => void;
  readonly map: () => void;
}

const ENTRIES = 4096;

/** Results go here, where the engine cannot prove that nobody reads them. */
const sink: unknown[] = new Array(4).fill(0);

/** Every way in and out of a map that is called often. Other maps were used before, as in a program that has several. */
export function comparisons(): Comparison[] {
  const bpf = embedded({ possibleCpus: 2 });
  useOtherLayouts(bpf);
  const keys = shuffledKeys(0, ENTRIES, 7);
  const entries = Array.from(keys, (key): [number, number] => [key, key * 3]);
  const map = new Map(entries);
  const hash = bpf.createMap({ type: "hash", key: u32, value: u64.number, maxEntries: ENTRIES });
  const wide = bpf.createMap({ type: "hash", key: u32, value: struct({ hits: u64, seen: u32 }), maxEntries: ENTRIES });
  const array = bpf.createMap({ type: "array", value: u64.number, maxEntries: ENTRIES });
  const lru = bpf.createMap({ type: "lru_hash", key: u32, value: u64.number, maxEntries: ENTRIES * 2 });
  const trie = bpf.createMap({ type: "lpm_trie", key: cidr, value: u32, maxEntries: ENTRIES });
  const queue = bpf.createMap({ type: "queue", value: u32, maxEntries: ENTRIES });
  const networks = Array.from(keys, (key) => `10.${key >> 8}.${key & 255}.0/24`);
  for (const one of [hash, array, lru]) one.setMany(entries);
  wide.setMany(entries.map(([key, value]) => [key, { hits: BigInt(value), seen: key }]));
  trie.setMany(networks.map((network, index) => [network, index]));

  const get = eachKey(keys, (key) => {
    sink[key & 3] = map.get(key);
  });
  const set = eachKey(keys, (key) => {
    map.set(key, key * 3);
  });
  const insert = (): void => {
    for (const key of keys) map.delete(key);
    for (const [key, value] of entries) map.set(key, value);
  };
  return [
    { name: "hash get", own: eachKey(keys, (key) => (sink[key & 3] = hash.get(key))), map: get },
    { name: "hash get, missing", own: eachKey(keys, (key) => (sink[key & 3] = hash.get(key + ENTRIES))), map: get },
    { name: "hash get, struct", own: eachKey(keys, (key) => (sink[key & 3] = wide.get(key))), map: get },
    { name: "hash set", own: eachKey(keys, (key) => hash.set(key, key * 3)), map: set },
    {
      name: "hash delete and insert",
      own: () => {
        for (const key of keys) hash.delete(key);
        for (const [key, value] of entries) hash.set(key, value);
      },
      map: insert,
    },
    {
      name: "hash iteration",
      own: () => {
        for (const [key, value] of hash) sink[key & 3] = value;
      },
      map: () => {
        for (const [key, value] of map) sink[key & 3] = value;
      },
    },
    { name: "hash setMany", own: () => hash.setMany(entries), map: set },
    { name: "array get", own: eachKey(keys, (key) => (sink[key & 3] = array.get(key))), map: get },
    { name: "lru_hash set", own: eachKey(keys, (key) => lru.set(key, key)), map: set },
    {
      name: "lpm_trie get",
      own: eachKey(keys, (key) => (sink[key & 3] = trie.get(networks[key] as string))),
      map: get,
    },
    {
      name: "queue push and pop",
      own: () => {
        for (const key of keys) queue.push(key);
        for (let left = ENTRIES; left > 0; left--) sink[0] = queue.pop();
      },
      map: insert,
    },
  ];
}

/** A loop of its own for each operation: one that served several would make the engine give up on all of them. */
function eachKey(keys: Uint32Array, step: (key: number) => unknown): () => void {
  const make = new Function("keys", "step", "return () => { for (let i = 0; i < keys.length; i++) step(keys[i]); };");
  return make(keys, step) as () => void;
}

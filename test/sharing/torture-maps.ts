import { type Bpf, bytes, cidr, u32 } from "mapiary";

/** The keys of the hash that everybody writes; behind them lie those of the slots. */
export const KEYS = 1000;
export const SHARED_KEYS = 40;
export const OWN_KEYS = 16;
export const SLOTS = 8;
export const HASH_ENTRIES = SHARED_KEYS + SLOTS * OWN_KEYS;
const VALUE_BYTES = 40;

/** What a slot notes of each of its keys, as u32: offsets in bytes. */
export const LOG = { INTENDED: 0, WRITTEN: 4, DELETING: 8, SLOWEST: 12, FAILED: 16, ROUNDS: 16, BYTES: 20 } as const;

const value = bytes(VALUE_BYTES);
const PIN = "/sys/fs/bpf/";

/** The maps that are hammered, pinned. */
export function makeMaps(bpf: Bpf): void {
  bpf.createMap({ type: "hash", name: "hash", key: u32, value, maxEntries: HASH_ENTRIES }).pin(`${PIN}hash`);
  bpf.createMap({ type: "array", name: "array", value, maxEntries: SLOTS * OWN_KEYS }).pin(`${PIN}array`);
  bpf.createMap({ type: "lru_hash", name: "lru", key: u32, value, maxEntries: 50 }).pin(`${PIN}lru`);
  bpf.createMap({ type: "lpm_trie", name: "trie", key: cidr, value, maxEntries: 60 }).pin(`${PIN}trie`);
  bpf.createMap({ type: "queue", name: "queue", value, maxEntries: 5 }).pin(`${PIN}queue`);
}

export function openMaps(bpf: Bpf) {
  return {
    hash: bpf.openMap(`${PIN}hash`, { type: "hash", key: u32, value }),
    array: bpf.openMap(`${PIN}array`, { type: "array", key: u32, value }),
    lru: bpf.openMap(`${PIN}lru`, { type: "lru_hash", key: u32, value }),
    trie: bpf.openMap(`${PIN}trie`, { type: "lpm_trie", key: cidr, value }),
    queue: bpf.openMap(`${PIN}queue`, { type: "queue", value }),
  };
}

/** A value that shows when it is not whole: the key, a number, and bytes that follow from both. */
export function bytesOf(key: number, number: number): Uint8Array {
  const result = new Uint8Array(VALUE_BYTES);
  const view = new DataView(result.buffer);
  view.setUint32(0, key, true);
  view.setUint32(4, number, true);
  for (let at = 8; at < VALUE_BYTES; at += 4) view.setUint32(at, Math.imul(number ^ at, 2654435761) >>> 0, true);
  return result;
}

import { type Bpf, bytes, cidr, u32 } from "mapiary";
import { VALUE_BYTES as LOCKED_BYTES } from "./locked-values.ts";
import { LockedMap, makeLockedMap } from "./torture-locked.ts";
import {
  bytesOf,
  lockedOf,
  numberIn,
  numberInLocked,
  numberInSmall,
  SMALL_BYTES,
  smallOf,
  VALUE_BYTES,
} from "./torture-values.ts";

/** Who hammers has a slot, and some keys of its own in several maps. Behind the keys that all share lie those of the slots. */
export const SLOTS = 12;
export const OWN_KEYS = 8;
export const SHARED_KEYS = 40;
/** How many of them are in the maps of small values: few, so that many meet at each. */
export const SHARED_SMALL = 8;
const FIRST_OWN = 1000;
/** The index behind those of the slots, in an array of small values or of those with locks. */
export const FIRST_SHARED_WORD = SLOTS * OWN_KEYS;
export const HASH_ENTRIES = SHARED_KEYS + SLOTS * OWN_KEYS;
export const SMALL_ENTRIES = SHARED_SMALL + SLOTS * OWN_KEYS;
export const TRIE_ENTRIES = 21 + SLOTS * OWN_KEYS;
export const LRU_ENTRIES = 50;

const value = bytes(VALUE_BYTES);
const smallValue = bytes(SMALL_BYTES);
const PIN = "/sys/fs/bpf/";

export const MAP_NAMES = [
  "hash",
  "small",
  "array",
  "words",
  "locked",
  "staged",
  "lru",
  "trie",
  "queue",
  "stack",
] as const;
export type TortureMaps = ReturnType<typeof openMaps>;

/** The maps that are hammered, pinned. */
export function makeMaps(bpf: Bpf): void {
  const [key, ring] = [u32, { value, maxEntries: 5 }];
  const small = { key, value: smallValue, maxEntries: SMALL_ENTRIES };
  for (const map of [
    bpf.createMap({ type: "hash", name: "hash", key, value, maxEntries: HASH_ENTRIES }),
    bpf.createMap({ type: "hash", name: "small", ...small }),
    bpf.createMap({ type: "array", name: "array", value, maxEntries: SLOTS * OWN_KEYS }),
    bpf.createMap({ type: "array", name: "words", ...small }),
    bpf.createMap({ type: "lru_hash", name: "lru", key, value, maxEntries: LRU_ENTRIES }),
    bpf.createMap({ type: "lpm_trie", name: "trie", key: cidr, value, maxEntries: TRIE_ENTRIES }),
    bpf.createMap({ type: "queue", name: "queue", ...ring }),
    bpf.createMap({ type: "stack", name: "stack", ...ring }),
  ])
    map.pin(PIN + map.name);
  makeLockedMap(bpf, "locked", "hash", SMALL_ENTRIES);
  makeLockedMap(bpf, "staged", "array", SMALL_ENTRIES);
}

export function openMaps(bpf: Bpf) {
  return {
    hash: bpf.openMap(`${PIN}hash`, { type: "hash", key: u32, value }),
    small: bpf.openMap(`${PIN}small`, { type: "hash", key: u32, value: smallValue }),
    array: bpf.openMap(`${PIN}array`, { type: "array", key: u32, value }),
    words: bpf.openMap(`${PIN}words`, { type: "array", key: u32, value: smallValue }),
    locked: new LockedMap(bpf, "locked"),
    staged: new LockedMap(bpf, "staged"),
    lru: bpf.openMap(`${PIN}lru`, { type: "lru_hash", key: u32, value }),
    trie: bpf.openMap(`${PIN}trie`, { type: "lpm_trie", key: cidr, value }),
    queue: bpf.openMap(`${PIN}queue`, { type: "queue", value }),
    stack: bpf.openMap(`${PIN}stack`, { type: "stack", value }),
  };
}

/** The kinds of keys that a slot has of its own, see `OwnEntries`. */
export const OWN_KINDS = ["hash", "array", "trie", "small", "words", "locked", "staged"] as const;
export type OwnKind = (typeof OWN_KINDS)[number];

/** The entries of a slot that nobody else writes: what is there of them is known. */
export class OwnEntries {
  readonly #maps: TortureMaps;
  readonly #slot: number;

  constructor(maps: TortureMaps, slot: number) {
    this.#maps = maps;
    this.#slot = slot;
  }

  /** Writes a number into an entry, 0 to take it away. */
  write(kind: OwnKind, own: number, number: number): void {
    const { hash, small, array, words, locked, staged, trie } = this.#maps;
    const key = this.#keyOf(own);
    switch (kind) {
      case "hash":
        if (number === 0) hash.delete(key);
        else hash.set(key, bytesOf(key, number));
        return;
      case "small":
        if (number === 0) small.delete(key);
        else small.set(key, smallOf(key, number));
        return;
      case "array":
        array.set(key - FIRST_OWN, number === 0 ? new Uint8Array(VALUE_BYTES) : bytesOf(key, number));
        return;
      case "words":
        words.set(key - FIRST_OWN, number === 0 ? new Uint8Array(SMALL_BYTES) : smallOf(key, number));
        return;
      case "locked":
        if (number === 0) locked.delete(key);
        else locked.expect(locked.set(key, lockedOf(key, number)));
        return;
      case "staged":
        staged.expect(staged.set(key - FIRST_OWN, number === 0 ? new Uint8Array(LOCKED_BYTES) : lockedOf(key, number)));
        return;
      case "trie": {
        const network = this.#networkOf(own);
        if (number === 0) trie.delete(network);
        else trie.set(network, bytesOf(key, number));
      }
    }
  }

  /** The number in an entry, 0 when it is not there. Throws an `Error` when the value is not one that was written. */
  read(kind: OwnKind, own: number): number {
    const key = this.#keyOf(own);
    const found = this.#valueOf(kind, own, key);
    const isArray = kind === "array" || kind === "words" || kind === "staged";
    if (found === undefined || (isArray && found.every((byte) => byte === 0))) return 0;
    if (kind === "locked" || kind === "staged") return numberInLocked(found, key, kind);
    return kind === "small" || kind === "words" ? numberInSmall(found, key, kind) : numberIn(found, key, kind);
  }

  #valueOf(kind: OwnKind, own: number, key: number): Uint8Array | undefined {
    if (kind === "hash" || kind === "small" || kind === "locked") return this.#maps[kind].get(key);
    if (kind === "array" || kind === "words" || kind === "staged") return this.#maps[kind].get(key - FIRST_OWN);
    // A lookup finds a shorter prefix when its own is not there: in the networks of the slots there is none.
    return this.#maps.trie.get(this.#networkOf(own));
  }

  #keyOf(own: number): number {
    return FIRST_OWN + this.#slot * OWN_KEYS + own;
  }

  #networkOf(own: number): string {
    return `192.168.${this.#slot}.${own * 16}/28`;
  }
}

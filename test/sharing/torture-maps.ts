import { type Bpf, bytes, cidr, u32 } from "mapiary";

/** Who hammers has a slot, and some keys of its own in several maps. Behind the keys that all share lie those of the slots. */
export const SLOTS = 12;
export const OWN_KEYS = 8;
export const SHARED_KEYS = 40;
const FIRST_OWN = 1000;
export const HASH_ENTRIES = SHARED_KEYS + SLOTS * OWN_KEYS;
export const TRIE_ENTRIES = 21 + SLOTS * OWN_KEYS;
export const LRU_ENTRIES = 50;
const VALUE_BYTES = 40;

const value = bytes(VALUE_BYTES);
const PIN = "/sys/fs/bpf/";

export type TortureMaps = ReturnType<typeof openMaps>;

/** The maps that are hammered, pinned. */
export function makeMaps(bpf: Bpf): void {
  bpf.createMap({ type: "hash", name: "hash", key: u32, value, maxEntries: HASH_ENTRIES }).pin(`${PIN}hash`);
  bpf.createMap({ type: "array", name: "array", value, maxEntries: SLOTS * OWN_KEYS }).pin(`${PIN}array`);
  bpf.createMap({ type: "lru_hash", name: "lru", key: u32, value, maxEntries: LRU_ENTRIES }).pin(`${PIN}lru`);
  bpf.createMap({ type: "lpm_trie", name: "trie", key: cidr, value, maxEntries: TRIE_ENTRIES }).pin(`${PIN}trie`);
  bpf.createMap({ type: "queue", name: "queue", value, maxEntries: 5 }).pin(`${PIN}queue`);
  bpf.createMap({ type: "stack", name: "stack", value, maxEntries: 5 }).pin(`${PIN}stack`);
}

export function openMaps(bpf: Bpf) {
  return {
    hash: bpf.openMap(`${PIN}hash`, { type: "hash", key: u32, value }),
    array: bpf.openMap(`${PIN}array`, { type: "array", key: u32, value }),
    lru: bpf.openMap(`${PIN}lru`, { type: "lru_hash", key: u32, value }),
    trie: bpf.openMap(`${PIN}trie`, { type: "lpm_trie", key: cidr, value }),
    queue: bpf.openMap(`${PIN}queue`, { type: "queue", value }),
    stack: bpf.openMap(`${PIN}stack`, { type: "stack", value }),
  };
}

/** The kinds of keys that a slot has of its own, see `OwnEntries`. */
const OWN_KINDS = ["hash", "array", "trie"] as const;
export type OwnKind = (typeof OWN_KINDS)[number];
export { OWN_KINDS };

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
    const key = this.#keyOf(own);
    const network = this.#networkOf(own);
    switch (kind) {
      case "hash":
        if (number === 0) this.#maps.hash.delete(key);
        else this.#maps.hash.set(key, bytesOf(key, number));
        return;
      case "array":
        this.#maps.array.set(key - FIRST_OWN, number === 0 ? new Uint8Array(VALUE_BYTES) : bytesOf(key, number));
        return;
      case "trie":
        if (number === 0) this.#maps.trie.delete(network);
        else this.#maps.trie.set(network, bytesOf(key, number));
    }
  }

  /** The number in an entry, 0 when it is not there. Throws an `Error` when the value is not one that was written. */
  read(kind: OwnKind, own: number): number {
    const key = this.#keyOf(own);
    const found = this.#valueOf(kind, own, key);
    if (found === undefined || (kind === "array" && found.every((byte) => byte === 0))) return 0;
    if (keyIn(found) !== key || !isWhole(found)) throw new Error(`${kind} ${key} holds ${found}`);
    return numberIn(found);
  }

  #valueOf(kind: OwnKind, own: number, key: number): Uint8Array | undefined {
    if (kind === "hash") return this.#maps.hash.get(key);
    if (kind === "array") return this.#maps.array.get(key - FIRST_OWN);
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

/** A value that shows when it is not whole: the key, a number, and bytes that follow from both. */
export function bytesOf(key: number, number: number): Uint8Array {
  const result = new Uint8Array(VALUE_BYTES);
  const words = new Uint32Array(result.buffer);
  words[0] = key;
  words[1] = number;
  for (let word = 2; word < words.length; word++) words[word] = Math.imul(number ^ word, 2654435761);
  return result;
}

export function isWhole(value: Uint8Array): boolean {
  const number = numberIn(value);
  const words = new Uint32Array(value.slice().buffer);
  for (let word = 2; word < words.length; word++) {
    if (words[word] !== Math.imul(number ^ word, 2654435761) >>> 0) return false;
  }
  return true;
}

export function keyIn(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset).getUint32(0, true);
}

function numberIn(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset).getUint32(4, true);
}

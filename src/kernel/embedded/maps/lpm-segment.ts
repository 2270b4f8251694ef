import type { Address } from "../../../memory/address-space.ts";
import { SEGMENT } from "../segment.ts";

/*
 * The segment: the header, the nodes of a binary radix trie, then the values, each aligned to 8. A key is a prefix: its
 * length in bits as a u32, then bytes of which the first bits count. A node without a value is intermediate: it only
 * parts two branches, and always has both. So there is at most one of them less than there are entries. What a node is
 * below agrees with it in all bits of its prefix. Links count words from the start of the segment, 0 is none. There is one
 * node and one value more than entries need, and a guard: memory that is shared needs them to replace an entry.
 *
 * The bytes of a key are kept as numbers, the first byte highest, so that the bits in which two prefixes agree are counted
 * a word at a time.
 */
export const LPM_HEADER = {
  ROOT: SEGMENT.TYPE_HEADER,
  /** Two words each, of a `Pool`. */
  NODES: SEGMENT.TYPE_HEADER + 4,
  VALUES: SEGMENT.TYPE_HEADER + 12,
} as const;

/** A node, in words. */
export const CHILDREN = 0;
export const PREFIX = 2;
export const VALUE = 3;
export const DATA = 4;

/** `sizeof(struct bpf_lpm_trie_key_u8)`: the prefix length, in front of the data. */
export const KEY_HEADER = 4;

/** The words of the data of a key. */
export function dataWords(keySize: number): number {
  return Math.ceil((keySize - KEY_HEADER) / 4);
}

export function nodeWords(keySize: number): number {
  return DATA + dataWords(keySize);
}

export function valueWords(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 2;
}

/** Every entry has a node, and all but one may need an intermediate one. */
export function nodeCount(maxEntries: number): number {
  return 2 * maxEntries - 1;
}

/** The word at which the values begin, from the segment's start: behind the nodes. */
export function firstValue(keySize: number, maxEntries: number): number {
  const word = SEGMENT.HEADER_SIZE / 4 + nodeWords(keySize) * (nodeCount(maxEntries) + 1);
  return Math.ceil(word / 2) * 2;
}

/** A word of the data of a key, its first byte highest. */
export function dataAt(view: DataView, key: Address, word: number): number {
  return view.getInt32(key + KEY_HEADER + word * 4, false);
}

/** The bit of a key behind its first `index` ones; there is one. */
export function bitAt(view: DataView, key: Address, index: number): number {
  return (view.getUint8(key + KEY_HEADER + (index >>> 3)) >>> (7 - (index & 7))) & 1;
}

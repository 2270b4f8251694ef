/** Where everything lies in the bytes of a segment, read from its file as `docs/segment-format.md` has it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { LOCK_WORD, VALUE_BYTES } from "./locked-values.ts";

const HEADER = {
  TYPE: 12,
  KEY_SIZE: 16,
  VALUE_SIZE: 20,
  MAX_ENTRIES: 24,
  TYPE_HEADER: 64,
  LENGTH: 128,
  VALUE_TYPE: 156,
  SIZE: 256,
};
export const TYPES = { HASH: 1, ARRAY: 2, LRU_HASH: 9, LPM_TRIE: 11, QUEUE: 22, STACK: 23 };
export const GUARD_WORDS = 16;
const SHARES = 8;

export class Segment {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;

  constructor(path: string) {
    this.bytes = Uint8Array.from(readFileSync(path));
    // Behind the segment lies its BTF, of any length.
    this.words = new Int32Array(this.bytes.buffer, 0, this.bytes.length >>> 2);
    assert.equal(Buffer.from(this.bytes.subarray(0, 8)).toString("latin1"), "mapiary\0");
    assert.equal(this.word(HEADER.LENGTH / 4) <= this.bytes.length, true);
    this.type = this.word(HEADER.TYPE / 4);
    this.keySize = this.word(HEADER.KEY_SIZE / 4);
    this.valueSize = this.word(HEADER.VALUE_SIZE / 4);
    this.maxEntries = this.word(HEADER.MAX_ENTRIES / 4);
  }

  word(at: number): number {
    assert(at >= 0 && at < this.words.length, `word ${at} lies outside the segment`);
    return this.words[at] as number;
  }

  /** Whether its values have locks: in the tests all of this size with types do. */
  get hasLocks(): boolean {
    return this.word(HEADER.VALUE_TYPE / 4) !== 0 && this.valueSize === VALUE_BYTES;
  }

  header(word: number): number {
    return this.word(HEADER.TYPE_HEADER / 4 + word);
  }
}

function even(words: number): number {
  return words + (words & 1);
}

/** The next word at a multiple of 64 bytes. */
function lineAfter(words: number): number {
  return Math.ceil(words / 16) * 16;
}

/** Where everything lies in a hash table: numbers of words, and links. */
export function hashPlace({ type, keySize, valueSize, maxEntries }: Segment) {
  const buckets = 2 ** Math.ceil(Math.log2(maxEntries));
  const guards = Math.max(1, Math.min(64, buckets / 4));
  const elements = maxEntries + guards;
  const keyWords = Math.ceil(keySize / 4);
  const stored = type === TYPES.LRU_HASH ? Math.ceil(valueSize / 4) * 4 + 4 : valueSize;
  const elementWords = even(even(keyWords) + Math.ceil(stored / 4));
  const firstBucket = HEADER.SIZE / 4;
  const firstLink = firstBucket + buckets;
  const firstElement = lineAfter(firstLink + elements);
  const firstGuard = lineAfter(firstElement + elements * elementWords);
  const numberBits = elements.toString(2).length;
  return {
    buckets,
    guards,
    elements,
    keyWords,
    elementWords,
    firstBucket,
    firstLink,
    firstElement,
    firstGuard,
    numberBits,
  };
}

export function triePlace({ keySize, valueSize, maxEntries }: Segment) {
  const dataWords = Math.ceil((keySize - 4) / 4);
  const nodeWords = 4 + dataWords;
  const nodes = 2 * maxEntries;
  const firstNode = HEADER.SIZE / 4;
  const firstValue = even(firstNode + nodeWords * nodes);
  const valueWords = Math.ceil(valueSize / 8) * 2;
  const firstGuard = lineAfter(firstValue + valueWords * (maxEntries + 1));
  return { dataWords, nodeWords, nodes, firstNode, firstValue, valueWords, firstGuard };
}

/** A word that holds the number of the agent that has taken it, 0 for none: of a guard, of a share of one, or in a value. */
export interface LockWord {
  readonly word: number;
  readonly kind: "lock" | "share" | "value";
}

/** The words of the locks in so many values, by where the first of them lies and what is between them; of the tests' own types. */
function locksInValues(segment: Segment, firstValue: number, stride: number, count: number): LockWord[] {
  if (!segment.hasLocks) return [];
  return Array.from({ length: count }, (_, index) => ({
    word: firstValue + index * stride + LOCK_WORD,
    kind: "value",
  }));
}

/** The locks of a segment and the shares of them, but for that of a sweep, which only the next sweep takes over. */
export function lockWords(segment: Segment): LockWord[] {
  const { type, valueSize, maxEntries } = segment;
  const locks = (first: number, count: number): LockWord[] =>
    Array.from({ length: count }, (_, guard) => ({ word: first + guard * GUARD_WORDS, kind: "lock" }));
  switch (type) {
    case TYPES.HASH:
    case TYPES.LRU_HASH: {
      const { firstGuard, guards, firstElement, keyWords, elementWords, elements } = hashPlace(segment);
      const firstShare = firstGuard + guards * GUARD_WORDS;
      const shares = Array.from({ length: SHARES * guards }, (_, at): LockWord => {
        const share = Math.floor(at / guards);
        return { word: firstShare + share * Math.max(16, guards) + (at % guards), kind: "share" };
      });
      const freeLock: LockWord = { word: (HEADER.TYPE_HEADER + 20) / 4, kind: "lock" };
      const inValues = locksInValues(segment, firstElement + even(keyWords), elementWords, elements);
      return [freeLock, ...locks(firstGuard, guards), ...shares, ...inValues];
    }
    case TYPES.LPM_TRIE:
      return locks(triePlace(segment).firstGuard, 1);
    case TYPES.QUEUE:
    case TYPES.STACK:
      return locks(lineAfter(HEADER.SIZE / 4 + ((maxEntries + 1) * valueSize) / 4), 1);
    default: {
      if (valueSize <= 8) return [];
      const elementBytes = Math.ceil(valueSize / 8) * 8;
      let guards = 1;
      while (guards * 2 <= Math.min(maxEntries, 64) && guards * 2 * elementBytes <= 65536) guards *= 2;
      const inValues = locksInValues(segment, HEADER.SIZE / 4, elementBytes / 4, maxEntries);
      return [...locks(lineAfter((HEADER.SIZE + elementBytes * maxEntries) / 4), guards), ...inValues];
    }
  }
}

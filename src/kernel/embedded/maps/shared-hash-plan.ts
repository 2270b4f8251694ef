import { guardCount, guardsAt, guardsEnd, SHARES, shareStride } from "../guards.ts";
import { SEGMENT } from "../segment.ts";
import { bucketCount } from "./bucket-count.ts";

/**
 * Where the tables of a hash lie in memory that is shared, in bytes from the segment's start: the header, a link for each
 * bucket, a link for each element, the elements, the guards and their shares.
 *
 * A link is the number of an element, counted from 1, and in the bits above it those of the hash of its key: who goes through a
 * chain touches no element but the one that is looked for. So those who overwrite the values of other keys in the same chain do
 * not slow it down, which they would by writing to the lines of the cache that the chain leads through.
 */
export interface SharedHashPlan {
  readonly buckets: number;
  readonly firstLink: number;
  readonly firstElement: number;
  readonly elementBytes: number;
  /** The word of an element at which its value begins: behind the key, at a multiple of 8 bytes. */
  readonly valueWord: number;
  /** How many elements there are, those included that only guards use: one for each. */
  readonly elements: number;
  /** The bits of a link that are the number of an element. */
  readonly linkMask: number;
  readonly guards: number;
  readonly firstGuard: number;
  /** The shares of the guards: see `SHARES`. */
  readonly firstShare: number;
  readonly end: number;
}

const LINE_BYTES = 64;

/** A table whose elements keep `storedSize` bytes for a value. */
export function sharedHashPlan(keySize: number, storedSize: number, maxEntries: number): SharedHashPlan {
  const buckets = bucketCount(maxEntries);
  const guards = guardCount(buckets);
  const elements = maxEntries + guards;
  const firstLink = SEGMENT.HEADER_SIZE + buckets * 4;
  const firstElement = Math.ceil((firstLink + elements * 4) / LINE_BYTES) * LINE_BYTES;
  const valueWord = even(Math.ceil(keySize / 4));
  const elementBytes = even(valueWord + Math.ceil(storedSize / 4)) * 4;
  const tables = firstElement + elementBytes * elements;
  return {
    buckets,
    firstLink,
    firstElement,
    elementBytes,
    valueWord,
    elements,
    linkMask: 2 ** Math.ceil(Math.log2(elements + 1)) - 1,
    guards,
    firstGuard: guardsAt(tables),
    firstShare: guardsEnd(tables, guards),
    end: guardsEnd(tables, guards) + SHARES * shareStride(guards),
  };
}

function even(words: number): number {
  return words + (words & 1);
}

import { memoryOf, type Typing } from "../values/typing.ts";
import { KeyOrder } from "./key-order.ts";

/** How much is sorted at once in memory. */
export interface SortLimits {
  readonly bytes: number;
  readonly entries: number;
}

/** What is sorted: entries, each a key with its value behind it. */
export interface EntryShape {
  readonly key: Typing;
  readonly keySize: number;
  readonly valueSize: number;
}

/**
 * The memory in which a map is sorted, however large it is: first it holds as many entries as are sorted at once, and
 * later a window of each of the runs that are merged.
 */
export class SortMemory {
  readonly shape: EntryShape;
  /** Of a key and its value, in bytes. */
  readonly entrySize: number;
  /** How many entries there is room for: two at least. */
  readonly capacity: number;
  readonly bytes: Buffer;
  readonly order: KeyOrder;

  constructor(shape: EntryShape, limits: SortLimits) {
    this.shape = shape;
    this.entrySize = shape.keySize + shape.valueSize;
    this.capacity = Math.max(2, Math.min(limits.entries, Math.floor(limits.bytes / this.entrySize)));
    this.bytes = Buffer.alloc(this.capacity * this.entrySize);
    this.order = new KeyOrder(shape.key, memoryOf(this.bytes));
  }
}

/** Entries in the order of their keys, to be taken from the first to the last. */
export interface SortedEntries {
  /** Fills `bytes` with the next entries, as many as fit as a whole; answers how many bytes that are, 0 at the end. */
  take(bytes: Uint8Array): number;
}

import type { AddressSpace, Memory } from "../memory/address-space.ts";
import type { MapShape } from "../sys/map-shape.ts";
import type { Batch } from "./batch-cursor.ts";

/** Where the batches of an iteration come from. */
export interface BatchSource {
  readonly memory: AddressSpace;
  readonly shape: MapShape;
  /** The next batch, which may be empty; `undefined` when there are no more. */
  next(): Batch | undefined;
}

/** Reads what an iteration gives for an entry, whose key and value lie at two addresses. */
export type EntryReader<T> = (memory: Memory, keyAt: number, valueAt: number) => T;

const NO_BYTES: Memory = { u8: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) };

/**
 * An iterator over entries that come in batches. Each is read when its turn comes, so that it need not outlive it, out of
 * a copy of the batch: the next command overwrites what lies in the address space.
 *
 * Its `next` is a class's of its own, which may be generated code; that is why the fields are not private.
 */
export abstract class BatchIterator<T> implements IterableIterator<T> {
  /** Where the batch lies: all keys, then all values. */
  protected memory = NO_BYTES;
  protected keyAt = 0;
  protected valueAt = 0;
  /** How many entries of the batch are still to come. */
  protected left = 0;
  readonly #source: BatchSource;
  #own = NO_BYTES;
  #isDone = false;

  constructor(source: BatchSource) {
    this.#source = source;
  }

  abstract next(): IteratorResult<T, undefined>;

  return(): IteratorResult<T, undefined> {
    this.#isDone = true;
    this.#own = NO_BYTES;
    this.memory = NO_BYTES;
    this.left = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Takes the next batch when nothing is left of one. False at the end. */
  protected refill(): boolean {
    while (this.left === 0) {
      const batch = this.#isDone ? undefined : this.#source.next();
      if (batch === undefined) {
        this.return();
        return false;
      }
      this.#copy(batch);
    }
    return true;
  }

  #copy({ count, keys, values }: Batch): void {
    const { memory, shape } = this.#source;
    const keyBytes = count * shape.keySize;
    const valueBytes = count * shape.valueSize;
    if (keyBytes + valueBytes > this.#own.u8.length) {
      const bytes = new Uint8Array(keyBytes + valueBytes);
      this.#own = { u8: bytes, view: new DataView(bytes.buffer) };
    }
    this.#own.u8.set(memory.u8.subarray(keys, keys + keyBytes));
    this.#own.u8.set(memory.u8.subarray(values, values + valueBytes), keyBytes);
    this.memory = this.#own;
    this.keyAt = 0;
    this.valueAt = keyBytes;
    this.left = count;
  }
}

/** An iterator that reads each entry by a function. */
export class ReadingIterator<T> extends BatchIterator<T> {
  readonly #read: EntryReader<T>;
  readonly #keySize: number;
  readonly #valueSize: number;

  constructor(source: BatchSource, read: EntryReader<T>) {
    super(source);
    this.#read = read;
    this.#keySize = source.shape.keySize;
    this.#valueSize = source.shape.valueSize;
  }

  next(): IteratorResult<T, undefined> {
    if (this.left === 0 && !this.refill()) return { done: true, value: undefined };
    const { keyAt, valueAt } = this;
    this.left--;
    this.keyAt = keyAt + this.#keySize;
    this.valueAt = valueAt + this.#valueSize;
    return { done: false, value: this.#read(this.memory, keyAt, valueAt) };
  }
}

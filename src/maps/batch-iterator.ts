import type { Memory } from "../memory/address-space.ts";

/** A batch of entries that lies in memory of its own, to be decoded one by one. */
export interface OwnBatch {
  readonly memory: Memory;
  readonly count: number;
  readonly keys: number;
  readonly values: number;
}

/** Decodes the entry number `index` of a batch. */
export type Decode<T> = (batch: OwnBatch, index: number) => T;

const NO_BATCH: OwnBatch = {
  memory: { u8: new Uint8Array(0), view: new DataView(new ArrayBuffer(0)) },
  count: 0,
  keys: 0,
  values: 0,
};

/** An iterator over entries that come in batches. Each is decoded when its turn comes, so that it need not outlive it. */
export class BatchIterator<T> implements IterableIterator<T> {
  readonly #fetch: () => OwnBatch | undefined;
  readonly #decode: Decode<T>;
  #batch = NO_BATCH;
  #index = 0;
  #isDone = false;

  /** `fetch` answers the next batch, which may be empty, and `undefined` when there are no more. */
  constructor(fetch: () => OwnBatch | undefined, decode: Decode<T>) {
    this.#fetch = fetch;
    this.#decode = decode;
  }

  next(): IteratorResult<T, undefined> {
    const index = this.#index;
    if (index >= this.#batch.count) return this.#nextBatch();
    this.#index = index + 1;
    return { done: false, value: this.#decode(this.#batch, index) };
  }

  return(): IteratorResult<T, undefined> {
    this.#isDone = true;
    this.#batch = NO_BATCH;
    this.#index = 0;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  #nextBatch(): IteratorResult<T, undefined> {
    const batch = this.#isDone ? undefined : this.#fetch();
    if (batch === undefined) return this.return();
    this.#batch = batch;
    this.#index = 0;
    return this.next();
  }
}

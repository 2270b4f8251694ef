import type { Layout } from "../layout/layout.ts";
import type { Memory } from "../memory/address-space.ts";

/** Reads a record of so many bytes at an address. */
export type ReadRecord<V> = (memory: Memory, address: number, length: number) => V;

/** How records are read: by a layout, or as bytes of their own when there is none. */
export function recordReader<V>(layout: Layout<V> | undefined, label: string): ReadRecord<V> {
  if (layout === undefined) {
    return (memory, address, length) => memory.u8.slice(address, address + length) as V;
  }
  return (memory, address, length) => {
    if (length >= layout.size) return layout.read(memory, address);
    throw new RangeError(`map ${label} has a record of ${length} bytes, but ${layout.name} has ${layout.size}`);
  };
}

/** What a source answers when it has no record now. */
export const NONE: unique symbol = Symbol("none");

/** Where records come from, one after the other. */
export interface RecordSource<V> {
  /** True once there will never be another. */
  readonly isClosed: boolean;
  /** The next record, or `NONE` when there is none yet. Throws what its layout throws; the record is gone then. */
  take(): V | typeof NONE;
  /** Calls back once when there may be records again, or when it was closed. Answers how to call it off. */
  whenReady(callback: () => void): () => void;
  /** Nobody takes records for the time being: what is held back for the sake of speed is made known. */
  rest(): void;
}

/** How a loop over records ends early. */
export interface RecordsOptions {
  /** Ends the loop with its reason, whether it waits or not. */
  readonly signal?: AbortSignal | undefined;
}

/** The most time in milliseconds that a loop which never has to wait keeps everything else waiting. */
const TURN = 8;
/** After how many records a loop looks at the clock. */
const STEPS = 256;

/** `setImmediate` where there is one, to let the event loop take its turn. */
export const nextTurn: (callback: () => void) => void =
  (globalThis as { setImmediate?: (callback: () => void) => void }).setImmediate ??
  ((callback) => setTimeout(callback));

/**
 * A `for await` loop over records. As long as there are some it takes one after the other without waiting; then it waits
 * for news. Under constant load the event loop gets its turn now and then.
 */
export class RecordLoop<V> implements AsyncIterableIterator<V> {
  readonly #source: RecordSource<V>;
  readonly #signal: AbortSignal | undefined;
  #steps = 0;
  #turnEnds = performance.now() + TURN;
  #isDone = false;

  constructor(source: RecordSource<V>, { signal }: RecordsOptions) {
    this.#source = source;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<V, undefined>> {
    try {
      if (this.#signal?.aborted) return this.#end(this.#signal.reason);
      if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
      if (++this.#steps >= STEPS && this.#isTurnOver()) return this.#yield();
      const record = this.#source.take();
      if (record !== NONE) return Promise.resolve({ done: false, value: record });
    } catch (error) {
      return this.#end(error);
    }
    return this.#wait();
  }

  return(): Promise<IteratorResult<V, undefined>> {
    this.#isDone = true;
    this.#source.rest();
    return Promise.resolve({ done: true, value: undefined });
  }

  #end(error: unknown): Promise<never> {
    this.#isDone = true;
    this.#source.rest();
    return Promise.reject(error);
  }

  #isTurnOver(): boolean {
    this.#steps = 0;
    return performance.now() >= this.#turnEnds;
  }

  async #yield(): Promise<IteratorResult<V, undefined>> {
    this.#source.rest();
    await new Promise<void>((resolve) => nextTurn(resolve));
    this.#turnEnds = performance.now() + TURN;
    return this.next();
  }

  async #wait(): Promise<IteratorResult<V, undefined>> {
    const source = this.#source;
    const signal = this.#signal;
    for (;;) {
      if (source.isClosed) {
        this.#isDone = true;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        const off = source.whenReady(end);
        signal?.addEventListener("abort", end);
        function end(): void {
          off();
          signal?.removeEventListener("abort", end);
          resolve();
        }
      });
      this.#turnEnds = performance.now() + TURN;
      if (signal?.aborted) return this.#end(signal.reason);
      try {
        const record = source.take();
        if (record !== NONE) return { done: false, value: record };
      } catch (error) {
        return this.#end(error);
      }
    }
  }
}

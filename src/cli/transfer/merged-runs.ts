import { copyBytes } from "./copy-bytes.ts";
import type { SortedEntries, SortMemory } from "./sort-memory.ts";
import type { SpillFile } from "./spill-file.ts";

/** Sorted entries in a file: where the first begins, and where the last ends. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

/** The entries of several runs in one order, each run read through a window of the memory. */
export class MergedRuns implements SortedEntries {
  readonly #memory: SortMemory;
  /** A heap: each run comes before the two at twice its place. */
  readonly #heap: RunCursor[] = [];

  /** There must be room for an entry of each run. No run is empty. */
  constructor(memory: SortMemory, file: SpillFile, runs: readonly Run[]) {
    this.#memory = memory;
    const entries = Math.floor(memory.capacity / runs.length);
    for (const [index, run] of runs.entries()) {
      this.#add(new RunCursor(memory, file, run, index * entries * memory.entrySize, entries * memory.entrySize));
    }
  }

  take(bytes: Uint8Array): number {
    const { bytes: windows, entrySize } = this.#memory;
    let at = 0;
    for (let first = this.#heap[0]; first !== undefined && at + entrySize <= bytes.length; first = this.#heap[0]) {
      copyBytes(windows, first.at, bytes, at, entrySize);
      at += entrySize;
      if (!first.advance()) this.#removeFirst();
      this.#sink();
    }
    return at;
  }

  #add(run: RunCursor): void {
    const heap = this.#heap;
    heap.push(run);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#heap[0] = last;
  }

  /** Brings the first run to its place after it went on. */
  #sink(): void {
    const { length } = this.#heap;
    for (let at = 0; ; ) {
      let first = at;
      if (2 * at + 1 < length && this.#isBefore(2 * at + 1, first)) first = 2 * at + 1;
      if (2 * at + 2 < length && this.#isBefore(2 * at + 2, first)) first = 2 * at + 2;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a] as RunCursor, this.#heap[b] as RunCursor];
    return this.#memory.order.compare(first.rank, first.at, second.rank, second.at) < 0;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const run = heap[a] as RunCursor;
    heap[a] = heap[b] as RunCursor;
    heap[b] = run;
  }
}

/** Reads the entries of a run one after another, through a window of the memory. */
class RunCursor {
  readonly #memory: SortMemory;
  readonly #file: SpillFile;
  readonly #run: Run;
  readonly #window: number;
  readonly #windowSize: number;
  /** How far the run was read from the file. */
  #offset: number;
  /** Where the entries in the window end. */
  #windowEnd = 0;
  /** Where in the memory the entry lies that it stands at. */
  at = 0;
  rank = 0;

  constructor(memory: SortMemory, file: SpillFile, run: Run, window: number, windowSize: number) {
    this.#memory = memory;
    this.#file = file;
    this.#run = run;
    this.#window = window;
    this.#windowSize = windowSize;
    this.#offset = run.start;
    this.#load();
  }

  /** Goes on to the next entry; false when there is none. */
  advance(): boolean {
    this.at += this.#memory.entrySize;
    if (this.at === this.#windowEnd) {
      if (this.#offset === this.#run.end) return false;
      this.#load();
    }
    this.rank = this.#memory.order.rank(this.at);
    return true;
  }

  #load(): void {
    const { bytes, order } = this.#memory;
    const length = Math.min(this.#windowSize, this.#run.end - this.#offset);
    this.at = this.#window;
    this.#windowEnd = this.#window + length;
    this.#file.read(this.#offset, bytes.subarray(this.at, this.#windowEnd));
    this.#offset += length;
    this.rank = order.rank(this.at);
  }
}

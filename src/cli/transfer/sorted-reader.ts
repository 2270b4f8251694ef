import type { MapHandle } from "../map-reference.ts";
import type { Typing } from "../values/typing.ts";
import { MapReader, type RawEntries } from "./map-reader.ts";
import { type EntryShape, RunCursor, sortedRun } from "./sorted-run.ts";
import { SpillFile } from "./spill-file.ts";

/** How much is sorted at once in memory. */
export interface RunLimits {
  readonly bytes: number;
  readonly entries: number;
}

const LIMITS: RunLimits = { bytes: 8 << 20, entries: 1 << 17 };
/** How many entries are answered at once. */
const BATCH = 4096;

/**
 * Reads a map in the order of its keys: first all of it, in runs that are sorted in memory and put aside in a file, then
 * the runs side by side. So memory hardly grows with the map.
 */
export class SortedReader implements Disposable {
  /** There is no place in a map at which its order could go on. */
  readonly cursor = undefined;
  readonly #map: MapHandle;
  readonly #shape: EntryShape;
  readonly #limits: RunLimits;
  /** A heap: each run comes before the two at twice its place. */
  readonly #runs: RunCursor[] = [];
  #file: SpillFile | undefined;

  constructor(map: MapHandle, key: Typing, limits = LIMITS) {
    this.#map = map;
    this.#shape = { key, keySize: map.shape.keySize, valueSize: map.shape.valueSize };
    this.#limits = limits;
  }

  /** Reads the whole map; `progress` is told how many entries it has. */
  readMap(progress: (entries: number) => void): void {
    const { bytes, entries } = this.#limits;
    const { keySize, valueSize } = this.#shape;
    const most = Math.min(entries, bytes / (keySize + valueSize));
    const reader = new MapReader(this.#map);
    let pending: RawEntries[] = [];
    let count = 0;
    let total = 0;
    for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
      pending.push(raw);
      count += raw.count;
      total += raw.count;
      progress(total);
      if (count < most) continue;
      this.#putAside(sortedRun(this.#shape, pending));
      pending = [];
      count = 0;
    }
    if (count > 0) this.#keep(sortedRun(this.#shape, pending));
  }

  /** The next entries; `undefined` at the end. */
  next(): RawEntries | undefined {
    if (this.#runs.length === 0) return undefined;
    const { keySize, valueSize } = this.#shape;
    const keys = Buffer.alloc(BATCH * keySize);
    const values = Buffer.alloc(BATCH * valueSize);
    let count = 0;
    for (let first = this.#runs[0]; first !== undefined && count < BATCH; first = this.#runs[0]) {
      first.copyTo(keys, values, count++);
      if (!first.advance()) this.#removeFirst();
      this.#sink();
    }
    return { count, keys: keys.subarray(0, count * keySize), values: values.subarray(0, count * valueSize) };
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  /** The last run; without others before it, it stays where it is. */
  #keep(run: Buffer): void {
    if (this.#file !== undefined) return this.#putAside(run);
    this.#add((offset, bytes) => run.copy(bytes, 0, offset), 0, run.length);
  }

  #putAside(run: Buffer): void {
    const file = (this.#file ??= new SpillFile());
    const start = file.size;
    file.append(run);
    this.#add((offset, bytes) => file.read(offset, bytes), start, file.size);
  }

  #add(read: (offset: number, bytes: Uint8Array) => void, start: number, end: number): void {
    const runs = this.#runs;
    runs.push(new RunCursor(this.#shape, read, start, end));
    for (let at = runs.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #removeFirst(): void {
    const last = this.#runs.pop();
    if (last !== undefined && this.#runs.length > 0) this.#runs[0] = last;
  }

  /** Brings the first run to its place after it went on. */
  #sink(): void {
    for (let at = 0; ; ) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#runs.length && this.#isBefore(child, first)) first = child;
      }
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    return (this.#runs[a] as RunCursor).isBefore(this.#runs[b] as RunCursor);
  }

  #swap(a: number, b: number): void {
    const runs = this.#runs as [RunCursor, RunCursor];
    [runs[a], runs[b]] = [runs[b] as RunCursor, runs[a] as RunCursor];
  }
}

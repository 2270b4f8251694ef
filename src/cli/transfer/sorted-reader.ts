import type { MapHandle } from "../map-reference.ts";
import type { Typing } from "../values/typing.ts";
import { copyBytes } from "./copy-bytes.ts";
import { MapReader, type RawEntries } from "./map-reader.ts";
import { MergedRuns, type Run } from "./merged-runs.ts";
import { type SortedEntries, type SortLimits, SortMemory } from "./sort-memory.ts";
import { SortedBlock } from "./sorted-block.ts";
import { SpillFile } from "./spill-file.ts";

const LIMITS: SortLimits = { bytes: 4 << 20, entries: 1 << 17 };
/** A run is read with at least so many bytes at once, or with one entry. */
const WINDOW_BYTES = 1 << 14;
/** About so many bytes of entries are answered at once. */
const BATCH_BYTES = 1 << 16;

/**
 * Reads a map in the order of its keys: first all of it, in runs that are sorted in memory and put aside in a file, then
 * the runs side by side. All the memory that takes is there from the beginning, however large the map is: where there are
 * more runs than can be read side by side, they are merged into fewer and longer ones before.
 */
export class SortedReader implements Disposable {
  /** There is no place in a map at which its order could go on. */
  readonly cursor = undefined;
  readonly #map: MapHandle;
  readonly #memory: SortMemory;
  readonly #batch: Buffer;
  readonly #keys: Uint8Array;
  readonly #values: Uint8Array;
  #runs: Run[] = [];
  #file: SpillFile | undefined;
  #entries: SortedEntries | undefined;

  constructor(map: MapHandle, key: Typing, limits = LIMITS) {
    const { keySize, valueSize } = map.shape;
    this.#map = map;
    this.#memory = new SortMemory({ key, keySize, valueSize }, limits);
    const { entrySize } = this.#memory;
    const count = Math.max(1, Math.floor(BATCH_BYTES / entrySize));
    this.#batch = Buffer.alloc(count * entrySize);
    this.#keys = new Uint8Array(count * keySize);
    this.#values = new Uint8Array(count * valueSize);
  }

  /** Reads the whole map; `progress` is told how many entries it has. */
  readMap(progress: (entries: number) => void): void {
    const block = new SortedBlock(this.#memory);
    const reader = new MapReader(this.#map);
    let total = 0;
    for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
      for (let from = block.add(raw, 0); block.isFull; from = block.add(raw, from)) this.#putAside(block);
      total += raw.count;
      progress(total);
    }
    this.#entries = this.#sorted(block);
  }

  /** The next entries, until it is asked again; `undefined` at the end. */
  next(): RawEntries | undefined {
    const { entrySize, shape } = this.#memory;
    const { keySize, valueSize } = shape;
    const count = (this.#entries?.take(this.#batch) ?? 0) / entrySize;
    if (count === 0) return undefined;
    for (let i = 0; i < count; i++) {
      copyBytes(this.#batch, i * entrySize, this.#keys, i * keySize, keySize);
      copyBytes(this.#batch, i * entrySize + keySize, this.#values, i * valueSize, valueSize);
    }
    return {
      count,
      keys: this.#keys.subarray(0, count * keySize),
      values: this.#values.subarray(0, count * valueSize),
    };
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }

  #putAside(block: SortedBlock): void {
    block.sort();
    this.#file ??= new SpillFile();
    this.#runs.push(this.#write(this.#file, block));
    block.clear();
  }

  /** All entries; the last ones are still in the block, and stay there when they are all. */
  #sorted(block: SortedBlock): SortedEntries {
    if (this.#file === undefined) {
      block.sort();
      return block;
    }
    if (!block.isEmpty) this.#putAside(block);
    return new MergedRuns(this.#memory, this.#mergeRuns(this.#file), this.#runs);
  }

  /** Merges runs until as few are left as are read side by side; answers the file that they are in. */
  #mergeRuns(first: SpillFile): SpillFile {
    const { bytes, entrySize } = this.#memory;
    const most = Math.max(2, Math.floor(bytes.length / Math.max(WINDOW_BYTES, entrySize)));
    let file = first;
    while (this.#runs.length > most) {
      const runs = this.#runs;
      const from = file;
      file = new SpillFile();
      this.#file = file;
      this.#runs = [];
      try {
        for (let i = 0; i < runs.length; i += most) {
          this.#runs.push(this.#write(file, new MergedRuns(this.#memory, from, runs.slice(i, i + most))));
        }
      } finally {
        from[Symbol.dispose]();
      }
    }
    return file;
  }

  #write(file: SpillFile, entries: SortedEntries): Run {
    const start = file.size;
    for (let length = entries.take(this.#batch); length > 0; length = entries.take(this.#batch)) {
      file.append(this.#batch.subarray(0, length));
    }
    return { start, end: file.size };
  }
}

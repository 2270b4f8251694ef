import { memoryOf, type Typing } from "../values/typing.ts";
import { compareRanks, type Rank, rankOf } from "./key-order.ts";
import type { RawEntries } from "./map-reader.ts";

/** How many bytes of a run are in memory while it is read. */
const WINDOW_BYTES = 1 << 15;

/** What a run consists of: entries, each its key with its value behind it. */
export interface EntryShape {
  readonly key: Typing;
  readonly keySize: number;
  readonly valueSize: number;
}

/** Puts entries into the order of their keys: a run. */
export function sortedRun({ key, keySize, valueSize }: EntryShape, batches: readonly RawEntries[]): Buffer {
  const keys = Buffer.concat(batches.map((batch) => batch.keys));
  const values = Buffer.concat(batches.map((batch) => batch.values));
  const memory = memoryOf(keys);
  const ranks = Array.from({ length: keys.length / keySize }, (_, index) => rankOf(key, memory, index * keySize));
  const order = Uint32Array.from(ranks, (_, index) => index).sort(
    (a, b) =>
      compareRanks(ranks[a], ranks[b]) ||
      keys.compare(keys, b * keySize, (b + 1) * keySize, a * keySize, (a + 1) * keySize),
  );
  const run = Buffer.alloc(keys.length + values.length);
  let at = 0;
  for (const index of order) {
    at += keys.copy(run, at, index * keySize, (index + 1) * keySize);
    at += values.copy(run, at, index * valueSize, (index + 1) * valueSize);
  }
  return run;
}

/** Reads the entries of a run one after another. */
export class RunCursor {
  readonly #shape: EntryShape;
  /** Fills bytes with what lies at an offset. */
  readonly #read: (offset: number, bytes: Uint8Array) => void;
  readonly #end: number;
  /** Where what is in memory ends. */
  #offset: number;
  #window = Buffer.alloc(0);
  #at = 0;
  #rank: Rank;

  /** A run that lies from `start` to `end` where `read` reads. It has an entry at least. */
  constructor(shape: EntryShape, read: (offset: number, bytes: Uint8Array) => void, start: number, end: number) {
    this.#shape = shape;
    this.#read = read;
    this.#offset = start;
    this.#end = end;
    this.#load();
  }

  /** Copies the key and the value of the entry it stands at. */
  copyTo(keys: Buffer, values: Buffer, index: number): void {
    const { keySize, valueSize } = this.#shape;
    this.#window.copy(keys, index * keySize, this.#at, this.#at + keySize);
    this.#window.copy(values, index * valueSize, this.#at + keySize, this.#at + keySize + valueSize);
  }

  /** Goes on to the next entry; false when there is none. */
  advance(): boolean {
    this.#at += this.#entrySize;
    if (this.#at < this.#window.length) {
      this.#rank = rankOf(this.#shape.key, memoryOf(this.#window), this.#at);
      return true;
    }
    if (this.#offset === this.#end) return false;
    this.#load();
    return true;
  }

  /** Whether the entry it stands at comes before that of another. */
  isBefore(other: RunCursor): boolean {
    const { keySize } = this.#shape;
    const byRank = compareRanks(this.#rank, other.#rank);
    if (byRank !== 0) return byRank < 0;
    const [from, to] = [other.#at, other.#at + keySize];
    return this.#window.compare(other.#window, from, to, this.#at, this.#at + keySize) < 0;
  }

  get #entrySize(): number {
    return this.#shape.keySize + this.#shape.valueSize;
  }

  #load(): void {
    const entries = Math.max(1, Math.floor(WINDOW_BYTES / this.#entrySize));
    this.#window = Buffer.alloc(Math.min(entries * this.#entrySize, this.#end - this.#offset));
    this.#read(this.#offset, this.#window);
    this.#offset += this.#window.length;
    this.#at = 0;
    this.#rank = rankOf(this.#shape.key, memoryOf(this.#window), 0);
  }
}

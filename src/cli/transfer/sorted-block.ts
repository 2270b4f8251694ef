import { copyBytes } from "./copy-bytes.ts";
import type { RawEntries } from "./map-reader.ts";
import type { SortedEntries, SortMemory } from "./sort-memory.ts";

/** Sorts as many entries as fit into memory at once. It is filled, sorted and emptied, and then filled again. */
export class SortedBlock implements SortedEntries {
  readonly #memory: SortMemory;
  /** Of each entry, where it lies among the others; sorted, while the entries stay where they are. */
  #order: Uint32Array;
  /** What a pass of the sort writes. */
  #next: Uint32Array;
  readonly #ranks: Float64Array;
  #count = 0;
  #taken = 0;

  constructor(memory: SortMemory) {
    this.#memory = memory;
    this.#order = new Uint32Array(memory.capacity);
    this.#next = new Uint32Array(memory.capacity);
    this.#ranks = new Float64Array(memory.capacity);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === this.#memory.capacity;
  }

  /** Adds entries, those from one on, until it is full; answers the first that has no room. */
  add({ count, keys, values }: RawEntries, from: number): number {
    const { bytes, entrySize, capacity, order, shape } = this.#memory;
    const { keySize, valueSize } = shape;
    const end = Math.min(count, from + capacity - this.#count);
    for (let i = from; i < end; i++) {
      const at = this.#count * entrySize;
      copyBytes(keys, i * keySize, bytes, at, keySize);
      copyBytes(values, i * valueSize, bytes, at + keySize, valueSize);
      this.#ranks[this.#count] = order.rank(at);
      this.#order[this.#count] = this.#count;
      this.#count++;
    }
    return end;
  }

  /** Sorts what it was filled with: by merging sorted stretches, each twice as long as those of the pass before. */
  sort(): void {
    for (let length = 1; length < this.#count; length *= 2) {
      for (let start = 0; start < this.#count; start += 2 * length) this.#mergeAt(start, length);
      [this.#order, this.#next] = [this.#next, this.#order];
    }
  }

  take(bytes: Uint8Array): number {
    const { bytes: entries, entrySize } = this.#memory;
    const room = Math.floor(bytes.length / entrySize);
    const end = Math.min(this.#count, this.#taken + room);
    let at = 0;
    for (; this.#taken < end; at += entrySize) {
      copyBytes(entries, (this.#order[this.#taken++] as number) * entrySize, bytes, at, entrySize);
    }
    return at;
  }

  /** Makes room for other entries. */
  clear(): void {
    this.#count = 0;
    this.#taken = 0;
  }

  #mergeAt(start: number, length: number): void {
    const from = this.#order;
    const to = this.#next;
    const middle = Math.min(start + length, this.#count);
    const end = Math.min(middle + length, this.#count);
    let left = start;
    let right = middle;
    for (let at = start; at < end; at++) {
      const takesRight =
        left === middle || (right < end && this.#isBefore(from[right] as number, from[left] as number));
      to[at] = from[takesRight ? right++ : left++] as number;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const { order, entrySize } = this.#memory;
    return order.compare(this.#ranks[a] as number, a * entrySize, this.#ranks[b] as number, b * entrySize) < 0;
  }
}

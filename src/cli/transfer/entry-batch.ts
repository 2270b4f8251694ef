import { memoryOf } from "../values/typing.ts";
import type { EntryCodec, EntryJson } from "./entry-codec.ts";
import type { RawEntries } from "./map-reader.ts";

/** Entries of about so many bytes are put together. */
const BYTES = 1 << 20;
const MOST = 1 << 12;

/** Puts the bytes of entries together, in memory that serves again and again. */
export class EntryBatch {
  readonly #codec: EntryCodec;
  readonly #capacity: number;
  readonly #keys: Uint8Array;
  readonly #values: Uint8Array;
  readonly #memory: Parameters<EntryCodec["write"]>[0];
  #count = 0;

  constructor(codec: EntryCodec) {
    const { keySize, valueSize } = codec.map.shape;
    this.#codec = codec;
    this.#capacity = Math.max(1, Math.min(MOST, Math.floor(BYTES / (keySize + valueSize))));
    this.#keys = new Uint8Array(this.#capacity * keySize);
    this.#values = new Uint8Array(this.#capacity * valueSize);
    this.#memory = { keys: memoryOf(this.#keys), values: memoryOf(this.#values) };
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#capacity;
  }

  /** Adds an entry. Throws for one that does not fit: then it is not added, and `clear` comes before the next one. */
  add(entry: EntryJson): void {
    this.#codec.write(this.#memory, this.#count, entry);
    this.#count++;
  }

  /** The bytes of all of them, until the next one is added. */
  get entries(): RawEntries {
    const { keySize, valueSize } = this.#codec.map.shape;
    const count = this.#count;
    return {
      count,
      keys: this.#keys.subarray(0, count * keySize),
      values: this.#values.subarray(0, count * valueSize),
    };
  }

  /** Makes room for others; what a struct has between its fields is 0 again. */
  clear(): void {
    this.#keys.fill(0);
    this.#values.fill(0);
    this.#count = 0;
  }
}

import type { MapShape } from "../sys/map-shape.ts";
import { type Batch, BatchCursor } from "./batch-cursor.ts";
import type { MapContext } from "./map-context.ts";
import { comparePrefixes } from "./prefix-order.ts";

/**
 * The entries of an LPM trie, batch by batch, each once. The cursor of a trie is a key, and when that key is deleted
 * between two batches the kernel begins anew; but it goes through a trie in a fixed order, by which what has been read
 * before is known and left out.
 */
export class PrefixCursor extends BatchCursor {
  readonly #context: MapContext;
  readonly #shape: MapShape;
  /** The last key that was read. */
  #last: { readonly u8: Uint8Array; readonly view: DataView } | undefined;

  constructor(context: MapContext, fd: number, shape: MapShape) {
    super(context, fd, shape, false);
    this.#context = context;
    this.#shape = shape;
  }

  override next(): Batch | number {
    const batch = super.next();
    return typeof batch === "number" ? batch : this.#unread(batch);
  }

  /** What of a batch comes after all that was read before, moved to the front of its place in memory. */
  #unread({ count, keys, values }: Batch): Batch {
    const { memory } = this.#context.kernel;
    const { keySize, valueSize } = this.#shape;
    let unread = 0;
    for (let index = 0; index < count; index++) {
      const key = keys + index * keySize;
      if (this.#last !== undefined && comparePrefixes(memory, key, this.#last, 0) <= 0) continue;
      if (unread < index) {
        const value = values + index * valueSize;
        memory.u8.copyWithin(keys + unread * keySize, key, key + keySize);
        memory.u8.copyWithin(values + unread * valueSize, value, value + valueSize);
      }
      this.#remember(keys + unread * keySize);
      unread++;
    }
    return { count: unread, keys, values };
  }

  #remember(key: number): void {
    const { keySize } = this.#shape;
    const { u8 } = this.#context.kernel.memory;
    if (this.#last === undefined) {
      const bytes = new Uint8Array(keySize);
      this.#last = { u8: bytes, view: new DataView(bytes.buffer) };
    }
    for (let byte = 0; byte < keySize; byte++) this.#last.u8[byte] = u8[key + byte] as number;
  }
}

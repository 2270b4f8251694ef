import { MAP_BATCH } from "../abi/attr.ts";
import { BPF_MAP_DELETE_BATCH, BPF_MAP_UPDATE_BATCH } from "../abi/commands.ts";
import { EINVAL, ENOTSUPP } from "../abi/errno.ts";
import type { Layout } from "../layout/layout.ts";
import type { Address } from "../memory/address-space.ts";
import { shown } from "../sys/diagnosis/shown.ts";
import type { MapShape } from "../sys/map-shape.ts";
import type { EntryCode } from "./entry-code.ts";
import type { MapContext } from "./map-context.ts";

/**
 * Entries on their way to a kernel: all of them encoded side by side in the address space before the first is given, so
 * that one that does not fit its layout stops everything.
 */
export class EntryBatch implements Disposable {
  readonly #context: MapContext;
  readonly #fd: number;
  readonly #shape: MapShape;
  readonly #entries: number;
  readonly #attr: Address;
  readonly #keys: Address;
  readonly #values: Address;
  #count = 0;

  /** Takes memory for so many entries. Throws an `OutOfMemoryError` when there is no room for them. */
  constructor(context: MapContext, fd: number, shape: MapShape, entries: number, label: string) {
    const keyBytes = Math.ceil((shape.keySize * entries) / 8) * 8;
    const attrBytes = MAP_BATCH.END;
    this.#context = context;
    this.#fd = fd;
    this.#shape = shape;
    this.#entries = entries;
    this.#attr = context.kernel.memory.allocate(
      attrBytes + keyBytes + shape.valueSize * entries,
      `a batch of ${entries} entries for map ${label}`,
    );
    this.#keys = this.#attr + attrBytes;
    this.#values = this.#keys + keyBytes;
  }

  /** How many entries the kernel has done. */
  get count(): number {
    return this.#count;
  }

  writeEntries<K, V>(code: EntryCode<K, V>, entries: readonly (readonly [K, V])[]): void {
    code.write(this.#context.kernel.memory, entries, this.#keys, this.#values);
  }

  writeKeys<K>(layout: Layout<K>, keys: readonly K[]): void {
    const { memory } = this.#context.kernel;
    let at = this.#keys;
    for (const key of keys) {
      layout.write(memory, at, key);
      at += this.#shape.keySize;
    }
  }

  /** Updates every entry from the first that is not done. Answers 0 or `−errno` for the entry at `count`. */
  update(): number {
    return this.#run(BPF_MAP_UPDATE_BATCH, (key, value) => this.#context.sys.mapUpdateElem(this.#fd, key, value));
  }

  /** Deletes every key from the first that is not done. Answers 0 or `−errno` for the key at `count`. */
  delete(): number {
    return this.#run(BPF_MAP_DELETE_BATCH, (key) => this.#context.sys.mapDeleteElem(this.#fd, key));
  }

  /** Passes over the entry that the kernel refused. */
  skip(): void {
    this.#count++;
  }

  get isDone(): boolean {
    return this.#count >= this.#entries;
  }

  /** The key that the kernel refused, for the kernel and for people. */
  failingKey<K>(layout: Layout<K>): { keyBytes: Uint8Array; key: string } {
    const keyBytes = this.#bytes(this.#keys, this.#shape.keySize, this.#count);
    return { keyBytes, key: shown(layout.decode(keyBytes)) };
  }

  [Symbol.dispose](): void {
    this.#context.kernel.memory.release(this.#attr);
  }

  #run(command: number, one: (key: Uint8Array, value: Uint8Array) => number): number {
    const { kernel } = this.#context;
    const { keySize, valueSize } = this.#shape;
    const { view } = kernel.memory;
    const attr = this.#attr;
    const left = this.#entries - this.#count;
    view.setUint32(attr + MAP_BATCH.KEYS, this.#keys + this.#count * keySize, true);
    view.setUint32(attr + MAP_BATCH.VALUES, this.#values + this.#count * valueSize, true);
    view.setUint32(attr + MAP_BATCH.COUNT, left, true);
    view.setUint32(attr + MAP_BATCH.MAP_FD, this.#fd, true);
    const result = kernel.bpf(command, attr, MAP_BATCH.END);
    if (result === -ENOTSUPP || result === -EINVAL) return this.#runOneByOne(one);
    const done = kernel.memory.view.getUint32(attr + MAP_BATCH.COUNT, true);
    // A command that is refused before it begins leaves the count as it was (kernel/bpf/syscall.c: bpf_map_do_batch, 6.18).
    if (result === 0 || done < left) this.#count += done;
    return result;
  }

  /** For a map type without the batch command, and for the message when it was something else. */
  #runOneByOne(one: (key: Uint8Array, value: Uint8Array) => number): number {
    const { keySize, valueSize } = this.#shape;
    for (; !this.isDone; this.#count++) {
      const result = one(
        this.#bytes(this.#keys, keySize, this.#count),
        this.#bytes(this.#values, valueSize, this.#count),
      );
      if (result < 0) return result;
    }
    return 0;
  }

  #bytes(start: Address, size: number, index: number): Uint8Array {
    return this.#context.kernel.memory.u8.slice(start + index * size, start + (index + 1) * size);
  }
}

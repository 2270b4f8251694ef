import { MAP_BATCH } from "../abi/attr.ts";
import { BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_LOOKUP_BATCH } from "../abi/commands.ts";
import { EINVAL, ENOENT, ENOSPC, ENOTSUPP } from "../abi/errno.ts";
import type { Address } from "../memory/address-space.ts";
import type { MapShape } from "../sys/map-shape.ts";
import type { MapContext } from "./map-context.ts";

/** The first batch is small, for loops that end early; each next one is four times as long, up to so many bytes. */
const FIRST_BATCH = 64;
const GROWTH = 4;
const MOST_BYTES = 1 << 16;

/** Where a batch of entries lies in the address space until the next command. */
export interface Batch {
  readonly count: number;
  readonly keys: Address;
  readonly values: Address;
}

/**
 * The entries of a map, batch by batch: BPF_MAP_LOOKUP_BATCH, or BPF_MAP_LOOKUP_AND_DELETE_BATCH when taking. What the
 * last, partial batch returns beside its `ENOENT` is a batch like any other. A map type without batch commands is read
 * key by key.
 */
export class BatchCursor {
  readonly #context: MapContext;
  readonly #fd: number;
  readonly #shape: MapShape;
  /** The command that reads a batch. */
  readonly command: number;
  #size: number;
  readonly #mostEntries: number;
  /** Where the next batch begins; `undefined` for the beginning. */
  #cursor: Uint8Array | undefined;
  /** Keys that are still to be read one by one, when there are no batches. */
  #keys: Uint8Array[] | undefined;
  #isDone = false;

  /** Begins before the first entry, or at a cursor that `position` answered. */
  constructor(context: MapContext, fd: number, shape: MapShape, taking: boolean, cursor?: Uint8Array, size?: number) {
    this.#context = context;
    this.#fd = fd;
    this.#shape = shape;
    this.command = taking ? BPF_MAP_LOOKUP_AND_DELETE_BATCH : BPF_MAP_LOOKUP_BATCH;
    this.#cursor = cursor;
    this.#mostEntries = size ?? Math.max(1, Math.floor(MOST_BYTES / (shape.keySize + shape.valueSize)));
    this.#size = Math.min(size ?? FIRST_BATCH, this.#mostEntries);
  }

  /** Whether there is nothing more to read. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Where the next batch begins, in the kernel's terms; `undefined` at the end. */
  get position(): Uint8Array | undefined {
    return this.#isDone ? undefined : this.#cursor;
  }

  /** Reads the next batch, which may be empty at the end. Answers `−errno` for a kernel's refusal. */
  next(): Batch | number {
    if (this.#keys !== undefined) return this.#nextByKey(this.#keys);
    for (;;) {
      const batch = this.nextOfSize();
      if (batch === -ENOSPC) {
        this.#size *= 2;
        continue;
      }
      if (batch === -ENOTSUPP || (batch === -EINVAL && this.#cursor === undefined)) {
        const keys = this.#allKeys();
        if (typeof keys === "number") return batch;
        this.#keys = keys;
        return this.#nextByKey(keys);
      }
      return batch;
    }
  }

  /** Reads the next batch with one command, at most as many entries as it is for. Answers `−errno` for a kernel's refusal. */
  nextOfSize(): Batch | number {
    const { kernel, batches } = this.#context;
    const { keySize, valueSize, cursorSize } = this.#shape;
    const size = this.#size;
    const attr = batches.begin(cursorSize, cursorSize, keySize * size, valueSize * size);
    const { view } = kernel.memory;
    const inBatch = this.#cursor === undefined ? 0 : batches.put(this.#cursor, cursorSize);
    const outBatch = batches.reserve(cursorSize);
    const keys = batches.reserve(keySize * size);
    const values = batches.reserve(valueSize * size);
    view.setUint32(attr + MAP_BATCH.IN_BATCH, inBatch, true);
    view.setUint32(attr + MAP_BATCH.OUT_BATCH, outBatch, true);
    view.setUint32(attr + MAP_BATCH.KEYS, keys, true);
    view.setUint32(attr + MAP_BATCH.VALUES, values, true);
    view.setUint32(attr + MAP_BATCH.COUNT, size, true);
    view.setUint32(attr + MAP_BATCH.MAP_FD, this.#fd, true);
    const result = kernel.bpf(this.command, attr, MAP_BATCH.END);
    if (result < 0 && result !== -ENOENT) return result;
    this.#isDone = result === -ENOENT;
    this.#cursor = kernel.memory.u8.slice(outBatch, outBatch + cursorSize);
    this.#size = Math.max(size, Math.min(size * GROWTH, this.#mostEntries));
    return { count: kernel.memory.view.getUint32(attr + MAP_BATCH.COUNT, true), keys, values };
  }

  /** Every key that is there now, each once: a key that is deleted by another while this runs makes a kernel begin again. */
  #allKeys(): Uint8Array[] | number {
    const { sys } = this.#context;
    const keys = new Map<string, Uint8Array>();
    let previous: Uint8Array | null = null;
    for (;;) {
      const key = new Uint8Array(this.#shape.keySize);
      const result = sys.mapGetNextKey(this.#fd, previous, key);
      if (result === -ENOENT) return [...keys.values()];
      if (result < 0) return result;
      keys.set(key.join(), key);
      previous = key;
    }
  }

  #nextByKey(keys: Uint8Array[]): Batch | number {
    const { kernel, batches, sys } = this.#context;
    const { keySize, valueSize } = this.#shape;
    const size = Math.min(this.#size, keys.length);
    batches.begin(keySize * size, valueSize * size);
    const keysAt = batches.reserve(keySize * size);
    const valuesAt = batches.reserve(valueSize * size);
    const value = new Uint8Array(valueSize);
    let count = 0;
    for (const key of keys.splice(0, size)) {
      const result = this.#takesEntries
        ? sys.mapLookupAndDeleteElem(this.#fd, key, value)
        : sys.mapLookupElem(this.#fd, key, value);
      if (result === -ENOENT) continue;
      if (result < 0) return result;
      kernel.memory.u8.set(key, keysAt + count * keySize);
      kernel.memory.u8.set(value, valuesAt + count * valueSize);
      count++;
    }
    this.#isDone = keys.length === 0;
    return { count, keys: keysAt, values: valuesAt };
  }

  get #takesEntries(): boolean {
    return this.command === BPF_MAP_LOOKUP_AND_DELETE_BATCH;
  }
}

import {
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
} from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST } from "../abi/flags.ts";
import type { PreparedCommand } from "../kernel/prepared-command.ts";
import { generatesCode } from "../layout/compile.ts";
import type { Layout } from "../layout/layout.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";
import { shown } from "../sys/diagnosis/shown.ts";
import { type MapShape, mapShape } from "../sys/map-shape.ts";
import { type Batch, BatchCursor } from "./batch-cursor.ts";
import type { BatchSource } from "./batch-iterator.ts";
import { BpfMap, type MapParts } from "./bpf-map.ts";
import { type ElementAccess, type ElementParts, generateGet, generateSet } from "./element-code.ts";
import { allocateElementFrame, type ElementFrame } from "./element-frame.ts";
import { EntryBatch } from "./entry-batch.ts";
import { type EntryCode, entryCode } from "./entry-code.ts";
import { inSlices, requireSliceSize, SLICE_ENTRIES, slicesOf } from "./slices.ts";

/** When an update may happen: always, only for a new key, only for one that is there. */
export type UpdateFlag = "any" | "noexist" | "exist";

const UPDATE_FLAGS: Readonly<Record<UpdateFlag, number>> = { any: BPF_ANY, noexist: BPF_NOEXIST, exist: BPF_EXIST };

/**
 * Code is generated for `get` and `set` when they are called so often: later than a kernel has made what it makes of their
 * commands, so that all it ever calls is that, and the engine can compile both as one.
 */
export const HOT_CALLS = 21_000;

/** A batch of entries, and where the next one begins. */
export interface EntriesAndCursor<K, V> {
  readonly entries: [K, V][];
  /** For the next `lookupBatch`; `undefined` when these were the last. */
  readonly cursor: Uint8Array | undefined;
}

/** What a typed map with keys is made of besides its fd. */
export interface KeyedMapParts<K, V> extends MapParts<V> {
  readonly key: Layout<K>;
}

/**
 * A map that holds a value for a key, with the habits of a JavaScript `Map`: what hash and array maps have in common.
 *
 * **Iteration** reads the map in batches, as it stands when each batch is read. An entry that is there from the first
 * step to the last comes exactly once; one that is added, deleted or overwritten meanwhile comes with its old value, its
 * new one or, when it was added or deleted, perhaps not at all. Nothing is ever lost at the end: the last, partial batch
 * belongs to it.
 */
export abstract class KeyedMap<K, V> extends BpfMap implements Iterable<[K, V]> {
  /** How a key lies in bytes. */
  readonly key: Layout<K>;
  /** How a value lies in bytes. */
  readonly value: Layout<V>;
  readonly #memory: AddressSpace;
  readonly #shape: MapShape;
  readonly #frame: ElementFrame;
  readonly #keyAt: Address;
  readonly #valueAt: Address;
  readonly #lookup: PreparedCommand;
  readonly #entryCode: EntryCode<K, V>;
  /** `get` and `set`, plain at first; code made for this map once they have been called often. */
  #get: ElementAccess<K, V>["get"];
  #set: ElementAccess<K, V>["set"];
  /** Then the frame is somebody else's memory. */
  #isClosed = false;

  /** @internal */
  constructor(parts: KeyedMapParts<K, V>, fd: number) {
    const { context, info } = parts;
    const shape = mapShape(info, context.kernel.possibleCpus);
    const frame = allocateElementFrame(context.kernel, fd, shape.keySize, shape.valueSize, info.name);
    super(context, fd, info, frame.start, parts.pinnedAt);
    this.key = parts.key;
    this.value = parts.value;
    this.#memory = context.kernel.memory;
    this.#shape = shape;
    this.#frame = frame;
    this.#keyAt = frame.key;
    this.#valueAt = frame.value;
    this.#lookup = frame.lookup;
    this.#entryCode = entryCode(parts.key, parts.value);
    this.#get = this.#plainGet();
    this.#set = this.#plainSet();
  }

  /** The value of a key, `undefined` when it is not there. Throws when the key does not fit its layout. */
  get(key: K): V | undefined {
    return this.#get(key);
  }

  /** Whether a key is there. */
  has(key: K): boolean {
    return this.#find(key);
  }

  /**
   * Gives a key a value and answers the map. Throws before anything is written when key or value do not fit their
   * layouts; throws a `BpfError`: `E2BIG` when the map is full or an index is past the end, `EEXIST` when the flag is
   * `"noexist"` and the key is there, `ENOENT` when it is `"exist"` and the key is not, `EPERM` when the map is frozen or
   * was opened read-only.
   */
  set(key: K, value: V, flag: UpdateFlag = "any"): this {
    if (flag === "any") this.#set(key, value);
    else this.#setPlainly(key, value, flag, this.#conditionalUpdate(flag));
    return this;
  }

  /**
   * Gives many keys their values, in one command of the kernel. Throws before anything is written when one of them does
   * not fit its layout; throws a `BpfError` when the kernel refuses one, whose `count` says how many were written before
   * it. Answers how many there were.
   */
  setMany(entries: Iterable<readonly [K, V]>): number {
    return this.#setAll(Array.isArray(entries) ? (entries as readonly (readonly [K, V])[]) : [...entries], 0);
  }

  /**
   * Gives many keys their values as `setMany` does, slice after slice of `size` entries; between two the event loop has a
   * turn, so that a server goes on answering while millions of entries come. They may come by and by, from a stream. What
   * does not fit its layout stops it before its slice is written; the `count` of a `BpfError` says how many were written in
   * all. Answers how many there were.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { embedded, u32 } from "mapiary";
   *
   * using bpf = embedded();
   * using squares = bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10_000 });
   * function* all(): Iterable<[number, number]> {
   *   for (let n = 0; n < 10_000; n++) yield [n, n * n];
   * }
   * assert.equal(await squares.setSlices(all(), 1000), 10_000);
   * ```
   */
  setSlices(
    entries: Iterable<readonly [K, V]> | AsyncIterable<readonly [K, V]>,
    size: number = SLICE_ENTRIES,
  ): Promise<number> {
    return inSlices(entries, size, (slice, before) => this.#setAll(slice, before));
  }

  /**
   * The key after a key in the kernel's own order, the first one without an argument; `undefined` after the last. A key
   * that is not there is followed by the first one: Linux begins anew, and so would a loop.
   */
  nextKey(key?: K): K | undefined {
    this.assertOpen(BPF_MAP_GET_NEXT_KEY);
    const { firstKey, followingKey, nextKey } = this.#frame;
    if (key !== undefined) this.key.write(this.#memory, this.#keyAt, key);
    const result = key === undefined ? firstKey.run() : followingKey.run();
    if (result === -ENOENT) return undefined;
    if (result < 0) throw this.failure(BPF_MAP_GET_NEXT_KEY, result);
    return this.key.read(this.#memory, nextKey);
  }

  /**
   * One batch as the kernel gives it: at most `count` entries from a cursor on, the beginning without one. Throws a
   * `BpfError` with the code `ENOSPC` when a bucket of a hash holds more than `count`, and `ENOTSUPP` when the kernel has
   * no batches for the map's type; a `RangeError` when `count` is no number of entries.
   */
  lookupBatch(count: number, cursor?: Uint8Array): EntriesAndCursor<K, V> {
    this.assertOpen(BPF_MAP_LOOKUP_BATCH);
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`a batch has 1 entry or more, not ${count}`);
    const batches = new BatchCursor(this.context, this.fd, this.#shape, false, cursor, count);
    const batch = batches.nextOfSize();
    if (typeof batch === "number") throw this.failure(BPF_MAP_LOOKUP_BATCH, batch, { entries: count });
    return { entries: this.decodeEntries(batch), cursor: batches.position };
  }

  /** How many entries there are now: counted, since no kernel keeps the number. */
  count(): number {
    const batches = this.batches(false);
    let total = 0;
    while (!batches.isDone) total += this.nextBatch(batches).count;
    return total;
  }

  /** The keys, in the kernel's own order. */
  keys(): IterableIterator<K> {
    return this.#entryCode.keys(this.batchSource(), this.maxEntries);
  }

  /** The values, in the order of their keys. */
  values(): IterableIterator<V> {
    return this.#entryCode.values(this.batchSource(), this.maxEntries);
  }

  /** The entries, in the kernel's own order. */
  entries(): IterableIterator<[K, V]> {
    return this.#entryCode.entries(this.batchSource(), this.maxEntries);
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  /**
   * The entries in slices of `size`, the last one shorter: what `entries` gives, but between two slices the event loop has a
   * turn, so that a server goes on answering while millions of entries are read.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { embedded, u32 } from "mapiary";
   *
   * using bpf = embedded();
   * using hits = bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10_000 });
   * hits.setMany(Array.from({ length: 10_000 }, (_, n) => [n, 1] as const));
   * let sum = 0;
   * for await (const slice of hits.slices(1000)) {
   *   for (const [, count] of slice) sum += count;
   * }
   * assert.equal(sum, 10_000);
   * ```
   */
  slices(size: number = SLICE_ENTRIES): AsyncIterableIterator<[K, V][]> {
    requireSliceSize(size);
    return slicesOf(this.entries(), size);
  }

  /** Calls a function with each value and its key, as `Map` does. */
  forEach(call: (value: V, key: K, map: this) => void): void {
    for (const [key, value] of this) call(value, key, this);
  }

  /** @internal */
  protected override described(): Record<string, unknown> {
    return { ...super.described(), key: this.key.name, value: this.value.name };
  }

  /** @internal */
  protected override closed(): void {
    this.#isClosed = true;
    this.#get = this.#plainGet();
    this.#set = this.#plainSet();
  }

  /** @internal */
  protected assertOpen(command: number): void {
    if (this.#isClosed) throw this.closedError(command);
  }

  /** @internal Where the shape and the frame are for the types that have more commands. */
  protected get frame(): ElementFrame {
    return this.#frame;
  }

  /** @internal */
  protected get shape(): MapShape {
    return this.#shape;
  }

  /** @internal The batches of the map from its beginning, taking the entries out or not, as long as is good or of `size` entries. */
  protected batches(taking: boolean, size?: number): BatchCursor {
    const batches = new BatchCursor(this.context, this.fd, this.#shape, taking, undefined, size);
    this.assertOpen(batches.command);
    return batches;
  }

  /** @internal */
  protected nextBatch(batches: BatchCursor): Batch {
    const batch = batches.next();
    if (typeof batch === "number") throw this.failure(batches.command, batch);
    return batch;
  }

  /** @internal The batches of the map from its beginning, for an iterator. */
  protected batchSource(): BatchSource {
    const batches = this.batches(false);
    const next = (): Batch | undefined => {
      if (batches.isDone) return undefined;
      this.assertOpen(BPF_MAP_LOOKUP_BATCH);
      return this.nextBatch(batches);
    };
    return { memory: this.#memory, shape: this.#shape, next };
  }

  /** @internal */
  protected decodeEntries({ count, keys, values }: Batch): [K, V][] {
    const { keySize, valueSize } = this.#shape;
    const memory = this.#memory;
    const read = this.#entryCode.reader(count);
    const entries = new Array<[K, V]>(count);
    for (let i = 0; i < count; i++) entries[i] = read(memory, keys + i * keySize, values + i * valueSize);
    return entries;
  }

  /** @internal The error for a command on the key that lies in the frame. */
  protected elementFailure(command: number, errno: number, flags = 0): Error {
    const keyBytes = this.#memory.u8.slice(this.#frame.key, this.#frame.key + this.#shape.keySize);
    return this.failure(command, errno, { flags, keyBytes, key: shown(this.key.decode(keyBytes)) });
  }

  /** Whether a key is there; its value then lies in the frame. */
  #find(key: K): boolean {
    if (this.#isClosed) throw this.closedError(BPF_MAP_LOOKUP_ELEM);
    this.key.write(this.#memory, this.#keyAt, key);
    const result = this.#lookup.run();
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    throw this.elementFailure(BPF_MAP_LOOKUP_ELEM, result);
  }

  /** One batch of `setMany`, when `before` entries of other batches were written already. */
  #setAll(entries: readonly (readonly [K, V])[], before: number): number {
    if (entries.length === 0) return 0;
    this.assertOpen(BPF_MAP_UPDATE_BATCH);
    using batch = new EntryBatch(this.context, this.fd, this.#shape, entries.length, this.label);
    batch.writeEntries(this.#entryCode, entries);
    const result = batch.update();
    if (result < 0) {
      const count = before + batch.count;
      throw this.failure(BPF_MAP_UPDATE_BATCH, result, { ...batch.failingKey(this.key), count, flags: BPF_ANY });
    }
    return entries.length;
  }

  #plainGet(): ElementAccess<K, V>["get"] {
    let calls = 0;
    return (key) => {
      const isThere = this.#find(key);
      if (++calls === HOT_CALLS && generatesCode()) this.#get = generateGet(this.#elementParts());
      return isThere ? this.value.read(this.#memory, this.#valueAt) : undefined;
    };
  }

  #plainSet(): ElementAccess<K, V>["set"] {
    let calls = 0;
    return (key, value) => {
      this.#setPlainly(key, value, "any", this.#frame.update);
      if (++calls === HOT_CALLS && generatesCode()) this.#set = generateSet(this.#elementParts());
    };
  }

  #setPlainly(key: K, value: V, flag: UpdateFlag, command: PreparedCommand): void {
    if (this.#isClosed) throw this.closedError(BPF_MAP_UPDATE_ELEM);
    const memory = this.#memory;
    this.key.write(memory, this.#keyAt, key);
    this.value.write(memory, this.#valueAt, value);
    const result = command.run();
    if (result < 0) throw this.elementFailure(BPF_MAP_UPDATE_ELEM, result, UPDATE_FLAGS[flag]);
  }

  #elementParts(): ElementParts<K, V> {
    const refuse = (command: number) => (result: number) => {
      throw this.elementFailure(command, result);
    };
    return {
      memory: this.#memory,
      key: this.key,
      value: this.value,
      keyAt: this.#keyAt,
      valueAt: this.#valueAt,
      lookup: this.#lookup,
      update: this.#frame.update,
      refuseLookup: refuse(BPF_MAP_LOOKUP_ELEM),
      refuseUpdate: refuse(BPF_MAP_UPDATE_ELEM),
    };
  }

  #conditionalUpdate(flag: UpdateFlag): PreparedCommand {
    if (flag === "noexist") return this.#frame.updateNew;
    if (flag === "exist") return this.#frame.updateExisting;
    throw new TypeError(`an update is "any", "noexist" or "exist", not ${JSON.stringify(flag)}`);
  }
}

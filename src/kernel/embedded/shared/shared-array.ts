import { E2BIG, EEXIST, EINVAL, ENOENT, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_MMAPABLE, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { pageAlign } from "../../../memory/page-allocator.ts";
import { genericLookupBatch, genericUpdateBatch } from "../generic-batch.ts";
import { arrayGuards, GUARD, guardsAt, guardsEnd } from "../guards.ts";
import type { MapBatch } from "../map-batch.ts";
import { type ElementCode, EmbeddedMap } from "../map-ops.ts";
import { elementSize, firstValue } from "../maps/array.ts";
import type { MapGeometry } from "../maps/map-geometry.ts";
import { nextIndex } from "../maps/next-index.ts";
import { slotSize } from "../maps/percpu-values.ts";
import { SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import type { Agent, SharingHost } from "./agent.ts";
import { bumpVersion, Locks } from "./locks.ts";
import { compileArrayLookup, compileArrayUpdate, type SharedArrayGeometry } from "./shared-array-code.ts";

/** How a shared array keeps its values. */
export interface SharedArrayShape {
  /** The bytes of a value in the hands of user space. */
  readonly userValueSize: number;
  readonly mapFlags: number;
  /** Whether there is a value for each CPU: such an array cannot be mapped. */
  readonly isPercpu: boolean;
}

/**
 * An array that threads and processes share. A value of up to 8 bytes is read and written in one piece. A longer one is
 * first written whole behind the guards, in the stage of its guard, where readers find it while its own place is being
 * overwritten; whoever takes over from a dead writer finishes that. What in a value is no data, a lock for example, stays as it
 * is.
 */
export class SharedArray extends EmbeddedMap {
  readonly #values: Address;
  readonly #elementSize: number;
  readonly #userValueSize: number;
  readonly #isPercpu: boolean;
  readonly #isMapable: boolean;
  readonly #isOnePiece: boolean;
  readonly #guards: number;
  readonly #guardMask: number;
  readonly #stages: Address;
  readonly #agent: Agent;
  readonly #locks: Locks;
  /** Eight bytes for a value on its way. */
  readonly #scratch: Address;

  /** Over a segment whose sizes were checked. */
  constructor({ memory, agent, scratch }: SharingHost, base: Address, shape: SharedArrayShape) {
    super(memory, base);
    const { userValueSize, mapFlags, isPercpu } = shape;
    this.#userValueSize = userValueSize;
    this.#elementSize = elementSize(userValueSize);
    this.#isPercpu = isPercpu;
    this.#isMapable = (mapFlags & BPF_F_MMAPABLE) !== 0;
    this.#isOnePiece = this.#elementSize === 8;
    this.#values = base + firstValue(mapFlags);
    const values = this.#elementSize * this.maxEntries;
    const tables = firstValue(mapFlags) + (this.#isMapable ? pageAlign(values) : values);
    const guards = arrayGuards(this, this.#elementSize);
    this.#guards = (base + guardsAt(tables)) >>> 2;
    this.#guardMask = guards - 1;
    this.#stages = base + guardsEnd(tables, guards);
    this.#agent = agent;
    this.#locks = new Locks(memory, agent);
    this.#scratch = scratch;
  }

  override get userValueSize(): number {
    return this.#userValueSize;
  }

  override lookup(key: Address): Address {
    const index = this.memory.u32[key >>> 2] as number;
    return index < this.maxEntries ? this.#values + index * this.#elementSize : 0;
  }

  override copyValue(key: Address, value: Address, isLocked = false): number {
    const element = this.lookup(key);
    if (element === 0) return -ENOENT;
    const index = this.memory.u32[key >>> 2] as number;
    if (isLocked) this.#loadLocked(index, element, value);
    else if (this.#isOnePiece) this.#loadPiece(element, value);
    else this.#loadValue(index, element, value);
    return 0;
  }

  override update(key: Address, value: Address, flags: number): number {
    const mode = this.updateMode(flags);
    if (mode < 0) return -EINVAL;
    const element = this.lookup(key);
    if (element === 0) return -E2BIG;
    if (mode === BPF_NOEXIST) return -EEXIST;
    const lock = mode === flags ? 0 : this.#lockOf(element);
    if (this.#isOnePiece) this.#storePiece(element, value, lock);
    else this.#storeValue(this.memory.u32[key >>> 2] as number, element, value, lock);
    return 0;
  }

  /** Brings the data of a value from one place to another. */
  #storeData(to: Address, from: Address): void {
    const { record } = this;
    if (record === undefined) copyBytes(this.memory, to, from, this.#userValueSize);
    else record.store(this.memory, to, from);
  }

  override get cpuStride(): number {
    return this.#isPercpu ? slotSize(this.valueSize) : 0;
  }

  override get directValue(): Address {
    return this.#isPercpu ? 0 : this.#values;
  }

  override get programGeometry(): MapGeometry {
    return { kind: "array", values: this.#values, elementSize: this.#elementSize, cpuStride: this.cpuStride };
  }

  #loadPiece(element: Address, value: Address): void {
    if (this.#userValueSize <= 4) {
      const { i32 } = this.memory;
      i32[this.#scratch >>> 2] = i32[element >>> 2] as number;
    } else {
      const { i64 } = this.memory;
      i64[this.#scratch >>> 3] = i64[element >>> 3] as bigint;
    }
    this.loadValue(this.#scratch, value);
  }

  /** `lock` is the word of a lock that is to be taken, 0 for none. */
  #storePiece(element: Address, value: Address, lock: number): void {
    const { memory, record } = this;
    const { i32, i64 } = memory;
    if (record !== undefined) copyBytes(memory, this.#scratch, element, this.#userValueSize);
    this.#storeData(this.#scratch, value);
    if (lock !== 0) this.#locks.take(lock);
    if (record?.hasSpinLock === true) {
      // What is not the lock, which somebody may be taking, is one word.
      const data = record.spinLockOffset === 0 ? 1 : 0;
      if (this.#userValueSize === 8) i32[(element >>> 2) + data] = i32[(this.#scratch >>> 2) + data] as number;
    } else if (this.#userValueSize <= 4) {
      i32[element >>> 2] = i32[this.#scratch >>> 2] as number;
    } else {
      i64[element >>> 3] = i64[this.#scratch >>> 3] as bigint;
    }
    if (lock !== 0) this.#locks.release(lock);
  }

  #loadValue(index: number, element: Address, value: Address): void {
    const { memory } = this;
    const { i32 } = memory;
    const guard = this.#guardOf(index);
    for (;;) {
      const version = this.#locks.version(guard);
      const isStaged = Atomics.load(i32, guard + GUARD.STAGED) === index + 1;
      this.loadValue(isStaged ? this.#stageOf(index) : element, value);
      if (this.#locks.version(guard) === version) return;
    }
  }

  /** Gives user space a value while nobody has it locked. */
  #loadLocked(index: number, element: Address, value: Address): void {
    const lock = this.#lockOf(element);
    const guard = this.#guardOf(index);
    if (!this.#isOnePiece) this.#lock(guard, index);
    this.#locks.take(lock);
    this.loadValue(element, value);
    this.#locks.release(lock);
    if (!this.#isOnePiece) this.#locks.release(guard + GUARD.LOCK);
  }

  /** `lock` is the word of a lock that is to be taken, 0 for none. */
  #storeValue(index: number, element: Address, value: Address, lock: number): void {
    const { i32 } = this.memory;
    const guard = this.#guardOf(index);
    this.#lock(guard, index);
    if (lock !== 0) this.#locks.take(lock);
    const stage = this.#stageOf(index);
    this.#storeData(stage, value);
    Atomics.store(i32, guard + GUARD.STAGED, index + 1);
    bumpVersion(i32, guard);
    this.#storeData(element, stage);
    Atomics.store(i32, guard + GUARD.STAGED, 0);
    bumpVersion(i32, guard);
    if (lock !== 0) this.#locks.release(lock);
    this.#locks.release(guard + GUARD.LOCK);
  }

  #lock(guard: number, index: number): void {
    if (this.#locks.take(guard + GUARD.LOCK)) this.#finish(guard, index & this.#guardMask);
  }

  /** Before the lock of somebody who died is taken over, what that one was writing is finished. */
  override lockValue(lock: Address): void {
    const word = lock >>> 2;
    for (;;) {
      const dead = this.#locks.takeUnlessDead(word);
      if (dead === 0) return;
      if (!this.#isOnePiece) {
        const index = Math.floor((lock - this.#values) / this.#elementSize);
        const guard = this.#guardOf(index);
        this.#lock(guard, index);
        this.#locks.release(guard + GUARD.LOCK);
      }
      if (this.#locks.takeOver(word, dead)) return;
    }
  }

  /** The word of the lock in an element. */
  #lockOf(element: Address): number {
    return (element + (this.record?.spinLockOffset ?? 0)) >>> 2;
  }

  /** Brings to its place what a writer that died had already put on the stage. */
  #finish(guard: number, stage: number): void {
    const { i32 } = this.memory;
    const index = (i32[guard + GUARD.STAGED] as number) - 1;
    bumpVersion(i32, guard);
    if (index < 0 || index >= this.maxEntries) return;
    this.#storeData(this.#values + index * this.#elementSize, this.#stageOf(stage));
    Atomics.store(i32, guard + GUARD.STAGED, 0);
    bumpVersion(i32, guard);
  }

  #guardOf(index: number): number {
    return this.#guards + (index & this.#guardMask) * GUARD.WORDS;
  }

  #stageOf(index: number): Address {
    return this.#stages + (index & this.#guardMask) * this.#elementSize;
  }

  override generateLookup(code: ElementCode): (() => number) | undefined {
    return compileArrayLookup(this.#geometry, code);
  }

  override generateUpdate(code: ElementCode): (() => number) | undefined {
    return compileArrayUpdate(this.#geometry, code);
  }

  get #geometry(): SharedArrayGeometry {
    return {
      values: this.#values,
      elementSize: this.#elementSize,
      maxEntries: this.maxEntries,
      valueSize: this.#userValueSize,
      guards: this.#guards * 4,
      guardMask: this.#guardMask,
      stages: this.#stages,
      frozen: this.base + SEGMENT.FROZEN,
      agent: this.#agent.number,
      fence: this.#agent.fence * 4,
    };
  }

  override delete(_key: Address): number {
    return -EINVAL;
  }

  /** An index past the end is followed by the first one: `array_map_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    return nextIndex(this, key, next);
  }

  override lookupBatch(batch: MapBatch): number {
    return genericLookupBatch(this, batch);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override mappable(): { readonly address: Address; readonly bytes: number } | number {
    if (this.#isPercpu) return -ENOTSUPP;
    if (!this.#isMapable) return -EINVAL;
    return { address: this.#values, bytes: pageAlign(this.#elementSize * this.maxEntries) };
  }
}

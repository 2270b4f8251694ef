import { type Atomic, atomicMaker } from "../layout/atomic.ts";
import type { Layout } from "../layout/layout.ts";
import { type Live, LiveArray, type MakeLive } from "../layout/live.ts";
import { liveMaker } from "../layout/live-accessor.ts";
import { i64, u64 } from "../layout/wide.ts";
import { type AddressSpace, OutOfMemoryError } from "../memory/address-space.ts";
import type { MappedMemory, MappedView } from "./mapped-memory.ts";

/** A whole mapped array: a typed array when its values are `u64` or `i64`, a `LiveArray` of any others. */
export type ArrayMemory<V> = [V] extends [bigint] ? BigUint64Array | BigInt64Array : LiveArray<V>;

/** The elements of an array begin at multiples of so many bytes: `kernel/bpf/arraymap.c`, Linux 6.18. */
const ALIGNMENT = 8;

/** The values of an array that is mapped: how its memory is given out. */
export class MappedArray<V> {
  readonly #memory: AddressSpace;
  readonly #mapped: MappedMemory;
  readonly #layout: Layout<V>;
  readonly #length: number;
  readonly #stride: number;
  readonly #live: MakeLive<V>;
  #view: MappedView | undefined;
  /** The memory that `#view` was made over. */
  #seen: Uint8Array | undefined;

  /** `length` values from the beginning of the mapping, which lies in `memory`. */
  constructor(memory: AddressSpace, mapped: MappedMemory, layout: Layout<V>, length: number) {
    this.#memory = memory;
    this.#mapped = mapped;
    this.#layout = layout;
    this.#length = length;
    this.#stride = MappedArray.stride(layout.size);
    this.#live = liveMaker(layout);
  }

  /** How far elements are apart. */
  static stride(valueSize: number): number {
    return Math.ceil(valueSize / ALIGNMENT) * ALIGNMENT;
  }

  /** All values. Throws what the mapping throws when nothing may be written there and a typed array could. */
  get memory(): ArrayMemory<V> {
    const layout = this.#layout as Layout<unknown>;
    if (layout === u64) return this.#typed(BigUint64Array) as ArrayMemory<V>;
    if (layout === i64) return this.#typed(BigInt64Array) as ArrayMemory<V>;
    if (takesBigints(layout)) throw new TypeError(`there is no typed array of ${layout.name}: use at, get and set`);
    const values = new LiveArray(
      this.#mapped,
      this.#mapped.address,
      this.#layout,
      this.#length,
      this.#stride,
      this.#live,
    );
    return values as ArrayMemory<V>;
  }

  /** One value. Throws a `RangeError` past the end. */
  at(index: number): Live<V> {
    return this.#live(this.#mapped, this.#addressOf(index));
  }

  /** The integers of one value. Throws a `RangeError` past the end. */
  atomic(index: number): Atomic<V> {
    return atomicMaker(this.#layout)(this.#mapped, this.#addressOf(index));
  }

  close(): void {
    this.#mapped.close();
  }

  #typed(View: new (buffer: ArrayBufferLike, at: number, length: number) => MappedView): MappedView {
    const view = this.#view;
    if (view !== undefined && this.#seen === this.#mapped.memory.u8) return view;
    this.#mapped.assertWritable();
    // A memory that grows empties the typed arrays over it.
    if (!this.#memory.growToLimit()) {
      const need = `a typed array over mapped memory, which must never grow again, needs all ${this.#memory.limit} bytes`;
      throw new OutOfMemoryError(`${need} that it may grow to, and there are none: use at, or a lower maxMemory`);
    }
    this.#seen = this.#mapped.memory.u8;
    this.#view = this.#mapped.lend(new View(this.#seen.buffer, this.#mapped.address, this.#length));
    return this.#view;
  }

  #addressOf(index: number): number {
    if (index < this.#length) return this.#mapped.address + index * this.#stride;
    throw new RangeError(`there is no index ${index}: the array has ${this.#length} values`);
  }
}

function takesBigints(layout: Layout<unknown>): boolean {
  try {
    layout.check(0n);
    return true;
  } catch {
    return false;
  }
}

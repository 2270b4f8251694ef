import type { Memory } from "../memory/address-space.ts";
import { INSPECT } from "./inspect.ts";
import type { Layout } from "./layout.ts";

/** The bytes of values that are used where they lie, as the views that it takes. */
export interface LiveMemory extends Memory {
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly i64: BigInt64Array;
  readonly u64: BigUint64Array;
}

/** A place where values live: whatever reads or writes one takes the memory from here, each time anew. */
export interface LivePlace {
  /** Throws when the place is gone. */
  readonly memory: LiveMemory;
  /** Throws when nothing may be written here. */
  assertWritable(): void;
}

/**
 * A value of type `V` where it lies: its fields are read from the bytes and written to them at each access. A field that
 * is a struct is such an object again, and one that is an array a `LiveArray`; every other value is itself.
 */
export type LiveField<V> = V extends Uint8Array
  ? V
  : V extends readonly (infer E)[]
    ? LiveArray<E>
    : V extends object
      ? { [Name in keyof V]: LiveField<V[Name]> }
      : V;

/** A value where it lies: a struct by its fields, an array by its elements, any other value as `value`. */
export type Live<V> = [V] extends [Uint8Array]
  ? LiveValue<V>
  : [V] extends [readonly unknown[] | object]
    ? LiveField<V>
    : LiveValue<V>;

/** A value that is neither struct nor array, where it lies. */
export interface LiveValue<V> {
  value: V;
}

/** Makes what stands for the value at an address. */
export type MakeLive<V> = (place: LivePlace, address: number) => Live<V>;

/**
 * Values of one layout one behind the other, where they lie: each access reads or writes their bytes, and copies no more
 * than the one value. It goes on working when the memory grows.
 */
export class LiveArray<V> implements Iterable<V> {
  /** How many values there are. */
  readonly length: number;
  readonly #place: LivePlace;
  readonly #address: number;
  readonly #layout: Layout<V>;
  readonly #stride: number;
  readonly #make: MakeLive<V>;

  /** @internal Values each `stride` bytes behind the last. */
  constructor(place: LivePlace, address: number, layout: Layout<V>, length: number, stride: number, make: MakeLive<V>) {
    this.#place = place;
    this.#address = address;
    this.#layout = layout;
    this.length = length;
    this.#stride = stride;
    this.#make = make;
  }

  /** The value at an index, copied; `undefined` past the end. */
  get(index: number): V | undefined {
    if (!this.#has(index)) return undefined;
    return this.#layout.read(this.#place.memory, this.#address + index * this.#stride);
  }

  /**
   * Writes the value at an index, and answers the array. Throws before anything is written when it does not fit its
   * layout, and a `RangeError` past the end.
   */
  set(index: number, value: V): this {
    const address = this.#addressOf(index);
    this.#place.assertWritable();
    this.#layout.check(value);
    this.#layout.write(this.#place.memory, address, value);
    return this;
  }

  /** The value at an index where it lies, to read and write in place. Throws a `RangeError` past the end. */
  at(index: number): Live<V> {
    return this.#make(this.#place, this.#addressOf(index));
  }

  /** The values, each copied when its turn comes. */
  *[Symbol.iterator](): IterableIterator<V> {
    for (let index = 0; index < this.length; index++) yield this.get(index) as V;
  }

  [INSPECT](): V[] {
    return [...this];
  }

  #has(index: number): boolean {
    return index >>> 0 === index && index < this.length;
  }

  #addressOf(index: number): number {
    if (this.#has(index)) return this.#address + index * this.#stride;
    throw new RangeError(`there is no index ${index}: the indexes are 0 to ${this.length - 1}`);
  }
}

import { isArrayLayout } from "./array.ts";
import { faultError, outOfRange } from "./fault.ts";
import type { Layout } from "./layout.ts";
import type { LivePlace } from "./live.ts";
import { i32, u32 } from "./scalar.ts";
import { isStructLayout } from "./struct.ts";
import { i64, u64 } from "./wide.ts";

/**
 * An integer of 32 or 64 bits where it lies, with what is done to it in one step: nobody, be it another thread, another
 * process or a program on another CPU, sees it half done or loses theirs.
 */
export interface AtomicInteger<T extends number | bigint> {
  load(): T;
  store(value: T): void;
  /** Adds, wrapping around as in C, and answers what was there before; so do all of these. */
  add(value: T): T;
  sub(value: T): T;
  and(value: T): T;
  or(value: T): T;
  xor(value: T): T;
  exchange(value: T): T;
  /** Stores `replacement` if `expected` is there. Answers what was there before: `expected` when it succeeded. */
  compareExchange(expected: T, replacement: T): T;
}

/** The elements of an array, each for atomic operations. */
export interface AtomicArray<V> {
  readonly length: number;
  /** Throws a `RangeError` past the end. */
  at(index: number): Atomic<V>;
}

/** The integers of a value where it lies: itself, or those of its fields and elements. Other values have none. */
export type Atomic<V> = [V] extends [number]
  ? AtomicInteger<number>
  : [V] extends [bigint]
    ? AtomicInteger<bigint>
    : V extends string | boolean | Uint8Array
      ? never
      : V extends readonly (infer E)[]
        ? AtomicArray<E>
        : { readonly [Name in keyof V]: Atomic<V[Name]> };

type MakeAtomic = (place: LivePlace, address: number) => unknown;

const makers = new WeakMap<Layout<unknown>, MakeAtomic>();

/**
 * The integers of a layout's values for atomic operations, where they lie. Throws a `TypeError` for a layout that has
 * none: operations are atomic on aligned integers of 32 and 64 bits in the machine's own byte order.
 */
export function atomicMaker<V>(layout: Layout<V>): (place: LivePlace, address: number) => Atomic<V> {
  let made = makers.get(layout);
  if (made === undefined) {
    made = makerOf(layout);
    makers.set(layout, made);
  }
  return made as (place: LivePlace, address: number) => Atomic<V>;
}

function makerOf(layout: Layout<unknown>): MakeAtomic {
  if (isStructLayout(layout)) return structMaker(layout);
  if (isArrayLayout(layout)) return (place, address) => new LiveAtomics(place, address, layout);
  const make = INTEGERS.get(layout);
  if (make !== undefined) return make;
  throw new TypeError(`${layout.name} has no atomic operations: u32, i32, u64 and i64 have, alone or in a struct`);
}

/** A field without atomic operations only matters to whoever asks for it. */
function structMaker({
  fields,
}: {
  readonly fields: readonly { name: string; offset: number; layout: Layout<unknown> }[];
}): MakeAtomic {
  class Struct {
    readonly #place: LivePlace;
    readonly #address: number;

    constructor(place: LivePlace, address: number) {
      this.#place = place;
      this.#address = address;
    }

    static define(name: string, offset: number, layout: Layout<unknown>): void {
      Object.defineProperty(Struct.prototype, name, {
        get(this: Struct) {
          return atomicMaker(layout)(this.#place, this.#address + offset);
        },
        configurable: true,
      });
    }
  }
  for (const { name, offset, layout } of fields) Struct.define(name, offset, layout);
  return (place, address) => new Struct(place, address);
}

class LiveAtomics<V> implements AtomicArray<V> {
  readonly length: number;
  readonly #place: LivePlace;
  readonly #address: number;
  readonly #of: Layout<V>;

  constructor(place: LivePlace, address: number, { of, length }: { readonly of: Layout<V>; readonly length: number }) {
    this.#place = place;
    this.#address = address;
    this.#of = of;
    this.length = length;
  }

  at(index: number): Atomic<V> {
    if (index >>> 0 !== index || index >= this.length) {
      throw new RangeError(`there is no index ${index}: the indexes are 0 to ${this.length - 1}`);
    }
    return atomicMaker(this.#of)(this.#place, this.#address + index * this.#of.size);
  }
}

/** What `Atomics` works on: one of the views of a memory. */
type View<T> = T extends bigint ? BigInt64Array | BigUint64Array : Int32Array | Uint32Array;

/** An integer of a layout in the view of its kind. */
class LiveInteger<T extends number | bigint> implements AtomicInteger<T> {
  readonly #place: LivePlace;
  readonly #index: number;
  readonly #layout: Layout<T>;
  readonly #view: (place: LivePlace) => View<T>;

  constructor(place: LivePlace, address: number, layout: Layout<T>, view: (place: LivePlace) => View<T>) {
    if (address % layout.size !== 0) {
      throw new TypeError(`this ${layout.name} has no atomic operations: it does not lie at a multiple of its size`);
    }
    this.#place = place;
    this.#index = address / layout.size;
    this.#layout = layout;
    this.#view = view;
  }

  load(): T {
    return Atomics.load(this.#view(this.#place) as BigInt64Array, this.#index) as T;
  }

  store(value: T): void {
    this.#layout.check(value);
    Atomics.store(this.#writable(), this.#index, value as bigint);
  }

  add(value: T): T {
    return Atomics.add(this.#writable(), this.#index, this.#operand(value)) as T;
  }

  sub(value: T): T {
    return Atomics.sub(this.#writable(), this.#index, this.#operand(value)) as T;
  }

  and(value: T): T {
    return Atomics.and(this.#writable(), this.#index, this.#operand(value)) as T;
  }

  or(value: T): T {
    return Atomics.or(this.#writable(), this.#index, this.#operand(value)) as T;
  }

  xor(value: T): T {
    return Atomics.xor(this.#writable(), this.#index, this.#operand(value)) as T;
  }

  exchange(value: T): T {
    this.#layout.check(value);
    return Atomics.exchange(this.#writable(), this.#index, value as bigint) as T;
  }

  compareExchange(expected: T, replacement: T): T {
    this.#layout.check(expected);
    this.#layout.check(replacement);
    return Atomics.compareExchange(this.#writable(), this.#index, expected as bigint, replacement as bigint) as T;
  }

  #writable(): BigInt64Array {
    this.#place.assertWritable();
    return this.#view(this.#place) as BigInt64Array;
  }

  /** An operand is an integer of the right kind; beyond the range it wraps around. */
  #operand(value: T): bigint {
    const fits = this.#layout.size === 8 ? typeof value === "bigint" : Number.isInteger(value);
    if (!fits) this.#layout.check(value);
    return value as bigint;
  }
}

/** An integer of 64 bits whose values are numbers, exact up to 2^53. */
class LiveNumber implements AtomicInteger<number> {
  readonly #integer: AtomicInteger<bigint>;
  readonly #layout: Layout<number>;

  constructor(integer: AtomicInteger<bigint>, layout: Layout<number>) {
    this.#integer = integer;
    this.#layout = layout;
  }

  load(): number {
    return this.#number(this.#integer.load());
  }

  store(value: number): void {
    this.#layout.check(value);
    this.#integer.store(BigInt(value));
  }

  add(value: number): number {
    return this.#number(this.#integer.add(this.#bigint(value)));
  }

  sub(value: number): number {
    return this.#number(this.#integer.sub(this.#bigint(value)));
  }

  and(value: number): number {
    return this.#number(this.#integer.and(this.#bigint(value)));
  }

  or(value: number): number {
    return this.#number(this.#integer.or(this.#bigint(value)));
  }

  xor(value: number): number {
    return this.#number(this.#integer.xor(this.#bigint(value)));
  }

  exchange(value: number): number {
    this.#layout.check(value);
    return this.#number(this.#integer.exchange(BigInt(value)));
  }

  compareExchange(expected: number, replacement: number): number {
    this.#layout.check(expected);
    this.#layout.check(replacement);
    return this.#number(this.#integer.compareExchange(BigInt(expected), BigInt(replacement)));
  }

  #bigint(operand: number): bigint {
    if (!Number.isSafeInteger(operand)) this.#layout.check(operand);
    return BigInt(operand);
  }

  #number(value: bigint): number {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw faultError(
      this.#layout.name,
      outOfRange(this.#layout.name, `${value} is beyond 2^53 - 1, where numbers are no longer exact`),
    );
  }
}

const integer =
  <T extends number | bigint>(layout: Layout<T>, view: (place: LivePlace) => View<T>) =>
  (place: LivePlace, address: number): AtomicInteger<T> =>
    new LiveInteger<T>(place, address, layout, view);

const unsigned64 = integer<bigint>(u64, ({ memory }) => memory.u64);
const signed64 = integer<bigint>(i64, ({ memory }) => memory.i64);

const INTEGERS: ReadonlyMap<object, MakeAtomic> = new Map<object, MakeAtomic>([
  [u32, integer<number>(u32, ({ memory }) => memory.u32)],
  [i32, integer<number>(i32, ({ memory }) => memory.i32)],
  [u64, unsigned64],
  [i64, signed64],
  [u64.number, (place, address) => new LiveNumber(unsigned64(place, address), u64.number)],
  [i64.number, (place, address) => new LiveNumber(signed64(place, address), i64.number)],
]);

import type { Memory } from "../memory/address-space.ts";

/**
 * How a JavaScript value of type `T` lies in bytes, by the C ABI (little-endian, as on x64 and arm64). A layout is a
 * value: it is given to `createMap` as `key` or `value`, nested in `struct` and `array`, and its TypeScript type is
 * inferred from it.
 */
export interface Layout<T> {
  /** How the layout is written, for messages: `u32`, `bytes(16)`, `struct { hits: u64, seen: u64 }`. */
  readonly name: string;
  /** `sizeof` in bytes. */
  readonly size: number;
  /** `alignof` in bytes. */
  readonly align: number;
  /** Reads the value at an address, aligned or not. */
  read(memory: Memory, address: number): T;
  /**
   * Writes a value at an address, aligned or not; padding becomes zero. Throws a `TypeError` or `RangeError` that names
   * the layout, the place inside it and the value when the value does not fit; the bytes at the address are then
   * undefined, so a caller whose bytes are live calls `check` first.
   */
  write(memory: Memory, address: number, value: T): void;
  /** Throws as `write` would, and writes nothing. */
  check(value: T): void;
  /** The value as bytes of its own. */
  encode(value: T): Uint8Array;
  /** The value of bytes; throws a `RangeError` when there are not exactly `size` of them. */
  decode(bytes: Uint8Array): T;
}

/** The JavaScript type of a layout: `Value<typeof u32>` is `number`. */
export type Value<L> = L extends Layout<infer T> ? T : never;

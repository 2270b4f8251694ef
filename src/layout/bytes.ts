import { define, isBytes, refuse, requireLength } from "./define.ts";
import { outOfRange, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** Up to so many bytes a loop is faster than `TypedArray.prototype.set`, which costs about 12 ns at least. */
const LOOP_LENGTH = 8;

const allBytes = new WeakSet<object>();

/** Whether a layout is `bytes`. */
export function isBytesLayout(layout: object): boolean {
  return allBytes.has(layout);
}

/**
 * `length` bytes as they are, `unsigned char[length]`: a Uint8Array. Reading makes a fresh copy; writing takes exactly
 * `length` bytes, else it throws a `RangeError`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { bytes } from "mapiary";
 *
 * const digest = bytes(4);
 * assert.equal(digest.size, 4);
 * assert.throws(() => digest.encode(Uint8Array.of(1, 2, 3)), /bytes\(4\): expected 4 bytes, got 3/);
 * ```
 */
export function bytes(length: number): Layout<Uint8Array> {
  requireLength("bytes", length, 1);
  const name = `bytes(${length})`;
  const layout: Layout<Uint8Array> = define<Uint8Array>({
    name,
    size: length,
    align: 1,
    read: (memory, address) => memory.u8.slice(address, address + length),
    write: length <= LOOP_LENGTH ? writeFew : writeMany,
    fault(value) {
      if (!isBytes(value)) return wrongKind(name, "a Uint8Array", value);
      if (value.length !== length) return outOfRange(name, `expected ${length} bytes, got ${value.length}`);
      return undefined;
    },
  });
  allBytes.add(layout);
  return layout;

  function writeFew({ u8 }: { u8: Uint8Array }, address: number, value: Uint8Array): void {
    if (!isBytes(value) || value.length !== length) refuse(layout, value);
    for (let i = 0; i < length; i++) u8[address + i] = value[i] as number;
  }

  function writeMany({ u8 }: { u8: Uint8Array }, address: number, value: Uint8Array): void {
    if (!isBytes(value) || value.length !== length) refuse(layout, value);
    u8.set(value, address);
  }
}

import { inlineScalar } from "./code.ts";
import { define, refuse } from "./define.ts";
import { type Fault, outOfRange, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

/**
 * An unsigned integer of one byte, `__u8`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u8 } from "mapiary";
 *
 * assert.deepEqual(u8.encode(255), Uint8Array.of(255));
 * assert.throws(() => u8.encode(256), RangeError);
 * ```
 */
export const u8: Layout<number> = integer({
  name: "u8",
  size: 1,
  range: [0, 0xff],
  accessor: "Uint8",
  fits: (value) => `(${value} & 0xff) === ${value}`,
  read: (memory, address) => memory.view.getUint8(address),
  write(memory, address, value) {
    if (typeof value !== "number" || (value & 0xff) !== value) refuse(u8, value);
    memory.view.setUint8(address, value);
  },
});

/**
 * An unsigned integer of two bytes, `__u16`, least significant byte first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u16 } from "mapiary";
 *
 * assert.deepEqual(u16.encode(8080), Uint8Array.of(0x90, 0x1f));
 * ```
 */
export const u16: Layout<number> = integer({
  name: "u16",
  size: 2,
  range: [0, 0xffff],
  accessor: "Uint16",
  fits: (value) => `(${value} & 0xffff) === ${value}`,
  read: (memory, address) => memory.view.getUint16(address, true),
  write(memory, address, value) {
    if (typeof value !== "number" || (value & 0xffff) !== value) refuse(u16, value);
    memory.view.setUint16(address, value, true);
  },
});

/**
 * An unsigned integer of four bytes, `__u32`, least significant byte first: the key of every array map.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u32 } from "mapiary";
 *
 * assert.deepEqual(u32.encode(5), Uint8Array.of(5, 0, 0, 0));
 * assert.throws(() => u32.encode(2 ** 32), /u32: 4294967296 is out of range, 0 to 4294967295/);
 * ```
 */
export const u32: Layout<number> = integer({
  name: "u32",
  size: 4,
  range: [0, 0xffff_ffff],
  accessor: "Uint32",
  fits: (value) => `${value} >>> 0 === ${value}`,
  read: (memory, address) => memory.view.getUint32(address, true),
  write(memory, address, value) {
    if (typeof value !== "number" || value >>> 0 !== value) refuse(u32, value);
    memory.view.setUint32(address, value, true);
  },
});

/**
 * A signed integer of one byte, `__s8`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i8 } from "mapiary";
 *
 * assert.deepEqual(i8.encode(-1), Uint8Array.of(0xff));
 * ```
 */
export const i8: Layout<number> = integer({
  name: "i8",
  size: 1,
  range: [-0x80, 0x7f],
  accessor: "Int8",
  fits: (value) => `${value} << 24 >> 24 === ${value}`,
  read: (memory, address) => memory.view.getInt8(address),
  write(memory, address, value) {
    if (typeof value !== "number" || (value << 24) >> 24 !== value) refuse(i8, value);
    memory.view.setInt8(address, value);
  },
});

/**
 * A signed integer of two bytes, `__s16`, least significant byte first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i16 } from "mapiary";
 *
 * assert.deepEqual(i16.encode(-2), Uint8Array.of(0xfe, 0xff));
 * ```
 */
export const i16: Layout<number> = integer({
  name: "i16",
  size: 2,
  range: [-0x8000, 0x7fff],
  accessor: "Int16",
  fits: (value) => `${value} << 16 >> 16 === ${value}`,
  read: (memory, address) => memory.view.getInt16(address, true),
  write(memory, address, value) {
    if (typeof value !== "number" || (value << 16) >> 16 !== value) refuse(i16, value);
    memory.view.setInt16(address, value, true);
  },
});

/**
 * A signed integer of four bytes, `__s32` or `int`, least significant byte first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i32 } from "mapiary";
 *
 * assert.deepEqual(i32.encode(-1), Uint8Array.of(0xff, 0xff, 0xff, 0xff));
 * ```
 */
export const i32: Layout<number> = integer({
  name: "i32",
  size: 4,
  range: [-0x8000_0000, 0x7fff_ffff],
  accessor: "Int32",
  fits: (value) => `(${value} | 0) === ${value}`,
  read: (memory, address) => memory.view.getInt32(address, true),
  write(memory, address, value) {
    if (typeof value !== "number" || (value | 0) !== value) refuse(i32, value);
    memory.view.setInt32(address, value, true);
  },
});

/**
 * A `float`. A number is rounded to the nearest that four bytes can hold; a finite one that would become infinite is a
 * `RangeError`. NaN and the infinities are themselves.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { f32 } from "mapiary";
 *
 * assert.equal(f32.decode(f32.encode(0.1)), Math.fround(0.1));
 * ```
 */
export const f32: Layout<number> = define({
  name: "f32",
  size: 4,
  align: 4,
  read: (memory, address) => memory.view.getFloat32(address, true),
  write(memory, address, value) {
    if (typeof value !== "number" || Number.isFinite(Math.fround(value)) !== Number.isFinite(value)) refuse(f32, value);
    memory.view.setFloat32(address, value, true);
  },
  fault(value) {
    if (typeof value !== "number") return wrongKind("f32", "a number", value);
    if (Number.isFinite(Math.fround(value)) === Number.isFinite(value)) return undefined;
    return outOfRange("f32", `${value} is out of range, -3.4028234663852886e+38 to 3.4028234663852886e+38`);
  },
  inline: inlineScalar({
    read: (at) => `view.getFloat32(${at}, true)`,
    fits: (value) =>
      `typeof ${value} === "number" && Number.isFinite(Math.fround(${value})) === Number.isFinite(${value})`,
    write: (at, value) => `view.setFloat32(${at}, ${value}, true);`,
  }),
});

/**
 * A `double`: every number, as it is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { f64 } from "mapiary";
 *
 * assert.equal(f64.decode(f64.encode(0.1)), 0.1);
 * ```
 */
export const f64: Layout<number> = define({
  name: "f64",
  size: 8,
  align: 8,
  read: (memory, address) => memory.view.getFloat64(address, true),
  write(memory, address, value) {
    if (typeof value !== "number") refuse(f64, value);
    memory.view.setFloat64(address, value, true);
  },
  fault: (value) => (typeof value === "number" ? undefined : wrongKind("f64", "a number", value)),
  inline: inlineScalar({
    read: (at) => `view.getFloat64(${at}, true)`,
    fits: (value) => `typeof ${value} === "number"`,
    write: (at, value) => `view.setFloat64(${at}, ${value}, true);`,
  }),
});

/**
 * A `_Bool`, one byte: 0 is false and written for false, 1 is written for true, and any byte but 0 reads as true.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { bool } from "mapiary";
 *
 * assert.deepEqual(bool.encode(true), Uint8Array.of(1));
 * assert.equal(bool.decode(Uint8Array.of(2)), true);
 * ```
 */
export const bool: Layout<boolean> = define({
  name: "bool",
  size: 1,
  align: 1,
  read: (memory, address) => memory.view.getUint8(address) !== 0,
  write(memory, address, value) {
    if (typeof value !== "boolean") refuse(bool, value);
    memory.view.setUint8(address, value ? 1 : 0);
  },
  fault: (value) => (typeof value === "boolean" ? undefined : wrongKind("bool", "a boolean", value)),
  inline: inlineScalar({
    read: (at) => `view.getUint8(${at}) !== 0`,
    fits: (value) => `typeof ${value} === "boolean"`,
    write: (at, value) => `view.setUint8(${at}, ${value} ? 1 : 0);`,
  }),
});

/** An integer of at most four bytes. */
interface IntegerDefinition {
  readonly name: string;
  readonly size: 1 | 2 | 4;
  readonly range: readonly [least: number, most: number];
  /** What `DataView` calls it: `Uint32` for `getUint32` and `setUint32`. */
  readonly accessor: string;
  readonly littleEndian?: boolean;
  /** A test of a variable, in code, that a number passes when it is in range and has no fraction. */
  fits(value: string): string;
  readonly read: Layout<number>["read"];
  readonly write: Layout<number>["write"];
}

/** Makes the layout of an integer of at most four bytes. */
export function integer(definition: IntegerDefinition): Layout<number> {
  const { name, size, range, accessor, littleEndian = true, fits, read, write } = definition;
  return define({
    name,
    size,
    align: size,
    read,
    write,
    fault: (value) => integerFault(name, range, value),
    inline: inlineScalar({
      read: (at) => `view.get${accessor}(${at}, ${littleEndian})`,
      fits,
      write: (at, value) => `view.set${accessor}(${at}, ${value}, ${littleEndian});`,
    }),
  });
}

/** What keeps a value from being an integer of a range, whose ends are safe. */
export function integerFault(
  name: string,
  [least, most]: readonly [number, number],
  value: unknown,
): Fault | undefined {
  if (typeof value === "bigint") return wrongKind(name, "a number", value, `use Number(${value}n)`);
  if (typeof value !== "number") return wrongKind(name, "a number", value);
  if (!Number.isInteger(value)) return outOfRange(name, `${value} is not an integer`);
  if (value < least || value > most) return outOfRange(name, `${value} is out of range, ${least} to ${most}`);
  return undefined;
}

import { refuse } from "./define.ts";
import type { Layout } from "./layout.ts";
import { integer } from "./scalar.ts";

/**
 * An unsigned integer of two bytes in network byte order, `__be16`: a port, an EtherType.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u16be } from "mapiary";
 *
 * assert.deepEqual(u16be.encode(443), Uint8Array.of(0x01, 0xbb));
 * ```
 */
export const u16be: Layout<number> = integer({
  name: "u16be",
  size: 2,
  range: [0, 0xffff],
  accessor: "Uint16",
  littleEndian: false,
  fits: (value) => `(${value} & 0xffff) === ${value}`,
  read: (memory, address) => memory.view.getUint16(address, false),
  write(memory, address, value) {
    if (typeof value !== "number" || (value & 0xffff) !== value) refuse(u16be, value);
    memory.view.setUint16(address, value, false);
  },
});

/**
 * An unsigned integer of four bytes in network byte order, `__be32`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u32be } from "mapiary";
 *
 * assert.deepEqual(u32be.encode(0x0a000001), Uint8Array.of(10, 0, 0, 1));
 * ```
 */
export const u32be: Layout<number> = integer({
  name: "u32be",
  size: 4,
  range: [0, 0xffff_ffff],
  accessor: "Uint32",
  littleEndian: false,
  fits: (value) => `${value} >>> 0 === ${value}`,
  read: (memory, address) => memory.view.getUint32(address, false),
  write(memory, address, value) {
    if (typeof value !== "number" || value >>> 0 !== value) refuse(u32be, value);
    memory.view.setUint32(address, value, false);
  },
});

/**
 * A signed integer of two bytes, most significant byte first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i16be } from "mapiary";
 *
 * assert.deepEqual(i16be.encode(-2), Uint8Array.of(0xff, 0xfe));
 * ```
 */
export const i16be: Layout<number> = integer({
  name: "i16be",
  size: 2,
  range: [-0x8000, 0x7fff],
  accessor: "Int16",
  littleEndian: false,
  fits: (value) => `${value} << 16 >> 16 === ${value}`,
  read: (memory, address) => memory.view.getInt16(address, false),
  write(memory, address, value) {
    if (typeof value !== "number" || (value << 16) >> 16 !== value) refuse(i16be, value);
    memory.view.setInt16(address, value, false);
  },
});

/**
 * A signed integer of four bytes, most significant byte first.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i32be } from "mapiary";
 *
 * assert.deepEqual(i32be.encode(-2), Uint8Array.of(0xff, 0xff, 0xff, 0xfe));
 * ```
 */
export const i32be: Layout<number> = integer({
  name: "i32be",
  size: 4,
  range: [-0x8000_0000, 0x7fff_ffff],
  accessor: "Int32",
  littleEndian: false,
  fits: (value) => `(${value} | 0) === ${value}`,
  read: (memory, address) => memory.view.getInt32(address, false),
  write(memory, address, value) {
    if (typeof value !== "number" || (value | 0) !== value) refuse(i32be, value);
    memory.view.setInt32(address, value, false);
  },
});

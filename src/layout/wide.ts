import { inlineScalar } from "./code.ts";
import { define, refuse } from "./define.ts";
import { type Fault, outOfRange, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";
import { integerFault } from "./scalar.ts";

const TWO_TO_32 = 2 ** 32;
const MOST_SAFE = Number.MAX_SAFE_INTEGER;
/** The upper half of 2^53 - 1. */
const MOST_SAFE_HIGH = 0x1f_ffff;

/** An integer of eight bytes: a `bigint`, or by its `number` a number. */
export interface BigIntLayout extends Layout<bigint> {
  /**
   * The same bytes as a `number`, for counters that stay below 2^53 (a nanosecond clock does, for 104 days). Throws a
   * `RangeError` where a number would not be exact: when it is written and when it is read.
   */
  readonly number: Layout<number>;
}

/**
 * An unsigned integer of eight bytes, `__u64`, least significant byte first, as a `bigint`; `u64.number` is the same
 * as a `number`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u64 } from "mapiary";
 *
 * assert.equal(u64.decode(u64.encode(2n ** 64n - 1n)), 18446744073709551615n);
 * assert.equal(u64.number.decode(u64.encode(42n)), 42);
 * assert.throws(() => u64.number.decode(u64.encode(2n ** 53n)), RangeError);
 * ```
 */
export const u64: BigIntLayout = wide({
  name: "u64",
  range: [0n, 2n ** 64n - 1n],
  accessor: "BigUint64",
  littleEndian: true,
  read: (memory, address) => memory.view.getBigUint64(address, true),
  write(memory, address, value) {
    if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) refuse(u64, value);
    memory.view.setBigUint64(address, value, true);
  },
  number: {
    // Most counters have an upper half of 0, and then need no floating point.
    read(memory, address) {
      const low = memory.view.getUint32(address, true);
      const high = memory.view.getUint32(address + 4, true);
      return high === 0 ? low : joinUnsigned("u64", low, high);
    },
    write(memory, address, value) {
      if (typeof value === "number" && value >>> 0 === value) {
        memory.view.setUint32(address, value, true);
        memory.view.setUint32(address + 4, 0, true);
        return;
      }
      if (!Number.isSafeInteger(value) || value < 0) refuse(u64.number, value);
      memory.view.setUint32(address, value >>> 0, true);
      memory.view.setUint32(address + 4, Math.floor(value / TWO_TO_32), true);
    },
  },
});

/**
 * A signed integer of eight bytes, `__s64` or `long`, least significant byte first, as a `bigint`; `i64.number` is the
 * same as a `number`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i64 } from "mapiary";
 *
 * assert.equal(i64.decode(i64.encode(-5n)), -5n);
 * assert.equal(i64.number.decode(i64.encode(-5n)), -5);
 * ```
 */
export const i64: BigIntLayout = wide({
  name: "i64",
  range: [-(2n ** 63n), 2n ** 63n - 1n],
  accessor: "BigInt64",
  littleEndian: true,
  read: (memory, address) => memory.view.getBigInt64(address, true),
  write(memory, address, value) {
    if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) refuse(i64, value);
    memory.view.setBigInt64(address, value, true);
  },
  number: {
    read: (memory, address) =>
      joinSigned("i64", memory.view.getUint32(address, true), memory.view.getInt32(address + 4, true)),
    write(memory, address, value) {
      if (!Number.isSafeInteger(value)) refuse(i64.number, value);
      memory.view.setUint32(address, value >>> 0, true);
      memory.view.setInt32(address + 4, Math.floor(value / TWO_TO_32), true);
    },
  },
});

/**
 * An unsigned integer of eight bytes in network byte order, `__be64`, as a `bigint`; `u64be.number` is the same as a
 * `number`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { u64be } from "mapiary";
 *
 * assert.deepEqual(u64be.encode(258n), Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2));
 * ```
 */
export const u64be: BigIntLayout = wide({
  name: "u64be",
  range: [0n, 2n ** 64n - 1n],
  accessor: "BigUint64",
  littleEndian: false,
  read: (memory, address) => memory.view.getBigUint64(address, false),
  write(memory, address, value) {
    if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) refuse(u64be, value);
    memory.view.setBigUint64(address, value, false);
  },
  number: {
    read: (memory, address) =>
      joinUnsigned("u64be", memory.view.getUint32(address + 4, false), memory.view.getUint32(address, false)),
    write(memory, address, value) {
      if (!Number.isSafeInteger(value) || value < 0) refuse(u64be.number, value);
      memory.view.setUint32(address + 4, value >>> 0, false);
      memory.view.setUint32(address, Math.floor(value / TWO_TO_32), false);
    },
  },
});

/**
 * A signed integer of eight bytes, most significant byte first, as a `bigint`; `i64be.number` is the same as a
 * `number`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { i64be } from "mapiary";
 *
 * assert.deepEqual(i64be.encode(-2n), Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 254));
 * ```
 */
export const i64be: BigIntLayout = wide({
  name: "i64be",
  range: [-(2n ** 63n), 2n ** 63n - 1n],
  accessor: "BigInt64",
  littleEndian: false,
  read: (memory, address) => memory.view.getBigInt64(address, false),
  write(memory, address, value) {
    if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) refuse(i64be, value);
    memory.view.setBigInt64(address, value, false);
  },
  number: {
    read: (memory, address) =>
      joinSigned("i64be", memory.view.getUint32(address + 4, false), memory.view.getInt32(address, false)),
    write(memory, address, value) {
      if (!Number.isSafeInteger(value)) refuse(i64be.number, value);
      memory.view.setUint32(address + 4, value >>> 0, false);
      memory.view.setInt32(address, Math.floor(value / TWO_TO_32), false);
    },
  },
});

interface WideDefinition {
  readonly name: string;
  readonly range: readonly [least: bigint, most: bigint];
  readonly accessor: "BigUint64" | "BigInt64";
  readonly littleEndian: boolean;
  readonly read: Layout<bigint>["read"];
  readonly write: Layout<bigint>["write"];
  readonly number: Pick<Layout<number>, "read" | "write">;
}

function wide(definition: WideDefinition): BigIntLayout {
  const { name, range, accessor, littleEndian, read, write } = definition;
  const wrap = accessor === "BigUint64" ? "BigInt.asUintN" : "BigInt.asIntN";
  const layout = define<bigint>({
    name,
    size: 8,
    align: 8,
    read,
    write,
    fault: (value) => bigintFault(name, range, value),
    inline: inlineScalar({
      read: (at) => `view.get${accessor}(${at}, ${littleEndian})`,
      fits: (value) => `typeof ${value} === "bigint" && ${wrap}(64, ${value}) === ${value}`,
      write: (at, value) => `view.set${accessor}(${at}, ${value}, ${littleEndian});`,
    }),
  });
  return Object.assign(layout, { number: wideNumber(definition) });
}

function wideNumber({ name, accessor, littleEndian, number }: WideDefinition): Layout<number> {
  const signed = accessor === "BigInt64";
  const range = [signed ? -MOST_SAFE : 0, MOST_SAFE] as const;
  const high = signed ? "Int32" : "Uint32";
  const [lowAt, highAt] = littleEndian ? [0, 4] : [4, 0];
  return define<number>({
    name: `${name}.number`,
    size: 8,
    align: 8,
    read: number.read,
    write: number.write,
    fault: (value) => integerFault(`${name}.number`, range, value),
    inline: {
      weight: 2,
      read(code, { base, offset }) {
        const join = code.constant(signed ? joinSigned : joinUnsigned);
        const [lower, upper] = [code.variable(), code.variable()];
        code.add(`const ${lower} = view.getUint32(${base} + ${offset + lowAt}, ${littleEndian});`);
        code.add(`const ${upper} = view.get${high}(${base} + ${offset + highAt}, ${littleEndian});`);
        return `(${upper} === 0 ? ${lower} : ${join}("${name}", ${lower}, ${upper}))`;
      },
      write(code, value, place) {
        const fits = `Number.isSafeInteger(${value})${signed ? "" : ` && ${value} >= 0`}`;
        if (place === undefined) return code.require(fits);
        const { base, offset } = place;
        const set = (low: string, upper: string): void => {
          code.add(`view.setUint32(${base} + ${offset + lowAt}, ${low}, ${littleEndian});`);
          code.add(`view.set${high}(${base} + ${offset + highAt}, ${upper}, ${littleEndian});`);
        };
        // Most counters have an upper half of 0, and then need no floating point.
        code.add(`if (${value} >>> 0 === ${value}) {`);
        set(value, "0");
        code.add("} else {");
        code.require(fits);
        set(`${value} >>> 0`, `Math.floor(${value} / ${TWO_TO_32})`);
        code.add("}");
      },
    },
  });
}

function bigintFault(name: string, [least, most]: readonly [bigint, bigint], value: unknown): Fault | undefined {
  if (typeof value === "number") {
    const literal = Number.isSafeInteger(value) ? `${value}n` : "a bigint";
    return wrongKind(name, "a bigint", value, `use ${literal}, or ${name}.number`);
  }
  if (typeof value !== "bigint") return wrongKind(name, "a bigint", value);
  if (value < least || value > most) return outOfRange(name, `${value} is out of range, ${least} to ${most}`);
  return undefined;
}

function joinUnsigned(name: string, low: number, high: number): number {
  if (high > MOST_SAFE_HIGH) throw inexact(name, low, high);
  return high * TWO_TO_32 + low;
}

/** What is beyond 2^53 - 1 on either side is so after rounding too. */
function joinSigned(name: string, low: number, high: number): number {
  const value = high * TWO_TO_32 + low;
  if (value > MOST_SAFE || value < -MOST_SAFE) throw inexact(name, low, high);
  return value;
}

function inexact(name: string, low: number, high: number): RangeError {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return new RangeError(`${name}.number: ${value} is beyond 2^53 - 1, where numbers are no longer exact (use ${name})`);
}

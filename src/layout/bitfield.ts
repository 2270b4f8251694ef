import type { Memory } from "../memory/address-space.ts";
import { addressOf, type Inline, type Place } from "./code.ts";
import { define, refuse } from "./define.ts";
import { type Fault, outOfRange, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

const bitfields = new WeakSet<object>();

/** How a bitfield is read. */
export interface BitfieldOptions {
  /** Whether its highest bit is a sign. Default false. */
  readonly signed?: boolean;
}

/**
 * `width` bits of a struct, from bit `start` of the byte where it lies, which is 0 to 7: a `number` up to 32 bits, a
 * `bigint` beyond. It shares its bytes with the bitfields beside it, so it only stands in a struct that says where its
 * fields lie: one made by BTF, or `structAt`.
 */
export function bitfield(
  start: number,
  width: number,
  { signed = false }: BitfieldOptions = {},
): Layout<number | bigint> {
  const isWhole = Number.isInteger(start) && Number.isInteger(width);
  if (!isWhole || start < 0 || start > 7 || width < 1 || width > 64) {
    throw new RangeError(`bitfield: ${width} bits from bit ${start} are none`);
  }
  const name = `${signed ? "i" : "u"}${width} bits`;
  const bytes = Math.ceil((start + width) / 8);
  const isNumber = width <= 32;
  const mask = (1n << BigInt(width)) - 1n;
  const shift = BigInt(start);
  const [least, most] = signed ? [-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n] : [0n, mask];

  const layout: Layout<number | bigint> = define<number | bigint>({
    name,
    size: bytes,
    align: 1,
    read({ u8 }, address) {
      const bits = (word(u8, address, bytes) >> shift) & mask;
      const value = signed ? BigInt.asIntN(width, bits) : bits;
      return isNumber ? Number(value) : value;
    },
    write({ u8 }: Memory, address, value) {
      if (fault(value) !== undefined) refuse(layout, value);
      let rest = (word(u8, address, bytes) & ~(mask << shift)) | ((BigInt(value) & mask) << shift);
      for (let i = 0; i < bytes; i++, rest >>= 8n) u8[address + i] = Number(rest & 0xffn);
    },
    fault,
    inline: inlineBits({ start, width, signed, bytes, write: (...args) => layout.write(...args) }),
  });
  bitfields.add(layout);
  return layout;

  function fault(value: unknown): Fault | undefined {
    const isKind = isNumber ? typeof value === "number" && Number.isInteger(value) : typeof value === "bigint";
    if (!isKind) return wrongKind(name, isNumber ? "an integer" : "a bigint", value);
    const exact = BigInt(value as number | bigint);
    return exact >= least && exact <= most
      ? undefined
      : outOfRange(name, `${value} is out of range, ${least} to ${most}`);
  }
}

/** Whether a layout has some bits of its bytes alone. */
export function isBitfield(layout: object): boolean {
  return bitfields.has(layout);
}

/** A bitfield that reads as something else than its number. */
export function bitfieldAs<T>(layout: Layout<T>): Layout<T> {
  bitfields.add(layout);
  return layout;
}

interface Bits {
  readonly start: number;
  readonly width: number;
  readonly signed: boolean;
  /** How many bytes they lie in. */
  readonly bytes: number;
  write: Layout<number | bigint>["write"];
}

/** Bits of at most four bytes are written by code too; others are written by a call. */
function inlineBits({ start, width, signed, bytes, write }: Bits): Inline {
  const isShort = start + width <= 32;
  return {
    weight: 1,
    read: (_code, place) => (width <= 32 ? numberAt(place) : bigintAt(place)),
    write(code, value, place) {
      const [least, most] = signed ? [-(2 ** (width - 1)), 2 ** (width - 1) - 1] : [0, 2 ** width - 1];
      if (width <= 32) code.require(`Number.isInteger(${value}) && ${value} >= ${least} && ${value} <= ${most}`);
      else
        code.require(
          `typeof ${value} === "bigint" && BigInt.as${signed ? "Int" : "Uint"}N(${width}, ${value}) === ${value}`,
        );
      if (place === undefined) return;
      if (!isShort) return code.add(`${code.constant(write)}(memory, ${addressOf(place)}, ${value});`);
      const mask = width === 32 ? -1 : 2 ** width - 1;
      const merged = code.variable();
      const kept = `${wordAt(place, bytes)} & ${~(mask << start)}`;
      code.add(`const ${merged} = (${kept}) | ((${value} & ${mask}) << ${start});`);
      if (bytes === 1) return code.add(`view.setUint8(${addressOf(place)}, ${merged});`);
      if (bytes === 4) return code.add(`view.setUint32(${addressOf(place)}, ${merged}, true);`);
      code.add(`view.setUint16(${addressOf(place)}, ${merged}, true);`);
      if (bytes === 3) code.add(`view.setUint8(${addressOf(beyond(place, 2))}, ${merged} >> 16);`);
    },
  };

  function numberAt(place: Place): string {
    // The bits from `start` on, at least `width` of them, as the lowest of 32.
    const low = isShort
      ? `(${wordAt(place, bytes)} >>> ${start})`
      : `((${wordAt(place, 4)} >>> ${start}) | (view.getUint8(${addressOf(beyond(place, 4))}) << ${32 - start}))`;
    if (signed) return `(${low} << ${32 - width} >> ${32 - width})`;
    return width === 32 ? `(${low} >>> 0)` : `(${low} & ${2 ** width - 1})`;
  }

  function bigintAt(place: Place): string {
    const low =
      bytes >= 8
        ? `view.getBigUint64(${addressOf(place)}, true)`
        : `BigInt(view.getUint32(${addressOf(place)}, true)) | (BigInt(${wordAt(beyond(place, 4), bytes - 4)}) << 32n)`;
    const all = bytes <= 8 ? low : `${low} | (BigInt(view.getUint8(${addressOf(beyond(place, 8))})) << 64n)`;
    return `BigInt.as${signed ? "Int" : "Uint"}N(${width}, (${all}) >> ${start}n)`;
  }
}

/** The expression of up to four bytes as a number. */
function wordAt(place: Place, bytes: number): string {
  const at = addressOf(place);
  if (bytes === 1) return `view.getUint8(${at})`;
  if (bytes === 2) return `view.getUint16(${at}, true)`;
  if (bytes === 4) return `view.getUint32(${at}, true)`;
  return `(view.getUint16(${at}, true) | (view.getUint8(${addressOf(beyond(place, 2))}) << 16))`;
}

function beyond({ base, offset }: Place, bytes: number): Place {
  return { base, offset: offset + bytes };
}

function word(u8: Uint8Array, address: number, bytes: number): bigint {
  let word = 0n;
  for (let i = bytes - 1; i >= 0; i--) word = (word << 8n) | BigInt(u8[address + i] as number);
  return word;
}

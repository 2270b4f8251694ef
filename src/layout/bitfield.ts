import type { Memory } from "../memory/address-space.ts";
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

function word(u8: Uint8Array, address: number, bytes: number): bigint {
  let word = 0n;
  for (let i = bytes - 1; i >= 0; i--) word = (word << 8n) | BigInt(u8[address + i] as number);
  return word;
}

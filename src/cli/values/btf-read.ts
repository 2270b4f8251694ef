import type { Btf } from "../../btf/btf.ts";
import type { BtfArray, BtfEnum, BtfEnum64, BtfInt, BtfType } from "../../btf/btf-type.ts";
import type { JsonValue } from "../output/json-writer.ts";

/** The types that say nothing about bytes but what another type says. */
const QUALIFIERS: ReadonlySet<string> = new Set(["const", "volatile", "restrict", "type_tag"]);

/**
 * The value of a BTF type as bpftool's JSON has it: structs as objects, arrays of `char` as texts while they are printable,
 * enums by their names, bitfields and 128-bit integers as hexadecimal texts, pointers as numbers. `bitAt` counts from the
 * beginning of the view.
 */
export function readBtf(btf: Btf, id: number, view: DataView, bitAt: number): JsonValue {
  const type = btf.type(btf.resolve(id));
  const at = bitAt >> 3;
  switch (type.kind) {
    case "int":
      return integer(type, view, bitAt);
    case "struct":
    case "union":
      return Object.fromEntries(
        type.members.map((member): [string, JsonValue] => {
          const place = bitAt + member.bitOffset;
          const isBitfield = member.bitfieldSize > 0;
          return [
            member.name,
            isBitfield ? hexOfBits(view, place, member.bitfieldSize) : readBtf(btf, member.type, view, place),
          ];
        }),
      );
    case "array":
      return list(btf, type, view, at);
    case "enum":
    case "enum64":
      return named(type, view, at);
    case "ptr":
      return narrow(view.getBigUint64(at, true));
    case "float":
      return type.size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
    case "var":
      return { [type.name]: readBtf(btf, type.type, view, bitAt) };
    case "datasec":
      return { [type.name]: type.variables.map((each) => readBtf(btf, each.type, view, bitAt + each.offset * 8)) };
    default:
      return `(${type.kind})`;
  }
}

/** Whether a type is `char` itself: a typedef of it stands for bytes. */
export function isChar(btf: Btf, id: number): boolean {
  let type: BtfType = btf.type(id);
  while (QUALIFIERS.has(type.kind)) type = btf.type((type as { readonly type: number }).type);
  return type.kind === "int" && type.size === 1 && (type.isChar || type.name === "char");
}

/** Whether an integer is no whole number of bytes. */
export function isBitfield(type: BtfInt, bitAt: number): boolean {
  return bitAt % 8 !== 0 || type.bitOffset !== 0 || ![8, 16, 32, 64].includes(type.bits);
}

function integer(type: BtfInt, view: DataView, bitAt: number): JsonValue {
  const at = bitAt >> 3;
  if (isBitfield(type, bitAt)) return hexOfBits(view, bitAt + type.bitOffset, type.bits);
  if (type.isBool) return view.getUint8(at) !== 0;
  if (type.isChar) return String.fromCharCode(view.getUint8(at));
  const bits = bitsOf(view, bitAt, type.bits);
  return narrow(type.isSigned ? BigInt.asIntN(type.bits, bits) : bits);
}

function list(btf: Btf, { type, length }: BtfArray, view: DataView, at: number): JsonValue {
  const text = isChar(btf, type) ? printable(view, at, length) : undefined;
  if (text !== undefined) return text;
  const size = btf.sizeOf(type) ?? 0;
  return Array.from({ length }, (_, index) => readBtf(btf, type, view, (at + index * size) * 8));
}

/** The name of an enum's number; the number where it has none. */
function named(type: BtfEnum | BtfEnum64, view: DataView, at: number): JsonValue {
  const bits = type.size * 8;
  const value = BigInt.asIntN(bits, bitsOf(view, at * 8, bits));
  const found = type.values.find((each) => BigInt.asIntN(bits, BigInt(each.value)) === value);
  return found?.name ?? narrow(value);
}

function hexOfBits(view: DataView, bitAt: number, count: number): string {
  return `0x${bitsOf(view, bitAt, count).toString(16)}`;
}

/** Some bits as an unsigned integer. */
function bitsOf(view: DataView, bitAt: number, count: number): bigint {
  let value = 0n;
  const last = (bitAt + count - 1) >> 3;
  for (let at = last; at >= bitAt >> 3; at--) value = (value << 8n) | BigInt(view.getUint8(at));
  return BigInt.asUintN(count, value >> BigInt(bitAt & 7));
}

/** The text of characters up to a NUL; `undefined` when there is none, or something that does not print before it. */
function printable(view: DataView, at: number, length: number): string | undefined {
  let text = "";
  for (let i = 0; i < length; i++) {
    const byte = view.getUint8(at + i);
    if (byte === 0) return text;
    if (byte < 0x20 || byte > 0x7e) return undefined;
    text += String.fromCharCode(byte);
  }
  return undefined;
}

function narrow(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

import type { Btf } from "../../btf/btf.ts";
import type { BtfArray, BtfComposite, BtfEnum, BtfEnum64, BtfInt } from "../../btf/btf-type.ts";
import { parseNumber } from "../numbers.ts";
import { type JsonValue, jsonText } from "../output/json-writer.ts";
import { listed, suggestion } from "../words.ts";
import { isBitfield, isChar } from "./btf-read.ts";

/**
 * Writes what `readBtf` reads, and what people write instead: numbers as texts, in hexadecimal too. The bytes must be
 * zeros. Throws a `TypeError` or a `RangeError` that names the place for what is no value of the type.
 */
export function writeBtf(btf: Btf, id: number, view: DataView, bitAt: number, json: JsonValue): void {
  const type = btf.type(btf.resolve(id));
  const at = bitAt >> 3;
  switch (type.kind) {
    case "int":
      return writeInteger(type, view, bitAt, json);
    case "struct":
    case "union":
      return writeComposite(btf, type, view, bitAt, json);
    case "array":
      return writeList(btf, type, view, at, json);
    case "enum":
    case "enum64":
      return writeNamed(type, view, bitAt, json);
    case "ptr":
      return writeBits(view, bitAt, 64, integerOf(json, "a pointer"));
    case "float": {
      const number = Number(json);
      return type.size === 4 ? view.setFloat32(at, number, true) : view.setFloat64(at, number, true);
    }
    default:
      throw new TypeError(`a value of kind ${type.kind} cannot be written`);
  }
}

function writeInteger(type: BtfInt, view: DataView, bitAt: number, json: JsonValue): void {
  if (type.isBool) return view.setUint8(bitAt >> 3, isTrue(json) ? 1 : 0);
  const isCharacter = type.isChar && typeof json === "string" && json.length === 1;
  const value = isCharacter ? BigInt(json.charCodeAt(0)) : integerOf(json, type.name);
  const count = type.bits;
  const fits = type.isSigned
    ? BigInt.asIntN(count, value) === value || (isBitfield(type, bitAt) && BigInt.asUintN(count, value) === value)
    : BigInt.asUintN(count, value) === value;
  if (!fits) throw new RangeError(`${type.name}: ${value} is out of range`);
  writeBits(view, bitAt + type.bitOffset, count, value);
}

function writeComposite(btf: Btf, type: BtfComposite, view: DataView, bitAt: number, json: JsonValue): void {
  const name = `${type.kind} ${type.name}`.trim();
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError(
      `${name}: expected { ${type.members.map((member) => member.name).join(", ")} }, got ${jsonText(json)}`,
    );
  }
  const fields = new Map(Object.entries(json as { readonly [name: string]: JsonValue }));
  for (const member of type.members) {
    const field = fields.get(member.name);
    if (field === undefined) {
      if (type.kind === "union") continue;
      throw new TypeError(`${name}: field ${member.name} is missing`);
    }
    fields.delete(member.name);
    const place = bitAt + member.bitOffset;
    const { bitfieldSize } = member;
    within(`${name}: field ${member.name}`, () => {
      if (bitfieldSize === 0) return writeBtf(btf, member.type, view, place, field);
      const value = integerOf(field, "a bitfield");
      if (value >= 1n << BigInt(bitfieldSize)) throw new RangeError(`${value} has more than ${bitfieldSize} bits`);
      writeBits(view, place, bitfieldSize, value);
    });
  }
  const [stray] = fields.keys();
  if (stray === undefined) return;
  const names = type.members.map((member) => member.name);
  throw new TypeError(`${name}: there is no field ${stray}. ${suggestion(stray, names)}`);
}

function writeList(btf: Btf, { type, length }: BtfArray, view: DataView, at: number, json: JsonValue): void {
  if (typeof json === "string" && isChar(btf, type)) return writeText(view, at, length, json);
  if (!Array.isArray(json) || json.length !== length)
    throw new TypeError(`expected an array of ${length}, got ${jsonText(json)}`);
  const size = btf.sizeOf(type) ?? 0;
  for (const [index, item] of (json as JsonValue[]).entries()) {
    within(`[${index}]`, () => writeBtf(btf, type, view, (at + index * size) * 8, item));
  }
}

/** A text with the NUL that ends it. */
function writeText(view: DataView, at: number, length: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length >= length)
    throw new RangeError(`a text of ${bytes.length} bytes and a NUL does not fit into ${length}`);
  for (const [index, byte] of bytes.entries()) view.setUint8(at + index, byte);
}

function writeNamed(type: BtfEnum | BtfEnum64, view: DataView, bitAt: number, json: JsonValue): void {
  const found = type.values.find(({ name }) => name === json);
  const number = found === undefined ? numberOf(json) : BigInt(found.value);
  if (number === undefined) {
    const names = type.values.map(({ name }) => name);
    throw new RangeError(`enum ${type.name}: it has no ${jsonText(json)}, but ${listed(names)}`);
  }
  writeBits(view, bitAt, type.size * 8, number);
}

function isTrue(json: JsonValue): boolean {
  if (json === true || json === 1 || json === "1" || json === "true") return true;
  if (json === false || json === 0 || json === "0" || json === "false") return false;
  throw new TypeError(`expected true or false, got ${jsonText(json)}`);
}

function integerOf(json: JsonValue, what: string): bigint {
  const number = numberOf(json);
  if (number === undefined) throw new TypeError(`${what}: expected a whole number, got ${jsonText(json)}`);
  return number;
}

function numberOf(json: JsonValue): bigint | undefined {
  if (typeof json === "bigint") return json;
  if (typeof json === "number") return Number.isInteger(json) ? BigInt(json) : undefined;
  return typeof json === "string" && json !== "" ? parseNumber(json) : undefined;
}

function writeBits(view: DataView, bitAt: number, count: number, value: bigint): void {
  const shift = BigInt(bitAt & 7);
  const mask = ((1n << BigInt(count)) - 1n) << shift;
  let bits = (value << shift) & mask;
  for (let at = bitAt >> 3; at <= (bitAt + count - 1) >> 3; at++) {
    view.setUint8(at, view.getUint8(at) | Number(bits & 0xffn));
    bits >>= 8n;
  }
}

/** Says where it was when it goes wrong. */
function within(place: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new TypeError(`${place}: ${(error as Error).message}`, { cause: error });
  }
}

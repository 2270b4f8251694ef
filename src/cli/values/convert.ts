import type { ArrayLayout } from "../../layout/array.ts";
import type { EnumLayout } from "../../layout/enum.ts";
import type { Layout } from "../../layout/layout.ts";
import type { Fields, StructLayout } from "../../layout/struct.ts";
import { CliError } from "../cli-error.ts";
import { parseNumber } from "../numbers.ts";
import type { JsonValue } from "../output/json-writer.ts";

/** Brings a value of JSON into what a layout takes, or a layout's value into JSON. */
export interface Converter {
  /** What the layout takes for a value of JSON. What does not fit is left for the layout to refuse. */
  fromJson(json: JsonValue): unknown;
  /** What a value of the layout is in JSON. */
  toJson(value: never): JsonValue;
}

const NUMBERS = /^[ui](8|16|32)(be)?$/;
const MOST_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const BIGINTS = /^[ui]64(be)?$/;

/**
 * How values of a layout are written in JSON: integers with all their digits, bytes as hexadecimal text (`"0x0a00"`),
 * arrays and structs as arrays and objects of these, addresses, names and strings as texts.
 */
export function converterOf(layout: Layout<unknown>): Converter {
  if (BIGINTS.test(layout.name)) return BIGINT;
  if (NUMBERS.test(layout.name)) return NUMBER;
  if (layout.name === "f32" || layout.name === "f64") return FLOAT;
  if (layout.name === "bool") return BOOLEAN;
  if (layout.name.startsWith("bytes(")) return BYTES;
  if (isStruct(layout)) return structConverter(layout);
  if (isArray(layout)) return arrayConverter(layout);
  if (isEnum(layout)) return enumConverter(layout);
  return AS_IT_IS;
}

const AS_IT_IS: Converter = { fromJson: (json) => json, toJson: (value) => value };

const NUMBER: Converter = {
  fromJson(json) {
    if (typeof json === "string") return numberOf(json);
    return typeof json === "bigint" ? Number(json) : json;
  },
  toJson: (value) => value,
};

const BIGINT: Converter = {
  fromJson(json) {
    if (typeof json === "number") return Number.isInteger(json) ? BigInt(json) : json;
    return typeof json === "string" ? (parseNumber(json) ?? json) : json;
  },
  // A number where one is exact: `JSON.stringify` writes it many times faster.
  toJson: (value: bigint) => (value <= MOST_SAFE && value >= -MOST_SAFE ? Number(value) : value),
};

const FLOAT: Converter = {
  fromJson: (json) => (typeof json === "string" || typeof json === "bigint" ? Number(json) : json),
  toJson: (value: number) => (Number.isFinite(value) ? value : String(value)),
};

const BOOLEAN: Converter = {
  fromJson(json) {
    if (json === 0 || json === "0" || json === "false") return false;
    return json === 1 || json === "1" || json === "true" ? true : json;
  },
  toJson: (value) => value,
};

const BYTES: Converter = {
  fromJson(json) {
    if (typeof json === "string") return bytesOfHex(json);
    if (!Array.isArray(json)) return json;
    return Uint8Array.from((json as JsonValue[]).map((item) => Number(item)));
  },
  toJson: (value) => hexOf(value),
};

function structConverter(layout: StructLayout<Fields>): Converter {
  const fields = layout.fields.map(({ name, layout: field }) => [name, converterOf(field)] as const);
  const byName = new Map(fields);
  return {
    fromJson(json) {
      if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
      const value: Record<string, unknown> = {};
      for (const name in json) {
        const field = (json as Record<string, JsonValue>)[name] as JsonValue;
        value[name] = byName.get(name)?.fromJson(field) ?? field;
      }
      return value;
    },
    toJson(value: Record<string, never>) {
      const json: Record<string, JsonValue> = {};
      for (const [name, converter] of fields) json[name] = converter.toJson(value[name] as never);
      return json;
    },
  };
}

function arrayConverter(layout: ArrayLayout<unknown>): Converter {
  const of = converterOf(layout.of);
  return {
    fromJson: (json) => (Array.isArray(json) ? (json as JsonValue[]).map((item) => of.fromJson(item)) : json),
    toJson: (value: never[]) => value.map((item) => of.toJson(item)),
  };
}

/** A name of an enum may be given by its number too. */
function enumConverter(layout: EnumLayout<string>): Converter {
  const names = new Map(Object.entries(layout.names).map(([name, number]) => [number, name]));
  return {
    fromJson(json) {
      const number = typeof json === "string" ? numberOf(json) : json;
      return typeof number === "number" ? (names.get(number) ?? json) : json;
    },
    toJson: (value) => value,
  };
}

function isStruct(layout: Layout<unknown>): layout is StructLayout<Fields> {
  return "fields" in layout;
}

function isArray(layout: Layout<unknown>): layout is ArrayLayout<unknown> {
  return "of" in layout && "length" in layout;
}

function isEnum(layout: Layout<unknown>): layout is Layout<unknown> & EnumLayout<string> {
  return "names" in layout && "underlying" in layout;
}

/** The number that a text is; the text when it is none. */
function numberOf(text: string): number | string {
  const number = text === "" ? undefined : parseNumber(text);
  return number === undefined ? text : Number(number);
}

/** `0x0a00`, as it is written for bytes. */
export function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}`;
}

function bytesOfHex(text: string): Uint8Array {
  const digits = text.replace(/^0x/i, "").replaceAll(/\s/g, "");
  if (/^([0-9a-f]{2})*$/i.test(digits)) return new Uint8Array(Buffer.from(digits, "hex"));
  throw new CliError(`can't read '${text}' as bytes`, { hint: "Bytes are written in hexadecimal: 0x0a000001." });
}

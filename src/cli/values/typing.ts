import type { ArrayLayout } from "../../layout/array.ts";
import type { Layout } from "../../layout/layout.ts";
import type { StructField } from "../../layout/struct.ts";
import type { Memory } from "../../memory/address-space.ts";
import { CliError } from "../cli-error.ts";
import type { MapHandle } from "../map-reference.ts";
import type { Options } from "../options.ts";
import type { JsonValue } from "../output/json-writer.ts";
import { BtfTyping, btfOf } from "./btf-typing.ts";
import { type Converter, converterOf } from "./convert.ts";
import { parseLayout } from "./layout-syntax.ts";

/** What a value consists of: parts by their names, a list, or one thing. */
export type Form = "one" | "list" | { readonly fields: readonly (readonly [name: string, form: Form])[] };

/** How the keys or the values of a map are read and written by people: bytes as JSON, and back. */
export interface Typing {
  /** Bytes. */
  readonly size: number;
  readonly form: Form;
  read(memory: Memory, at: number): JsonValue;
  /** Throws for JSON that is no value of it; the bytes are then undefined. */
  write(memory: Memory, at: number, json: JsonValue): void;
}

/** The typing of a map's keys and values, as far as it is known. */
export interface MapTyping {
  readonly key: Typing | undefined;
  readonly value: Typing | undefined;
  /** Whether the map itself says it: then bpftool knows it too. */
  readonly isBtf: boolean;
}

/** A typing by a layout. */
export class LayoutTyping implements Typing {
  readonly size: number;
  readonly form: Form;
  readonly #layout: Layout<unknown>;
  readonly #converter: Converter;

  constructor(layout: Layout<unknown>) {
    this.size = layout.size;
    this.form = formOf(layout);
    this.#layout = layout;
    this.#converter = converterOf(layout);
  }

  read(memory: Memory, at: number): JsonValue {
    return this.#converter.toJson(this.#layout.read(memory, at) as never);
  }

  write(memory: Memory, at: number, json: JsonValue): void {
    this.#layout.write(memory, at, this.#converter.fromJson(json));
  }
}

function formOf(layout: Layout<unknown>): Form {
  if ("fields" in layout) {
    const fields = layout.fields as readonly StructField<string>[];
    return { fields: fields.map((field) => [field.name, formOf(field.layout)]) };
  }
  return isArray(layout) ? "list" : "one";
}

function isArray(layout: Layout<unknown>): layout is ArrayLayout<unknown> {
  return "of" in layout;
}

/** A value for each CPU, each in a slot rounded up to 8 bytes. */
export function percpuTyping(of: Typing, cpus: number): Typing {
  const slot = Math.ceil(of.size / 8) * 8;
  return {
    size: slot * cpus,
    form: "list",
    read: (memory, at) => Array.from({ length: cpus }, (_, cpu) => of.read(memory, at + cpu * slot)),
    write(memory, at, json) {
      if (!Array.isArray(json) || json.length !== cpus) {
        throw new TypeError(`expected an array of ${cpus}, a value for each possible CPU`);
      }
      for (const [cpu, value] of (json as JsonValue[]).entries()) of.write(memory, at + cpu * slot, value);
    },
  };
}

/** The bytes of JSON. Throws for JSON that is no value of the typing. */
export function encode(typing: Typing, json: JsonValue): Uint8Array {
  const u8 = new Uint8Array(typing.size);
  typing.write({ u8, view: new DataView(u8.buffer) }, 0, json);
  return u8;
}

/** The JSON of bytes. Throws for bytes that are no value of the typing. */
export function decode(typing: Typing, bytes: Uint8Array): JsonValue {
  return typing.read(memoryOf(bytes), 0);
}

/** Bytes, to be read. */
export function memoryOf(bytes: Uint8Array): Memory {
  return { u8: bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/**
 * How the keys and values of a map are typed: by `--key` and `--value`, else by the map's BTF. Throws when a layout has
 * not the map's size.
 */
export function typingOf(map: MapHandle, options: Options): MapTyping {
  const { keySize, valueSize } = map.info;
  const key = given(map, "key", options.key, keySize);
  const value = given(map, "value", options.value, valueSize);
  const known = key === undefined || value === undefined ? btfOf(map) : undefined;
  if (known === undefined) return { key, value, isBtf: false };
  const { btf, keyType, valueType } = known;
  return {
    key: key ?? (keyType === 0 ? undefined : new BtfTyping(btf, keyType)),
    value: value ?? new BtfTyping(btf, valueType),
    isBtf: key === undefined && value === undefined,
  };
}

function given(map: MapHandle, role: string, text: string | undefined, size: number): Typing | undefined {
  if (text === undefined) return undefined;
  const layout = parseLayout(text, size);
  if (layout.size === size) return new LayoutTyping(layout);
  throw new CliError(`--${role} ${text} has ${layout.size} bytes, but a ${role} of map ${map.label} has ${size}`);
}

import type { MapHandle } from "../map-reference.ts";
import { decode, type MapTyping } from "../values/typing.ts";
import { type JsonValue, prettyJson } from "./json-writer.ts";
import type { Output } from "./output.ts";

/** Bytes a line of the plain output holds, and half of it. */
const LINE = 16;
const HALF = 8;
/** A key and a value that are no longer together stand on one line. */
const SHORT = 24;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const QUOTED = HEX.map((text) => `0x${text}`);

/** Bytes in two hexadecimal digits each, sixteen a line: `01 00 00 00`. */
export function hexLines(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0) text += i % LINE === 0 ? "\n" : i % HALF === 0 ? "  " : " ";
    text += HEX[bytes[i] as number];
  }
  return text;
}

/** Bytes as bpftool's JSON has them: `["0x01","0x00"]`. */
export function hexJson(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => QUOTED[byte] as string);
}

/** The values of all CPUs in what a kernel answers for a per-CPU map; of any other map, the one value. */
export function valuesOf(map: MapHandle, value: Uint8Array): Uint8Array[] {
  const { valueSize } = map.info;
  if (!isPerCpu(map)) return [value];
  const step = Math.ceil(valueSize / 8) * 8;
  const cpus = Array.from({ length: value.length / step }, (_, cpu) => cpu);
  return cpus.map((cpu) => value.subarray(cpu * step, cpu * step + valueSize));
}

/** Whether a map has a value for each CPU. */
export function isPerCpu(map: MapHandle): boolean {
  return String(map.info.type).includes("percpu");
}

/** Whether a map's values are ids of maps. */
export function holdsMaps(map: MapHandle): boolean {
  return map.info.type === "array_of_maps" || map.info.type === "hash_of_maps";
}

/** Writes an entry: as JSON with `-j`, by its types where they are known, else as bytes. */
export function writeEntry(
  output: Output,
  map: MapHandle,
  typing: MapTyping,
  key: Uint8Array,
  value: Uint8Array,
): void {
  if (output.isJson) output.json.value(entryJson(map, typing, key, value));
  else if (isTyped(typing)) output.line(prettyJson(formatted(map, typing, key, value)));
  else output.text(plainEntry(map, key, value));
}

/** Whether anything of a map is typed. */
export function isTyped(typing: MapTyping): boolean {
  return typing.key !== undefined || typing.value !== undefined;
}

/** An entry as bpftool's JSON has it. */
function entryJson(map: MapHandle, typing: MapTyping, key: Uint8Array, value: Uint8Array): JsonValue {
  const values = valuesOf(map, value);
  const cpus = values.map((each, cpu) => ({ cpu, value: hexJson(each) }));
  return {
    key: hexJson(key),
    ...(isPerCpu(map) ? { values: cpus } : { value: hexJson(value) }),
    ...(isTyped(typing) ? { formatted: formatted(map, typing, key, value) } : {}),
  };
}

/** An entry by its types; what has none is bytes. */
export function formatted(map: MapHandle, typing: MapTyping, key: Uint8Array, value: Uint8Array): JsonValue {
  const typedValue = (bytes: Uint8Array): JsonValue => decoded(typing.value, bytes);
  const values = valuesOf(map, value).map(typedValue);
  // BTF may say what values are and not what keys are.
  const hidesKey = key.length === 0 || (typing.key === undefined && typing.isBtf);
  return {
    ...(hidesKey ? {} : { key: decoded(typing.key, key) }),
    ...(isPerCpu(map) ? { values: values.map((each, cpu) => ({ cpu, value: each })) } : { value: values[0] ?? null }),
  };
}

/** Bytes by their type. Those that their layout cannot read are shown as they are. */
export function decoded(typing: MapTyping["key"], bytes: Uint8Array): JsonValue {
  if (typing === undefined) return hexJson(bytes);
  try {
    return decode(typing, bytes);
  } catch {
    return hexJson(bytes);
  }
}

function plainEntry(map: MapHandle, key: Uint8Array, value: Uint8Array): string {
  if (isPerCpu(map)) return plainCpus(map, key, value);
  const isLong = key.length > LINE || value.length > LINE;
  const isShort = !isLong && key.length + value.length <= SHORT;
  const lead = isLong ? "\n" : " ";
  const keyText = key.length === 0 ? "" : `key:${lead}${hexLines(key)}${isShort ? "  " : "\n"}`;
  if (holdsMaps(map)) {
    const id = new DataView(value.buffer, value.byteOffset).getUint32(0, true);
    return `${keyText}inner_map_id:${lead}${id}\n`;
  }
  return `${keyText}${value.length === 0 ? "" : `value:${lead}${hexLines(value)}`}\n`;
}

function plainCpus(map: MapHandle, key: Uint8Array, value: Uint8Array): string {
  const lead = map.info.valueSize > LINE ? "\n" : " ";
  const lines = valuesOf(map, value).map((each, cpu) => {
    return `value (CPU ${String(cpu).padStart(2, "0")}):${lead}${hexLines(each)}\n`;
  });
  return `${key.length === 0 ? "" : `key:\n${hexLines(key)}\n`}${lines.join("")}`;
}

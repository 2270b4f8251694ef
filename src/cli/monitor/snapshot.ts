import type { MapHandle } from "../map-reference.ts";
import { formatted, hexLines, isPerCpu, isTyped, valuesOf } from "../output/entry.ts";
import { type JsonValue, jsonText } from "../output/json-writer.ts";
import { readAll } from "../transfer/map-reader.ts";
import type { MapTyping } from "../values/typing.ts";

/** An entry at one moment. */
export interface Row {
  /** For people. */
  readonly key: string;
  readonly value: string;
  /** For programs. */
  readonly json: { readonly [name: string]: JsonValue | undefined };
  /** The numbers in the value by their places: `hits`, or `` for a value that is one. Those of all CPUs are summed. */
  readonly numbers: ReadonlyMap<string, bigint>;
}

/** The entries of a map at one moment, by the bytes of their keys. */
export type Snapshot = ReadonlyMap<string, Row>;

/** Reads every entry of a map. */
export function takeSnapshot(map: MapHandle, typing: MapTyping): Snapshot {
  const { keySize, valueSize } = map.shape;
  const rows = new Map<string, Row>();
  for (const { count, keys, values } of readAll(map)) {
    for (let i = 0; i < count; i++) {
      const key = keys.subarray(i * keySize, (i + 1) * keySize);
      const value = values.subarray(i * valueSize, (i + 1) * valueSize);
      rows.set(Buffer.from(key).toString("latin1"), rowOf(map, typing, key, value));
    }
  }
  return rows;
}

function rowOf(map: MapHandle, typing: MapTyping, key: Uint8Array, value: Uint8Array): Row {
  const json = formatted(map, typing, key, value) as Row["json"];
  const isPlain = !isTyped(typing);
  const shownValue = isPerCpu(map) ? json["values"] : json["value"];
  return {
    key: isPlain ? oneLine(hexLines(key)) : jsonText(json["key"] ?? null),
    value: isPlain ? oneLine(valuesOf(map, value).map(hexLines).join(" | ")) : jsonText(shownValue ?? null),
    json,
    numbers: isPlain ? integersOf(map, value) : numbersOf(map, json),
  };
}

function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}

/** The value as an unsigned integer, when it is as long as one. */
function integersOf(map: MapHandle, value: Uint8Array): ReadonlyMap<string, bigint> {
  if (![1, 2, 4, 8].includes(map.info.valueSize)) return new Map();
  let sum = 0n;
  for (const each of valuesOf(map, value)) {
    for (let at = each.length - 1, scale = 256n ** BigInt(at); at >= 0; at--, scale /= 256n) {
      sum += BigInt(each[at] as number) * scale;
    }
  }
  return new Map([["", sum]]);
}

function numbersOf(map: MapHandle, json: Row["json"]): ReadonlyMap<string, bigint> {
  const numbers = new Map<string, bigint>();
  if (isPerCpu(map)) {
    for (const each of json["values"] as readonly { readonly value: JsonValue }[]) collect(each.value, "", numbers);
  } else {
    collect(json["value"] ?? null, "", numbers);
  }
  return numbers;
}

function collect(json: JsonValue, place: string, numbers: Map<string, bigint>): void {
  if (typeof json === "bigint" || (typeof json === "number" && Number.isInteger(json))) {
    numbers.set(place, (numbers.get(place) ?? 0n) + BigInt(json));
  } else if (typeof json === "object" && json !== null) {
    for (const [name, field] of Object.entries(json))
      collect(field as JsonValue, place === "" ? name : `${place}.${name}`, numbers);
  }
}

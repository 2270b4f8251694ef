import { CliError } from "../cli-error.ts";
import { type JsonValue, jsonText } from "../output/json-writer.ts";
import { parseNotation } from "../values/notation.ts";
import type { Form } from "../values/typing.ts";
import { listed, suggestion } from "../words.ts";
import type { EntryCodec, EntryJson } from "./entry-codec.ts";
import type { Format } from "./format.ts";

/** A column: `value.hits`, and the way to it in an entry. */
interface Column {
  readonly name: string;
  readonly path: readonly string[];
  /** Whether a cell of it is JSON: an array. */
  readonly isJson: boolean;
}

/**
 * Comma-separated values, RFC 4180, with a header line: a column for the key and one for the value, or one for each field
 * of a struct: `key,value.hits,value.seen`. Arrays are JSON in a cell. A text that begins with a quote or has more than
 * one line is a JSON string in its cell, so that an entry is a line.
 */
export function csvFormat(codec: EntryCodec, header: string | undefined): Format {
  const columns = columnsOf(codec);
  const read = header === undefined ? columns : columnsNamed(splitCells(header), columns);
  return {
    header: columns.map(({ name }) => cell(name)).join(","),
    encode: (entry) => columns.map((column) => cell(textOf(at(entry, column.path)))).join(","),
    decode: (line) => entryOf(splitCells(line), read),
  };
}

function columnsOf({ key, value, isPerCpu }: EntryCodec): Column[] {
  return [
    ...(key === undefined ? [] : flattened(["key"], key.form)),
    ...(isPerCpu ? [column(["values"], true)] : flattened(["value"], value.form)),
  ];
}

function flattened(path: readonly string[], form: Form): Column[] {
  if (typeof form === "string") return [column(path, form === "list")];
  return form.fields.flatMap(([name, field]) => flattened([...path, name], field));
}

function column(path: readonly string[], isJson: boolean): Column {
  return { name: path.join("."), path, isJson };
}

/** The columns of a file in its order. Throws for one that the map does not have, and for one of the map's that is missing. */
function columnsNamed(names: readonly string[], columns: readonly Column[]): Column[] {
  const byName = new Map(columns.map((each) => [each.name, each]));
  const found = names.map((name) => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    throw new CliError(`there is no column '${name}'`, { hint: suggestion(name, [...byName.keys()]) });
  });
  const missing = columns.filter((each) => !found.includes(each)).map(({ name }) => `'${name}'`);
  if (missing.length === 0) return found;
  throw new CliError(`there is no column ${listed(missing)} in the first line of the file`);
}

function at(entry: EntryJson, path: readonly string[]): JsonValue {
  return path.reduce((value, name) => (value as Record<string, JsonValue>)[name] as JsonValue, entry as JsonValue);
}

function textOf(value: JsonValue): string {
  if (typeof value === "string") return /^"|[\r\n]/.test(value) ? JSON.stringify(value) : value;
  return jsonText(value);
}

function cell(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function entryOf(cells: readonly string[], columns: readonly Column[]): EntryJson {
  if (cells.length !== columns.length) throw new TypeError(`expected ${columns.length} cells, got ${cells.length}`);
  const entry: Record<string, unknown> = {};
  for (const [index, { path, isJson }] of columns.entries()) {
    const text = cells[index] as string;
    const value = isJson || text.startsWith('"') ? parseNotation(text) : text;
    let place = entry;
    for (const name of path.slice(0, -1)) place = (place[name] ??= {}) as Record<string, unknown>;
    place[path.at(-1) as string] = value;
  }
  return entry as EntryJson;
}

function splitCells(line: string): string[] {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (!text.includes('"')) return text.split(",");
  const cells: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let isLast = false; !isLast; ) {
    const match = pattern.exec(text);
    if (match === null) throw new TypeError("a quoted cell does not end on its line");
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    isLast = match[3] === "";
  }
  return cells;
}

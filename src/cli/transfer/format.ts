import { CliError } from "../cli-error.ts";
import { suggestion } from "../words.ts";
import { csvFormat } from "./csv.ts";
import type { EntryCodec, EntryJson } from "./entry-codec.ts";
import { JSON_LINES } from "./json-lines.ts";

/** A text format for entries: a line each. */
export interface Format {
  /** The line in front of all entries; `undefined` when there is none. */
  readonly header: string | undefined;
  encode(entry: EntryJson): string;
  /** Reads a line. Throws for one that is no entry. */
  decode(line: string): EntryJson;
}

const NAMES = ["jsonl", "csv"];

/** Which format a file has: as `--format` says, by the end of its name, else JSON lines. */
export function formatName(given: string | undefined, path: string): "jsonl" | "csv" {
  const name = given ?? (/\.csv$/i.test(path) ? "csv" : "jsonl");
  if (name === "jsonl" || name === "csv") return name;
  throw new CliError(`there is no format '${name}'`, { hint: suggestion(name, NAMES) });
}

/** A format for the entries of a map; `header` is the first line of a file that is read. */
export function formatOf(name: "jsonl" | "csv", codec: EntryCodec, header?: string): Format {
  return name === "csv" ? csvFormat(codec, header) : JSON_LINES;
}

import { jsonText } from "../output/json-writer.ts";
import { parseJsonLine } from "../values/notation.ts";
import type { EntryJson } from "./entry-codec.ts";
import type { Format } from "./format.ts";

/** JSON lines: `{"key":5,"value":100}`. */
export const JSON_LINES: Format = {
  header: undefined,
  encode(entry) {
    return hasBigInt(entry) ? jsonText({ ...entry }) : JSON.stringify(entry);
  },
  decode(line) {
    const entry = parseJsonLine(line);
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      throw new TypeError("it is no JSON object");
    return entry as EntryJson;
  },
};

/** Whether there is a number beyond 2^53 in a value, which `JSON.stringify` refuses. */
function hasBigInt(value: unknown): boolean {
  if (typeof value === "bigint") return true;
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) if (hasBigInt((value as Record<string, unknown>)[name])) return true;
  return false;
}

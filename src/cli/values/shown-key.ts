import { decoded } from "../output/entry.ts";
import { jsonText } from "../output/json-writer.ts";
import { hexOf } from "./convert.ts";
import type { MapTyping } from "./typing.ts";

/** A key for a diagnosis: its bytes, and how a person knows it. */
export function shownKey(key: Uint8Array | null, typing: MapTyping): { keyBytes?: Uint8Array; key?: string } {
  if (key === null) return {};
  const text = typing.key === undefined ? hexOf(key) : jsonText(decoded(typing.key, key));
  return { keyBytes: key, key: text };
}

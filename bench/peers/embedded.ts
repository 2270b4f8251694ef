import { embedded } from "mapiary";
import { mapiary, type Use } from "./mapiary.ts";
import type { Peer } from "./peer.ts";

/** mapiary on the embedded kernel. */
export function onEmbedded(entries: number, use: Use): Peer<number> | Peer<bigint> {
  return mapiary(embedded(), entries, use);
}

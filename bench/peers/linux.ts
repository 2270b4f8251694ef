import { linux } from "mapiary/linux";
import { mapiary, type Use } from "./mapiary.ts";
import type { Peer } from "./peer.ts";

/** mapiary on the running Linux kernel. */
export function onLinux(entries: number, use: Use): Peer<number> | Peer<bigint> {
  return mapiary(linux(), entries, use);
}

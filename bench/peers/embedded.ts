import { embedded, type HashMap, u32, u64 } from "mapiary";
import { hashPeer, mapiary, type Use } from "./mapiary.ts";
import type { Peer } from "./peer.ts";

/** mapiary on the embedded kernel. */
export function onEmbedded(entries: number, use: Use): Peer<number> | Peer<bigint> {
  return mapiary(embedded(), entries, use);
}

const PIN = "/sys/fs/bpf/bench";

/** A map in a directory, which whoever opens the directory shares: made and pinned there, or found. */
export function openShared(bpffs: string, entries: number): Peer<number> {
  const bpf = embedded({ bpffs });
  const layouts = { key: u32, value: u64.number } as const;
  if (bpf.bpffs.readdir("/sys/fs/bpf").includes("bench")) {
    return hashPeer(bpf.openMap(PIN, { type: "hash", ...layouts }) as HashMap<number, number>, (of) => of);
  }
  const map = bpf.createMap({ type: "hash", name: "bench", ...layouts, maxEntries: entries });
  map.pin(PIN);
  return hashPeer(map, (of) => of);
}

import { type Bpf, type HashMap, type Layout, u32, u64 } from "mapiary";
import { useOtherLayouts } from "./other-layouts.ts";
import type { Peer } from "./peer.ts";

/** How a program uses mapiary: which of the two layouts its values have, and whether it has other maps too. */
export interface Use {
  readonly values: "number" | "bigint";
  readonly isMixed?: boolean;
}

/** A hash map of mapiary, on whichever kernel. */
export function mapiary(bpf: Bpf, entries: number, { values, isMixed }: Use): Peer<number> | Peer<bigint> {
  if (isMixed === true) useOtherLayouts(bpf);
  return values === "number" ? hash(bpf, entries, u64.number, (of) => of) : hash(bpf, entries, u64, BigInt);
}

function hash<V>(bpf: Bpf, entries: number, layout: Layout<V>, value: (of: number) => V): Peer<V> {
  const map = bpf.createMap({ type: "hash", name: "bench", key: u32, value: layout, maxEntries: entries });
  return hashPeer(map, value);
}

/** A hash map as a peer, whoever made it. */
export function hashPeer<V>(map: HashMap<number, V>, value: (of: number) => V): Peer<V> {
  return {
    map,
    value,
    *batches(count) {
      let cursor: Uint8Array | undefined;
      do {
        const batch = map.lookupBatch(count, cursor);
        cursor = batch.cursor;
        yield batch.entries;
      } while (cursor !== undefined);
    },
    prepareSetMany: (all) => () => map.setMany(all),
  };
}

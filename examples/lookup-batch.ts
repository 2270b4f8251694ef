/** BPF_MAP_LOOKUP_BATCH: many entries with one call, down to the last. */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
hits.setMany([10, 20, 30, 40, 50, 60, 70, 80, 90].map((key) => [key, BigInt(key) * 10n] as const));

// Iteration asks for batches. The last one comes with the error ENOENT, and its entries count like all others: a loop
// that stops at the error, as is easily written in C, loses them.
const entries = [...hits].sort(([a], [b]) => a - b);
for (const [key, value] of entries) console.log(`${key} is ${value}`);
console.log(`${entries.length} of ${hits.count()} entries`);

// The batches themselves, for who wants to go on later: the cursor says where.
let seen = 0;
let cursor: Uint8Array | undefined;
do {
  const batch = hits.lookupBatch(4, cursor);
  seen += batch.entries.length;
  cursor = batch.cursor;
} while (cursor !== undefined);
console.log(`${seen} entries in batches of at most 4`);

/** BPF_MAP_DELETE_BATCH: many keys with one call, whether they are there or not. */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
hits.setMany([40, 50, 60, 70].map((key) => [key, BigInt(key) * 10n] as const));

// The command stops at a key that is not there; deleteMany goes on behind it and answers how many were there.
console.log(`deleted ${hits.deleteMany([40, 45, 50, 60])} of 4 keys`);
for (const key of [40, 50, 60, 70]) console.log(`${key} is ${hits.has(key) ? "there" : "gone"}`);

// To read everything and delete it in the same step is BPF_MAP_LOOKUP_AND_DELETE_BATCH.
for (const [key, value] of hits.drain()) console.log(`drained ${key}, which was ${value}`);
console.log(`${hits.count()} left`);

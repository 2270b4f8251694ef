/** BPF_MAP_GET_NEXT_KEY: walks through the keys in the order of the kernel, which is that of the buckets. */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
for (const key of [10, 20, 30]) hits.set(key, BigInt(key) * 10n);

// Without a key comes the first one: no key has to be made up that is hoped not to exist.
const walked: number[] = [];
for (let key = hits.nextKey(); key !== undefined; key = hits.nextKey(key)) walked.push(key);

// The order differs from map to map, for Linux scatters the keys by a random number. Whoever wants another one sorts.
console.log(`walked through ${walked.length} keys: ${walked.sort((a, b) => a - b).join(", ")}`);

// A key that is not there is followed by the first one again: to delete and go on from there never ends. Iteration
// reads in batches and takes no harm from it.
for (const key of hits.keys()) if (key > 10) hits.delete(key);
console.log(`left: ${[...hits.keys()].join(", ")}`);

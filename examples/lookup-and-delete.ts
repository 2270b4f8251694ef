/** BPF_MAP_LOOKUP_AND_DELETE_ELEM: takes a value out in one step, so that of many takers one gets it. */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using jobs = bpf.createMap({ type: "hash", name: "jobs", key: u32, value: u64, maxEntries: 1024 });
jobs.set(10, 100n);

console.log(`take 10: ${jobs.take(10)}`);
console.log(`10 is there: ${jobs.has(10)}`);
console.log(`take 10 again: ${jobs.take(10)}`);

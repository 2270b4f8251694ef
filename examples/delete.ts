/** BPF_MAP_DELETE_ELEM: a key goes away, and its room is free again. */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1 });
hits.set(20, 250n);

// Whether there was something to delete is the answer, and no error.
console.log(`delete 20: ${hits.delete(20)}`);
console.log(`20 is there: ${hits.has(20)}`);
console.log(`delete 20 again: ${hits.delete(20)}`);

hits.set(30, 350n);
console.log(`there is room for 30: ${hits.get(30)}`);

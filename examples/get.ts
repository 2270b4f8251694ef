/** BPF_OBJ_GET: opens a map that is pinned. `pin.ts` has pinned it, a program that has ended. */
import { u32, u64 } from "mapiary";
import { openSharedKernel, pinPath } from "./kernel.ts";

using bpf = openSharedKernel();
// The layouts must have the sizes of the map that is there, or this throws.
using hits = bpf.openMap(pinPath(), { key: u32, value: u64 });
console.log(`opened ${hits.name}: ${hits.count()} entries, 50 is ${hits.get(50)}`);

// The map lives on until its last fd is closed, but nobody finds it any more.
hits.unpin();
console.log(`unpinned; 60 is still ${hits.get(60)}`);

/** BPF_MAP_UPDATE_BATCH: many entries with one call. */
import { BpfError, u32 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using limits = bpf.createMap({ type: "hash", name: "limits", key: u32, value: u32, maxEntries: 4 });

// Pairs, and not two arrays whose elements must be as wide as the map's: a value of another type does not compile.
console.log(
  `set ${limits.setMany([
    [40, 400],
    [50, 500],
    [60, 600],
  ])} entries`,
);
for (const key of [40, 50, 60]) console.log(`${key} is ${limits.get(key)}`);

// The kernel stops at the first entry that it refuses. How many it did before is the error's count.
try {
  limits.setMany([
    [70, 700],
    [80, 800],
  ]);
} catch (error) {
  if (!(error instanceof BpfError)) throw error;
  console.log(`set 2 more where there is room for 1: ${error.code} after ${error.count}`);
}
console.log(`70 is ${limits.get(70)}, 80 is ${limits.get(80)}`);

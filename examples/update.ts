/** BPF_MAP_UPDATE_ELEM: a key is given a value always, only when it is new, or only when it is there. */
import { BpfError, u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });

hits.set(5, 100n);
console.log(`set 5: ${hits.get(5)}`);

hits.set(5, 200n, "exist");
console.log(`set 5, which exists: ${hits.get(5)}`);

// What the kernel refuses is a BpfError, whose code is the name of the error.
for (const [key, flag] of [
  [4, "exist"],
  [5, "noexist"],
] as const) {
  try {
    hits.set(key, 300n, flag);
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    console.log(`set ${key} "${flag}": ${error.code}`);
  }
}

// What does not fit the layout never reaches the kernel: in C, a long for a value of four bytes is cut off in silence.
try {
  hits.set(2 ** 32, 300n);
} catch (error) {
  console.log(`set ${2 ** 32}: ${error}`);
}

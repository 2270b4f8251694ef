/** BPF_MAP_LOOKUP_ELEM: the value of a key, and nothing where there is none. */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
hits.set(10, 100n);

// A miss is undefined and no error, as with a JavaScript Map.
for (const key of [10, 11]) {
  const value = hits.get(key);
  console.log(value === undefined ? `${key} is not there` : `${key} is ${value}`);
}

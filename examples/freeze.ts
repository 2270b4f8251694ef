/** BPF_MAP_FREEZE: a map that user space can only read from now on, as a configuration that is complete. */
import { BpfError, u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

using bpf = openKernel();
using limits = bpf.createMap({ type: "hash", name: "limits", key: u32, value: u64, maxEntries: 1024 });
limits.set(10, 100n);

limits.freeze();
console.log(`frozen; 10 is ${limits.get(10)}`);

for (const [what, write] of Object.entries({
  set: () => limits.set(10, 200n),
  delete: () => limits.delete(10),
  "freeze again": () => limits.freeze(),
})) {
  try {
    write();
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    console.log(`${what}: ${error.code}`);
  }
}

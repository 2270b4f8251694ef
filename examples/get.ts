/**
 * BPF_OBJ_GET: opens a map that is pinned. On Linux `pin.ts` has pinned it, a program that has ended; the pins of the
 * embedded kernel live as long as the kernel does, so there it is pinned here.
 */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

const path = process.argv.slice(2).find((argument) => argument.startsWith("/")) ?? "/sys/fs/bpf/hits";

using bpf = openKernel();
if (bpf.kernel === "embedded") {
  using made = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
  made.setMany([40, 50, 60].map((key) => [key, BigInt(key) * 10n] as const));
  made.pin(path);
}

// The layouts must have the sizes of the map that is there, or this throws.
using hits = bpf.openMap(path, { key: u32, value: u64 });
console.log(`opened ${hits.name}: ${hits.count()} entries, 50 is ${hits.get(50)}`);

// The map lives on until its last fd is closed, but nobody finds it any more.
hits.unpin();
console.log(`unpinned; 60 is still ${hits.get(60)}`);

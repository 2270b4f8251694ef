/**
 * BPF_OBJ_PIN: a name in the BPF filesystem keeps a map alive when its program has ended. On Linux, `get.ts` finds it
 * there afterwards; the pins of the embedded kernel live as long as the kernel does, which is this program.
 */
import { u32, u64 } from "mapiary";
import { openKernel } from "./kernel.ts";

const path = process.argv.slice(2).find((argument) => argument.startsWith("/")) ?? "/sys/fs/bpf/hits";

using bpf = openKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
hits.setMany([40, 50, 60].map((key) => [key, BigInt(key) * 10n] as const));

hits.pin(path);
console.log(`pinned ${hits.name}: ${hits.count()} entries`);

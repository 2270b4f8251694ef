/**
 * BPF_OBJ_PIN: a name in the BPF filesystem keeps a map alive when its program has ended; `get.ts` finds it there. The
 * embedded kernel keeps its BPF filesystem in a directory, which takes no privilege.
 *
 * After `npm run build`: `node examples/pin.ts`, then `node examples/get.ts`, with Node 24 or newer; with an older one
 * `npx tsx examples/pin.ts`, then `npx tsx examples/get.ts`, which needs no build.
 */
import { u32, u64 } from "mapiary";
import { openSharedKernel, pinPath } from "./kernel.ts";

using bpf = openSharedKernel();
using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
hits.setMany([40, 50, 60].map((key) => [key, BigInt(key) * 10n] as const));

hits.pin(pinPath());
console.log(`pinned ${hits.name}: ${hits.count()} entries`);

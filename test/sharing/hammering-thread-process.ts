/** A thread that writes long values, and makes maps, until it is terminated. */
import { parentPort, workerData } from "node:worker_threads";
import { bytes, embedded, type KernelHandle, u32 } from "mapiary";

const bpf = embedded({ share: workerData as KernelHandle });
const value = bytes(2 ** 16);
const array = bpf.openMap({ name: "array" }, { type: "array", value });
const hash = bpf.openMap({ name: "hash" }, { type: "hash", key: u32, value });
bpf.createMap({ type: "hash", name: "own", key: u32, value: u32, maxEntries: 8 });
for (let round = 0; ; round++) {
  const filled = new Uint8Array(2 ** 16).fill(round);
  for (let key = 0; key < 2; key++) {
    array.set(key, filled);
    hash.set(key, filled);
    if (round % 3 === 0) hash.delete(key);
  }
  bpf.createMap({ type: "hash", name: "short", key: u32, value: u32, maxEntries: 8 }).close();
  if (round === 10) parentPort?.postMessage("begun");
}

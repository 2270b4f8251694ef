/** A thread that shares the maps of the one that started it, and counts in one of them. */
import { parentPort, workerData } from "node:worker_threads";
import { embedded, type KernelHandle, u32, u64 } from "mapiary";

const { share, rounds, first } = workerData as { share: KernelHandle; rounds: number; first: number };
using bpf = embedded({ share });
using counts = bpf.openMap({ name: "counts" }, { type: "hash", key: u32, value: u64 });
let won = 0;
for (let round = 0; round < rounds; round++) {
  counts.set(first + round, BigInt(first + round));
  try {
    counts.set(1_000_000 + round, BigInt(first), "noexist");
    won++;
  } catch {
    // Another thread has won.
  }
}
parentPort?.postMessage({ won, ids: bpf.maps().map(({ id }) => id) });

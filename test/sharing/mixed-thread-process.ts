/** A thread that counts in maps of several types, which others write too, and says what it has taken out of a queue. */
import { parentPort, workerData } from "node:worker_threads";
import { cidr, embedded, type KernelHandle, u32, u64 } from "mapiary";
import { loadAdding } from "./adding-program.ts";

const { share, index, rounds, threads, arrived } = workerData as {
  share: KernelHandle;
  index: number;
  rounds: number;
  threads: number;
  arrived: Int32Array;
};
const bpf = embedded({ share });
const recent = bpf.openMap({ name: "recent" }, { type: "lru_hash", key: u32, value: u32 });
const routes = bpf.openMap({ name: "routes" }, { type: "lpm_trie", key: cidr, value: u32 });
const queue = bpf.openMap({ name: "queue" }, { type: "queue", value: u32 });
const sums = bpf.openMap({ name: "sums" }, { type: "array", value: u64 });
const program = loadAdding(bpf, sums);
Atomics.add(arrived, 0, 1);
while (Atomics.load(arrived, 0) < threads) Atomics.wait(arrived, 0, Atomics.load(arrived, 0), 1);

const popped: number[] = [];
program.run({ data: new Uint8Array(64), repeat: 100 * rounds });
for (let round = 0; round < rounds; round++) {
  const number = index * rounds + round;
  recent.set(number, number);
  routes.set(`10.${index}.${round >> 8}.${round & 255}/32`, number);
  if (round % 2 === 0) routes.delete(`10.${index}.${round >> 8}.${round & 255}/32`);
  queue.push(number);
  if (round % 2 === 0) popped.push(queue.pop() as number);
}
parentPort?.postMessage(popped);

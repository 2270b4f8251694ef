/** A thread that writes and reads the entries of maps that others write too, and tells how many values were not whole. */
import { parentPort, workerData } from "node:worker_threads";
import { type ArrayMap, bytes, embedded, type HashMap, type KernelHandle, u32 } from "mapiary";

const { share, rounds, seed } = workerData as { share: KernelHandle; rounds: number; seed: number };
const KEYS = 8;
using bpf = embedded({ share });
let torn = 0;
let found = 0;
for (const size of [4, 8, 12]) {
  const layouts = { key: u32, value: bytes(size) };
  using hash: HashMap<number, Uint8Array> = bpf.openMap({ name: `hash${size}` }, { type: "hash", ...layouts });
  using array: ArrayMap<number, Uint8Array> = bpf.openMap({ name: `array${size}` }, { type: "array", ...layouts });
  for (let round = 0; round < rounds; round++) {
    const key = (round * 7 + seed) % KEYS;
    const value = new Uint8Array(size).fill(round + seed);
    hash.set(key, value);
    array.set(key, value);
    if (round % 16 === seed) hash.delete((key + 3) % KEYS);
    for (const map of [hash, array]) {
      const read = map.get((key + round) % KEYS);
      if (read === undefined) continue;
      found++;
      if (read.some((byte) => byte !== read[0])) torn++;
    }
  }
}
parentPort?.postMessage({ torn, found });

/** A thread that gets and sets its own half of the keys of a map that another thread uses too, when it is told to. */
import { parentPort, workerData } from "node:worker_threads";
import { embedded, type HashMap, type KernelHandle, u32, u64 } from "mapiary";
import { cpuTime } from "../cpu-time.ts";
import { shuffledKeys } from "../key-sequence.ts";
import { runQueueTime } from "../run-queue.ts";
import type { Scaling } from "./scaling.ts";
import type { Asked, ThreadTime } from "./scaling-process.ts";

const { share, index, entries, waiting } = workerData as {
  share: KernelHandle;
  index: number;
  entries: number;
  waiting: Int32Array;
};
const bpf = embedded({ share });
const keys = shuffledKeys((index * entries) / 2, entries / 2, 1 + index);
const waitedForCpu = runQueueTime();
let sum = 0;

/** A map of this thread alone, with the entries that are its own. */
const own = embedded().createMap({ type: "hash", key: u32, value: u64.number, maxEntries: entries });
for (const key of keys) own.set(key, key);

/** Made for each map, so that the engine compiles the loops for each by themselves. */
function loopsOver(name: string, of: HashMap<number, number>): Record<Asked["loop"], (count: number) => void> {
  const make = new Function(
    "map",
    "keys",
    "sink",
    `
    let at = 0;
    return {
      get(count) { // ${name}
        let sum = 0;
        for (let i = 0; i < count; i++) {
          sum += map.get(keys[at]);
          if (++at === keys.length) at = 0;
        }
        sink(sum);
      },
      set(count) {
        for (let i = 0; i < count; i++) {
          map.set(keys[at], i);
          if (++at === keys.length) at = 0;
        }
      },
    };`,
  );
  return make(of, keys, (part: number) => {
    sum += part;
  });
}

function open(name: string): HashMap<number, number> {
  return bpf.openMap({ name }, { type: "hash", key: u32, value: u64.number }) as HashMap<number, number>;
}

const loops: Readonly<Record<Scaling["map"], ReturnType<typeof loopsOver>>> = {
  shared: loopsOver("shared", open("shared")),
  roomy: loopsOver("roomy", open("roomy")),
  own: loopsOver("own", own),
};

parentPort?.on("message", ({ loop, map: which, count, threads }: Asked) => {
  // Whoever came before has left other things in the caches.
  loops[which][loop](keys.length);
  meet(threads);
  const [begin, clock, waited] = [cpuTime(), process.hrtime.bigint(), waitedForCpu()];
  loops[which][loop](count);
  const elapsed = Number(process.hrtime.bigint() - clock) - (waitedForCpu() - waited);
  const end = cpuTime();
  if (Number.isNaN(sum)) throw new Error("a key was not there");
  parentPort?.postMessage({ elapsed, begin, end } satisfies ThreadTime);
});
parentPort?.postMessage("ready");

/** Waits, without using a CPU, until so many threads have come here. */
function meet(threads: number): void {
  const place = 0;
  if (Atomics.add(waiting, place, 1) + 1 === threads) {
    Atomics.store(waiting, place, 0);
    Atomics.notify(waiting, place);
  } else {
    Atomics.wait(waiting, place, 1);
  }
}

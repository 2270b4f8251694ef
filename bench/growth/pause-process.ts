/**
 * How long the event loop stands still while a million entries are read, written and drained, at once and in slices:
 * `pause-process <entries>`. Writes the longest pause of each way in milliseconds as JSON.
 */
import { embedded, u32, u64 } from "mapiary";
import type { Pauses } from "./pauses.ts";

const entries = Number(process.argv[2]);
const bpf = embedded();
const map = bpf.createMap({ type: "hash", key: u32, value: u64.number, maxEntries: entries });
const all = Array.from({ length: entries }, (_, key): [number, number] => [key, key]);
let sum = 0;

// The engine compiles while the first round runs.
for (let round = 0; round < 2; round++) await measureAll();
const pauses = await measureAll();
if (sum === 0) throw new Error("the values add up to nothing");
process.stdout.write(JSON.stringify(pauses));

async function measureAll(): Promise<Pauses> {
  return {
    setMany: await longestPause(() => map.setMany(all)),
    setSlices: await longestPause(() => map.setSlices(all)),
    iterate: await longestPause(() => {
      for (const [, value] of map) sum += value;
    }),
    slices: await longestPause(async () => {
      for await (const slice of map.slices()) for (const [, value] of slice) sum += value;
    }),
    drainSlices: await longestPause(async () => {
      for await (const slice of map.drainSlices()) for (const [, value] of slice) sum += value;
    }),
    drain: await longestPause(() => {
      map.setMany(all);
      map.drain();
    }),
  };
}

/** The longest time between two turns of the event loop while something runs. */
async function longestPause(work: () => unknown): Promise<number> {
  let isDone = false;
  let longest = 0;
  let last = performance.now();
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isDone) setImmediate(turn);
  };
  await new Promise((resolve) => setImmediate(resolve));
  last = performance.now();
  setImmediate(turn);
  await work();
  isDone = true;
  await new Promise((resolve) => setImmediate(resolve));
  return longest;
}

/**
 * Measures reading one `u64` of a mapped array on Linux against the system call: `npx tsx bench/live-memory.ts`. The goal
 * is 50 times as fast.
 */
import { type Bpf, u64 } from "mapiary";
import { linux } from "mapiary/linux";
import { cpuTime } from "./cpu-time.ts";

const ENTRIES = 1024;
const ROUNDS = 11;
let sink = 0n;

function nanoseconds(times: number, read: (index: number) => bigint | undefined): number {
  const start = cpuTime();
  for (let i = 0; i < times; i++) sink ^= read(i % ENTRIES) ?? 0n;
  return (cpuTime() - start) / times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}

function measure(bpf: Bpf): void {
  using map = bpf.createMap({ type: "array", value: u64, maxEntries: ENTRIES, flags: ["mmapable"] });
  const { memory } = map;
  const ratios: Record<string, number[]> = { "memory[i]": [], "map.memory[i]": [], "at(i).value": [] };
  for (let round = 0; round < ROUNDS; round++) {
    const get = nanoseconds(100_000, (index) => map.get(index));
    const ways = {
      "memory[i]": (index: number) => memory[index],
      "map.memory[i]": (index: number) => map.memory[index],
      "at(i).value": (index: number) => map.at(index).value,
    };
    for (const [name, read] of Object.entries(ways)) ratios[name]?.push(get / nanoseconds(3_000_000, read));
  }
  for (const [name, of] of Object.entries(ratios)) console.log(`${name}: ${median(of).toFixed(0)} × as fast as get`);
}

using bpf = linux();
measure(bpf);
if (sink === 1n) console.log(sink);

/**
 * Reads numbers of an array of Linux by `get` and from its memory, in turn, and prints how many times as fast each way of
 * reading from memory is, a number for each round: `live-memory-process.js ROUNDS`.
 */
import { u64 } from "mapiary";
import { linux } from "mapiary/linux";
import { cpuTime } from "../cpu-time.ts";

const ENTRIES = 1024;
const GETS = 20_000;
const READS = 1_000_000;
const WARM = 2;
let sink = 0n;

function nanoseconds(times: number, read: (index: number) => bigint | undefined): number {
  const start = cpuTime();
  for (let i = 0; i < times; i++) sink ^= read(i % ENTRIES) ?? 0n;
  return (cpuTime() - start) / times;
}

using bpf = linux();
using map = bpf.createMap({ type: "array", value: u64, maxEntries: ENTRIES, flags: ["mmapable"] });
for (let index = 0; index < ENTRIES; index++) map.set(index, BigInt(index) + 1n);
const { memory } = map;
const ways: Readonly<Record<string, (index: number) => bigint | undefined>> = {
  "memory[i]": (index) => memory[index],
  "map.at(i).value": (index) => map.at(index).value,
};
const times: Record<string, number[]> = {};
for (let round = -WARM; round < Number(process.argv[2]); round++) {
  const get = nanoseconds(GETS, (index) => map.get(index));
  for (const [way, read] of Object.entries(ways)) {
    const ratio = get / nanoseconds(READS, read);
    if (round >= 0) (times[way] ??= []).push(ratio);
  }
}
if (memory[7] !== 8n) throw new Error("the memory of the map does not have what was set");
console.log(JSON.stringify(sink === -1n ? {} : times));

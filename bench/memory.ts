import { spawnSync } from "node:child_process";
import { u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";
import { EmbeddedKernel } from "../src/kernel/embedded/embedded-kernel.ts";
import { Sys } from "../src/sys/sys.ts";
import { BUILT } from "./build.ts";
import { memlock } from "./map-types/type-memory.ts";

/** Bytes of a full map for each of its entries of 4 + 8 bytes. */
export interface MemoryPerEntry {
  /** A JavaScript `Map` of small numbers, which take no memory of their own, and of bigints. */
  readonly mapOfNumbers: number;
  readonly mapOfBigInts: number;
  readonly embedded: number;
  /** What Linux charges for the map: `memlock` in `/proc/self/fdinfo`; absent where Linux cannot be used. */
  readonly linux?: number;
}

/** Measures each in its own way: the heap by its growth, the address space by what is left of it, Linux by what it says. */
export function memoryPerEntry(entries: number): MemoryPerEntry {
  const charged = linux.available() ? charge(entries) / entries : undefined;
  return {
    mapOfNumbers: heapOfMap(entries, "number") / entries,
    mapOfBigInts: heapOfMap(entries, "bigint") / entries,
    embedded: segment(entries) / entries,
    ...(charged === undefined ? {} : { linux: charged }),
  };
}

function heapOfMap(entries: number, values: "number" | "bigint"): number {
  const args = ["--expose-gc", BUILT.memoryOfMap, `${entries}`, values];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stdout === "") throw new Error(`the heap of a Map could not be measured: ${stderr}`);
  return (JSON.parse(stdout) as { bytes: number }).bytes;
}

function segment(entries: number): number {
  const kernel = new EmbeddedKernel();
  const before = kernel.memory.largestFree;
  const fd = new Sys(kernel).mapCreate({ type: "hash", keySize: 4, valueSize: 8, maxEntries: entries });
  if (fd < 0) throw new Error(`the embedded kernel refused a map of ${entries} entries: ${fd}`);
  const bytes = before - kernel.memory.largestFree;
  kernel.release();
  return bytes;
}

function charge(entries: number): number {
  using bpf = linux();
  using map = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: entries });
  return memlock(map.fd);
}

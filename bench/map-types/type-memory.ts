import { readFileSync } from "node:fs";
import { type Bpf, embedded } from "mapiary";
import { linux } from "mapiary/linux";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { Sys } from "../../src/sys/sys.ts";
import type { MeasuredType } from "./measured-types.ts";
import { possibleCpus } from "./possible-cpus.ts";

/** Bytes of a full map for each entry that it has room for. */
export interface TypeMemory {
  readonly embedded: number;
  /** What Linux charges: `memlock` in `/proc/self/fdinfo`; absent where Linux cannot be used. */
  readonly linux?: number;
}

/** The memory of a map of some type on each kernel. */
export function typeMemory(type: MeasuredType, entries: number): TypeMemory {
  const cpus = possibleCpus();
  using onEmbedded = embedded({ possibleCpus: cpus });
  const { info, maxEntries } = make(onEmbedded, type, entries);
  const own = segmentBytes(info(), cpus) / maxEntries;
  if (!linux.available()) return { embedded: own };
  using onLinux = linux();
  return { embedded: own, linux: memlock(make(onLinux, type, entries).fd) / maxEntries };
}

function make(bpf: Bpf, type: MeasuredType, entries: number) {
  const { map } = type.make(bpf, entries, 1);
  return { fd: map.fd, maxEntries: map.maxEntries, info: () => map.info() };
}

/** What is left less of an address space when a map is made again there, alone. */
function segmentBytes(info: Exclude<ReturnType<Sys["objGetInfoByFd"]>, number>, cpus: number): number {
  const kernel = new EmbeddedKernel({ possibleCpus: cpus });
  const sys = new Sys(kernel);
  const innerMapFd = sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1 });
  const before = kernel.memory.largestFree;
  const { type, keySize, valueSize, maxEntries, mapFlags: flags } = info;
  const holdsMaps = type === "array_of_maps" || type === "hash_of_maps";
  const fd = sys.mapCreate({ type, keySize, valueSize, maxEntries, flags, ...(holdsMaps ? { innerMapFd } : {}) });
  if (fd < 0) throw new Error(`the embedded kernel refused a map of type ${type}: ${fd}`);
  const bytes = before - kernel.memory.largestFree;
  kernel.release();
  return bytes;
}

/** What Linux charges this process for the map of an fd, in bytes. */
export function memlock(fd: number): number {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
  return Number(/^memlock:\s*(\d+)$/m.exec(info)?.[1]);
}

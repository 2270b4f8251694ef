import { BPF_F_NO_PREALLOC } from "../../abi/flags.ts";
import { HASH_TABLE_TYPES } from "../../abi/map-types.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Creation, CreationRule } from "./creation.ts";
import { shownBytes } from "./shown.ts";

/** What Linux keeps beside each element of a hash, and for each bucket. */
const HASH_ELEMENT = 48;
const BUCKET = 16;
/** What the embedded kernel keeps beside the data of each of an LPM trie's nodes, of which there are two for an entry. */
const LPM_NODE = 16;
/** Headers, and the rest of the last page. */
const OVERHEAD = 8192;
const FOUR_GIB = 2 ** 32;

/** ENOMEM of BPF_MAP_CREATE: what the map needs about, and what there is. */
export const noRoom: CreationRule = (creation) => {
  const needed = memoryOf(creation);
  return `the map needs about ${shownBytes(needed)}, ${ROOM[creation.kernel.name](creation, needed)}.`;
};

/** About the bytes that all entries take, which both kernels allocate when a map is made. */
function memoryOf({ kernel, type, typeName, facts, keySize, valueSize, maxEntries }: Creation): number {
  const value = aligned(valueSize) * (facts?.isPerCpu ? kernel.possibleCpus : 1);
  if (HASH_TABLE_TYPES.has(type)) {
    const buckets = 2 ** Math.ceil(Math.log2(Math.max(maxEntries, 1)));
    return OVERHEAD + maxEntries * (HASH_ELEMENT + aligned(keySize) + value) + buckets * BUCKET;
  }
  if (typeName === "lpm_trie") return OVERHEAD + maxEntries * (2 * (LPM_NODE + keySize - 4) + value);
  const isRing = typeName === "ringbuf" || typeName === "user_ringbuf";
  return OVERHEAD + (isRing ? maxEntries : maxEntries * value);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/**
 * The memory that maps lie in is the one thing that is not the same on all kernels, and this says so to a person. In
 * Linux it is the machine's; the embedded kernel's is its address space.
 */
const ROOM: Readonly<Record<Kernel["name"], (creation: Creation, needed: number) => string>> = {
  linux: ({ type, facts }) => {
    const mayGrow = HASH_TABLE_TYPES.has(type) && ((facts?.flags ?? 0) & BPF_F_NO_PREALLOC) !== 0;
    const hint = mayGrow ? ", or for memory only as it fills, with the flag no_prealloc" : "";
    return `which Linux does not have free, or not for this process's memory cgroup: ask for fewer entries${hint}`;
  },
  embedded: ({ kernel: { memory } }, needed) => {
    if (needed > FOUR_GIB)
      return "and all maps of an embedded kernel together have 4 GiB at most: ask for fewer entries";
    const left = `and the embedded kernel has ${shownBytes(memory.largestFree)} in one piece left of its ${shownBytes(memory.limit)}`;
    const raise = memory.limit < FOUR_GIB ? ", or raise the limit with embedded({ maxMemory })" : "";
    return `${left}: ask for fewer entries, close other maps${raise}`;
  },
};

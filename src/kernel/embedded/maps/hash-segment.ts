import { E2BIG, ENOMEM } from "../../../abi/errno.ts";
import { BPF_F_ZERO_SEED } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { bucketCount } from "./bucket-count.ts";
import { allCpusSize } from "./percpu-values.ts";
import { sharedHashPlan } from "./shared-hash-plan.ts";

/*
 * The segment: the header, one word for each bucket (the first element of its chain, 0 when it is empty), then the
 * elements: a word that links to the next one of the chain, the key padded to whole words, the value aligned to 8.
 * Links count words from the start of the segment. An element that is free is chained to the other free ones by a link with
 * all bits turned: it is negative, so that who goes through the elements knows a free one. Those that were never used are not
 * even chained, so a large map touches no page that it does not need. In a per-CPU table a value is one slot for each possible
 * CPU, each rounded up to 8 bytes. In memory that is shared everything lies otherwise: see `sharedHashPlan`.
 */
export const HASH_HEADER = {
  SEED: SEGMENT.TYPE_HEADER,
  /** The first element of the free list, 0 when it is empty. */
  FREE: SEGMENT.TYPE_HEADER + 4,
  /** How many elements were ever used. */
  USED: SEGMENT.TYPE_HEADER + 8,
  /** How many CPUs have a slot in each value, 0 when there is one value for all. */
  POSSIBLE_CPUS: SEGMENT.TYPE_HEADER + 12,
  /** In a table that evicts: the number of the element that is asked next whether it can go. */
  HAND: SEGMENT.TYPE_HEADER + 16,
  /** The lock of the free list, in memory that is shared: see `GUARD.LOCK`. */
  FREE_LOCK: SEGMENT.TYPE_HEADER + 20,
  /** The lock of whoever looks for elements that were lost. */
  SWEEP_LOCK: SEGMENT.TYPE_HEADER + 24,
  /** 1 when someone died with a lock in hand, so that elements may have been lost. */
  IS_LEAKY: SEGMENT.TYPE_HEADER + 28,
} as const;

const LINUX_BUCKET = 16;
const U32_MAX = 2 ** 32 - 1;

/**
 * A segment for a hash table whose elements keep `storedSize` bytes for a value, or `−errno`: `htab_map_alloc`. A table
 * with BPF_F_ZERO_SEED has the same order everywhere.
 */
export function allocateHashTable(
  memory: AddressSpace,
  attr: MapCreateAttr,
  storedSize: number,
  { possibleCpus = 0, maxEntries = attr.maxEntries }: { possibleCpus?: number; maxEntries?: number } = {},
): Address | number {
  const buckets = bucketCount(maxEntries);
  if (buckets > U32_MAX / LINUX_BUCKET) return -E2BIG;
  const end = memory.isShared
    ? sharedHashPlan(attr.keySize, storedSize, maxEntries).end
    : (firstElementWord(buckets) + elementWords(attr.keySize, storedSize) * maxEntries) * 4;
  const base = allocateSegment(memory, attr, end);
  if (base === 0) return -ENOMEM;
  const seed = (attr.flags & BPF_F_ZERO_SEED) !== 0 ? 0 : Math.floor(Math.random() * 2 ** 32);
  memory.u32[(base + SEGMENT.MAX_ENTRIES) >>> 2] = maxEntries;
  memory.u32[(base + HASH_HEADER.SEED) >>> 2] = seed;
  memory.u32[(base + HASH_HEADER.POSSIBLE_CPUS) >>> 2] = possibleCpus;
  return base;
}

/** The bytes of a value of the table in the hands of user space. */
export function hashValueSize(memory: AddressSpace, base: Address): number {
  const valueSize = memory.u32[(base + SEGMENT.VALUE_SIZE) >>> 2] as number;
  const cpus = memory.u32[(base + HASH_HEADER.POSSIBLE_CPUS) >>> 2] as number;
  return cpus === 0 ? valueSize : allCpusSize(valueSize, cpus);
}

/** The word, counted from the segment's start, in an element at which its value begins. */
export function valueWord(keySize: number): number {
  const afterKey = 1 + Math.ceil(keySize / 4);
  return afterKey + (afterKey & 1);
}

/** The words of an element, from one to the next. */
export function elementWords(keySize: number, valueSize: number): number {
  const words = valueWord(keySize) + Math.ceil(valueSize / 4);
  return words + (words & 1);
}

/** The word at which the elements begin: behind the buckets, aligned to 8 bytes. */
export function firstElementWord(buckets: number): number {
  const word = SEGMENT.HEADER_SIZE / 4 + buckets;
  return word + (word & 1);
}

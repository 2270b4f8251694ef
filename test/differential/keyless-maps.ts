import { BPF_F_ZERO_SEED } from "../../src/abi/flags.ts";
import { mapTypeNumber } from "../../src/abi/map-types.ts";
import type { MapInfo } from "../../src/sys/map-info.ts";
import { fc } from "../seeded.ts";
import type { Odd } from "./command.ts";

/** The attributes of a queue, a stack or a bloom filter. */
export interface KeylessMapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly odd: Odd | null;
}

const BLOOM_FILTER = mapTypeNumber("bloom_filter") as number;
const TYPES = [mapTypeNumber("queue") as number, mapTypeNumber("stack") as number, BLOOM_FILTER];
const FLAGS = Array.from({ length: 19 }, (_, bit) => 1 << bit);
const KMALLOC_MAX_SIZE = 2 ** 22;

const good = fc.record({
  type: fc.constantFrom(...TYPES),
  valueSize: fc.oneof(fc.constantFrom(1, 4, 8, 255, 256, 257), fc.integer({ min: 1, max: 40 })),
  // Full soon, so that programs come around the ring, and err in a filter.
  maxEntries: fc.oneof(fc.constantFrom(1, 2, 3), fc.integer({ min: 1, max: 20 })),
  hashes: fc.nat(15),
});

/** A queue, a stack or a bloom filter that every kernel makes. */
export const goodKeylessMap: fc.Arbitrary<KeylessMapShape> = good.map(({ hashes, ...sizes }) => {
  const isFilter = sizes.type === BLOOM_FILTER;
  const odd: Odd | null = isFilter ? { field: "mapExtra", value: hashes } : null;
  return { ...sizes, keySize: 0, flags: isFilter ? BPF_F_ZERO_SEED : 0, odd };
});

/** One that has something strange, or nothing. */
export const anyKeylessMap: fc.Arbitrary<KeylessMapShape> = fc
  .record({
    shape: goodKeylessMap,
    keySize: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 4, 2 ** 32 - 1),
    valueSize: fc.option(fc.constantFrom(0, KMALLOC_MAX_SIZE, KMALLOC_MAX_SIZE + 1, 2 ** 32 - 1), { freq: 6 }),
    maxEntries: fc.option(fc.constantFrom(0, 1, 1000), { freq: 6 }),
    flags: fc.array(fc.constantFrom(...FLAGS, 2 ** 31), { maxLength: 2 }),
    odd: fc.option(
      fc.oneof(
        fc.record({ field: fc.constant("mapExtra" as const), value: fc.constantFrom(1, 15, 16, 2 ** 32) }),
        // No process has so high an fd, no machine so many devices.
        fc.record({ field: fc.constantFrom("tokenFd", "ifindex", "numaNode"), value: fc.constant(2 ** 31 - 1) }),
      ),
    ),
  })
  .map(({ shape, keySize, valueSize, maxEntries, flags, odd }) => ({
    type: shape.type,
    keySize,
    valueSize: valueSize ?? shape.valueSize,
    maxEntries: valueSize === null ? (maxEntries ?? shape.maxEntries) : 1,
    flags: flags.reduce((bits, flag) => (bits ^ flag) >>> 0, shape.flags),
    odd: odd ?? shape.odd,
  }));

/** Whether a lookup asks for the caller's value. */
export function looksForValue(info: MapInfo | undefined): boolean {
  return info?.type === "bloom_filter";
}

/** Whether a map's errors differ from those of every other: a bloom filter with a seed of its own. */
export function errsByChance(info: MapInfo | undefined): boolean {
  return looksForValue(info) && ((info?.mapFlags ?? 0) & BPF_F_ZERO_SEED) === 0;
}

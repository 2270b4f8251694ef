import { fc } from "../seeded.ts";
import { anyCommand } from "./any-command.ts";
import type { Command } from "./command.ts";
import { slot } from "./draws.ts";
import {
  ARRAY,
  ARRAY_OF_MAPS,
  arrayFlags,
  goodKeylessCreate,
  goodLpmTrie,
  goodObjectCreate,
  goodPercpuOrLru,
  HASH,
  HASH_OF_MAPS,
  hashFlags,
  isReasonable,
  LRU_HASH,
  LRU_PERCPU_HASH,
  MMAPABLE,
  name,
  odd,
  ZERO_SEED,
} from "./map-shapes.ts";

/**
 * Sizes and flags that a map of maps takes, or one thing that it does not. Never more than 2^31 entries: a Linux 6.18 with
 * the memory for such an array of fds makes it, and crashes when it frees it (`kernel/bpf/arraymap.c: fd_array_map_free`).
 */
const mapOfMapsSizes = fc.record({
  keySize: fc.oneof(
    { weight: 4, arbitrary: fc.constant(4) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 22 - 52, 2 ** 32 - 1) },
  ),
  valueSize: fc.oneof(
    { weight: 12, arbitrary: fc.constant(4) },
    { weight: 1, arbitrary: fc.constantFrom(0, 3, 8, 2 ** 32 - 1) },
  ),
  maxEntries: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 1, max: 10 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 100) },
  ),
});

/** A map of maps after the map in a slot, which mostly can be. */
const anyMapOfMaps: fc.Arbitrary<Command> = fc.oneof(
  ...[[ARRAY_OF_MAPS, arrayFlags] as const, [HASH_OF_MAPS, hashFlags] as const].map(([type, flags]) =>
    fc
      .record({ slot, sizes: mapOfMapsSizes.filter(isReasonable), flags, name, odd, inner: slot })
      .map(({ sizes, flags: bits, ...rest }) => {
        const isGood = rest.odd === null && sizes.keySize <= 20;
        return { op: "create" as const, type, ...sizes, flags: isGood ? bits & ~MMAPABLE : bits, ...rest };
      }),
  ),
);

export type Create = Extract<Command, { op: "create" }>;

/** A map that can be held by a map of maps, or almost: a hash or an array, and now and then one of another type. */
const innerCreate = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        type: fc.constantFrom(HASH, ARRAY),
        keySize: fc.constantFrom(4, 4, 8, 3, 13),
        valueSize: fc.constantFrom(4, 8, 12),
        maxEntries: fc.integer({ min: 1, max: 8 }),
        option: fc.constantFrom(0, 1),
        isInnerMap: fc.boolean(),
      })
      .map(({ type, keySize, option, isInnerMap, ...sizes }) => {
        const arrayFlags = (option * MMAPABLE) | (isInnerMap ? 4096 : 0);
        const flags = type === HASH ? ZERO_SEED | option : arrayFlags;
        const size = type === HASH ? keySize : 4;
        return { op: "create" as const, slot: 0, type, keySize: size, ...sizes, flags, name: "", odd: null };
      }),
  },
  { weight: 1, arbitrary: fc.oneof(goodPercpuOrLru, goodLpmTrie, goodObjectCreate, goodKeylessCreate) },
) as fc.Arbitrary<Create>;

/** A map of maps in the first slot, and in the next ones maps that are made alike, or almost. */
const mapsOfMaps: fc.Arbitrary<readonly Command[]> = fc
  .record({
    template: innerCreate,
    another: innerCreate,
    outer: fc.constantFrom(ARRAY_OF_MAPS, HASH_OF_MAPS),
    keySize: fc.constantFrom(4, 4, 8, 3, 13),
    maxEntries: fc.integer({ min: 1, max: 6 }),
    option: fc.constantFrom(0, 1),
    change: fc.constantFrom("none", "none", "all", "valueSize", "maxEntries", "flags", "fd"),
  })
  .map(({ template, another, outer, keySize, maxEntries, option, change }) => {
    const isHash = outer === HASH_OF_MAPS;
    const sizes = { keySize: isHash ? keySize : 4, valueSize: 4, maxEntries };
    const flags = isHash ? ZERO_SEED | option : 0;
    return [
      { ...template, slot: 1 },
      { ...almost(template, another, change), slot: 2 },
      { op: "create", slot: 0, type: outer, ...sizes, flags, name: "", odd: null, inner: 1 },
    ];
  });

function almost(template: Create, another: Create, change: string): Create {
  const { valueSize, maxEntries, flags, type } = template;
  const isLru = type === LRU_HASH || type === LRU_PERCPU_HASH;
  if (change === "all") return another;
  if (change === "valueSize") return { ...template, valueSize: valueSize + 1 };
  if (change === "maxEntries" && !isLru) return { ...template, maxEntries: maxEntries + 1 };
  if (change === "flags") return { ...template, flags: flags ^ 128 };
  return change === "fd" ? { ...template, flags: flags | 8 } : template;
}

export const openInner = fc.record({ op: fc.constant("inner" as const), from: slot, key: fc.nat(5), slot });

/**
 * A program of maps of maps. They are rare among the programs: on Linux each update of one waits until no program can
 * have the old inner map any more.
 */
export const mapOfMapsProgram: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    mapsOfMaps,
    fc.array(
      fc.oneof(
        { weight: 30, arbitrary: anyCommand },
        { weight: 4, arbitrary: openInner },
        { weight: 1, arbitrary: anyMapOfMaps },
      ),
      { minLength: 1, maxLength: 100, size: "max" },
    ),
  )
  .map(([maps, rest]) => [...maps, ...rest]);

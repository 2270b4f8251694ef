import { fc } from "../seeded.ts";
import type { Command, Odd } from "./command.ts";
import { rarely, slot } from "./draws.ts";
import { anyKeylessMap, goodKeylessMap } from "./keyless-maps.ts";
import { anyObjectMap, goodObjectMap } from "./object-maps.ts";

export const HASH = 1;
export const ARRAY = 2;
const LPM_TRIE = 11;
export const ARRAY_OF_MAPS = 12;
export const HASH_OF_MAPS = 13;
const PERCPU_HASH = 5;
const PERCPU_ARRAY = 6;
export const LRU_HASH = 9;
export const LRU_PERCPU_HASH = 10;
export const ZERO_SEED = 64;
export const MMAPABLE = 1024;

/** Flags that make or break a map. Hashes are mostly seeded with zero, so that their order can be compared. */
export const hashFlags = fc
  .tuple(
    fc.constantFrom(0, 0, 0, 1),
    rarely(8, 16, 24, 128, 256, 384),
    rarely(2, 4, 32, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 2 ** 31),
    rarely(ZERO_SEED),
  )
  .map(([prealloc, access, odd, seed]) => (prealloc | access | odd | (ZERO_SEED ^ seed)) >>> 0);
export const arrayFlags = fc
  .tuple(
    fc.constantFrom(0, 1024),
    rarely(8, 16, 24, 128, 256, 384),
    rarely(1, 2, 4, 32, 64, 512, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 2 ** 31),
  )
  .map(([mmapable, access, odd]) => (mmapable | access | odd) >>> 0);

const percpuArrayFlags = fc
  .tuple(arrayFlags, rarely(MMAPABLE))
  .map(([flags, mmapable]) => ((flags & ~MMAPABLE) | mmapable) >>> 0);

/** An LPM trie is made with BPF_F_NO_PREALLOC only. */
const lpmTrieFlags = fc
  .tuple(
    rarely(8, 16, 24, 128, 256, 384),
    rarely(1, 2, 4, 32, 64, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 2 ** 31),
  )
  .map(([access, odd]) => (1 ^ access ^ odd) >>> 0);

const lruFlags = fc
  .tuple(
    fc.constantFrom(0, 0, 2),
    rarely(8, 16, 24, 128, 256, 384),
    rarely(1, 4, 32, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 2 ** 31),
    rarely(ZERO_SEED),
  )
  .map(([lists, access, odd, seed]) => (lists | access | odd | (ZERO_SEED ^ seed)) >>> 0);

export const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("", "hits", "a.b_c9", "fifteen_letters", "longer_than_fifteen_letters") },
  { weight: 1, arbitrary: fc.constantFrom("sp ace", "das-h", "a/b", "é", "naïve", "a×b", "\n") },
);

export const odd: fc.Arbitrary<Odd | null> = fc.oneof(
  { weight: 30, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.record({
      field: fc.constantFrom(
        "innerMapFd",
        "numaNode",
        "ifindex",
        "btfFd",
        "btfKeyTypeId",
        "btfValueTypeId",
        "mapExtra",
        "tokenFd",
      ),
      value: fc.constantFrom(1, 2, 77, 2 ** 31 - 1),
    }),
  },
);

const hashSizes = fc.record({
  keySize: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(4, 8) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 64, 511, 512, 513, 2 ** 22 - 57, 2 ** 22 - 56, 2 ** 32 - 1) },
  ),
  valueSize: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(4, 8) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(0, 100, 255, 256, 257, 4096, 2 ** 22 - 57, 2 ** 22 - 53, 2 ** 22 - 52, 2 ** 32 - 1),
    },
  ),
  maxEntries: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 2, arbitrary: fc.constantFrom(31, 32, 33, 64, 100) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 27 + 1, 2 ** 28, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1) },
  ),
});

const arraySizes = fc.record({
  keySize: fc.oneof(
    { weight: 30, arbitrary: fc.constant(4) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 3, 5, 8, 2 ** 32 - 1) },
  ),
  valueSize: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(4, 8) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 255, 256, 257, 4095, 4096, 4097, 2 ** 31, 2 ** 32 - 1) },
  ),
  maxEntries: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 2, arbitrary: fc.constantFrom(31, 32, 33, 64, 100, 600) },
    { weight: 1, arbitrary: fc.constant(0) },
  ),
});

const lpmTrieSizes = fc.record({
  keySize: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(8, 20) },
    { weight: 6, arbitrary: fc.integer({ min: 5, max: 40 }) },
    { weight: 2, arbitrary: fc.constantFrom(0, 1, 4, 259, 260, 261, 2 ** 32 - 1) },
  ),
  valueSize: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(4, 8) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 40 }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 255, 256, 257, 4096, 2 ** 32 - 1) },
  ),
  maxEntries: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 2, arbitrary: fc.constantFrom(0, 31, 32, 33, 64, 100, 600) },
  ),
});

/** The most that one CPU's value can have, and more. */
const percpuValueSize = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 255, 256, 257, 4096, 32760, 32761, 32768, 32769, 2 ** 31, 2 ** 32 - 1) },
);

/** Linux evicts the first entry of an LRU map when it is half full or fuller, and chooses otherwise: programs stay below. */
const lruEntries = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 250, max: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 27 + 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1) },
);

/** Maps that no machine should be asked to hold only to compare: what remains is small, or refused at once. */
export function isReasonable({
  keySize,
  valueSize,
  maxEntries,
}: {
  keySize: number;
  valueSize: number;
  maxEntries: number;
}): boolean {
  const bytes = maxEntries * (keySize + valueSize);
  return (
    bytes < 2 ** 23 || keySize + valueSize >= 2 ** 31 || maxEntries > 2 ** 31 || (maxEntries > 2 ** 27 && keySize !== 4)
  );
}

/** Without BPF_F_NO_PREALLOC for large elements: Linux then allocates at the update, and may have no room. See docs/differences.md. */
function withRoom({ keySize, valueSize }: { keySize: number; valueSize: number }, flags: number): number {
  return keySize + valueSize > 2 ** 13 ? (flags & ~1) >>> 0 : flags;
}

export interface Sizes {
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
}

function create(type: number, sizes: fc.Arbitrary<Sizes>, flags: fc.Arbitrary<number>): fc.Arbitrary<Command> {
  return fc
    .record({ slot, sizes: sizes.filter(isReasonable), flags, name, odd })
    .map(
      ({ sizes, flags: bits, ...rest }) =>
        ({ op: "create", type, ...sizes, flags: withRoom(sizes, bits), ...rest }) as const,
    );
}

/** Sizes of which some are drawn in another way. */
function sizesOf(
  sizes: fc.Arbitrary<Sizes>,
  others: { [Field in keyof Sizes]?: fc.Arbitrary<number> },
): fc.Arbitrary<Sizes> {
  return fc.tuple(sizes, fc.record(others)).map(([most, other]) => ({ ...most, ...other }));
}

const unknownType = fc
  .record({
    slot,
    type: fc.constantFrom(0, 34, 35, 1000, 2 ** 32 - 1),
    flags: fc.constantFrom(0, ZERO_SEED, 24),
    name,
    odd,
  })
  .map((rest) => ({ op: "create", keySize: 4, valueSize: 4, maxEntries: 4, ...rest }) as const);

/** A map that every kernel makes, small and of any shape. */
export const goodCreate: fc.Arbitrary<Command> = fc
  .record({
    type: fc.constantFrom(HASH, ARRAY),
    keySize: fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: 40 })),
    valueSize: fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: 40 }), fc.constantFrom(255, 256, 257)),
    maxEntries: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 32, 33, 64, 100)),
    option: fc.constantFrom(0, 1),
    access: rarely(8, 16, 128, 256),
  })
  .map(({ type, keySize, option, access, ...sizes }) => {
    const flags = type === HASH ? ZERO_SEED | option : option * MMAPABLE;
    const size = type === HASH ? keySize : 4;
    return { op: "create", slot: 0, type, keySize: size, ...sizes, flags: flags | access, name: "", odd: null };
  });

/** A map with a value for each CPU, or one that evicts, or both. */
export const goodPercpuOrLru: fc.Arbitrary<Command> = fc
  .record({
    type: fc.constantFrom(PERCPU_HASH, PERCPU_HASH, PERCPU_ARRAY, LRU_HASH, LRU_PERCPU_HASH),
    keySize: fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: 40 })),
    valueSize: fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: 40 }), fc.constantFrom(255, 256, 257)),
    maxEntries: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 32, 33, 64, 100)),
    option: fc.constantFrom(0, 1),
    access: rarely(8, 16, 128, 256),
  })
  .map(({ type, keySize, maxEntries, option, access, ...sizes }) => {
    const shared = { op: "create", slot: 0, type, ...sizes, name: "", odd: null } as const;
    if (type === PERCPU_ARRAY) return { ...shared, keySize: 4, maxEntries, flags: access };
    if (type === PERCPU_HASH) return { ...shared, keySize, maxEntries, flags: ZERO_SEED | option | access };
    return { ...shared, keySize, maxEntries: 250 + maxEntries, flags: ZERO_SEED | (option * 2) | access };
  });

export const goodLpmTrie: fc.Arbitrary<Command> = fc
  .record({
    keySize: fc.oneof(fc.constantFrom(8, 20), fc.integer({ min: 5, max: 40 })),
    valueSize: fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: 40 })),
    maxEntries: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 32, 33, 64, 100)),
    access: rarely(8, 16, 128, 256),
  })
  .map(({ access, ...sizes }) => {
    return { op: "create", slot: 0, type: LPM_TRIE, ...sizes, flags: 1 | access, name: "", odd: null };
  });

export const goodObjectCreate: fc.Arbitrary<Command> = goodObjectMap.map((shape) => {
  return { op: "create", slot: 0, ...shape, name: "", odd: null };
});

const anyObjectCreate: fc.Arbitrary<Command> = fc
  .record({ slot, shape: anyObjectMap, name, odd })
  .map(({ shape, ...rest }) => ({ op: "create", ...shape, ...rest }));

export const goodKeylessCreate: fc.Arbitrary<Command> = goodKeylessMap.map((shape) => {
  return { op: "create", slot: 0, ...shape, name: "" };
});

const anyKeylessCreate: fc.Arbitrary<Command> = fc
  .record({ slot, shape: anyKeylessMap, name })
  .map(({ shape, ...rest }) => ({ op: "create", ...shape, ...rest }));

export const anyCreate: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: anyKeylessCreate },
  { weight: 8, arbitrary: anyObjectCreate },
  { weight: 20, arbitrary: create(HASH, hashSizes, hashFlags) },
  { weight: 12, arbitrary: create(ARRAY, arraySizes, arrayFlags) },
  { weight: 4, arbitrary: create(PERCPU_HASH, sizesOf(hashSizes, { valueSize: percpuValueSize }), hashFlags) },
  { weight: 4, arbitrary: create(PERCPU_ARRAY, sizesOf(arraySizes, { valueSize: percpuValueSize }), percpuArrayFlags) },
  { weight: 3, arbitrary: create(LRU_HASH, sizesOf(hashSizes, { maxEntries: lruEntries }), lruFlags) },
  {
    weight: 3,
    arbitrary: create(
      LRU_PERCPU_HASH,
      sizesOf(hashSizes, { maxEntries: lruEntries, valueSize: percpuValueSize }),
      lruFlags,
    ),
  },
  { weight: 8, arbitrary: create(LPM_TRIE, lpmTrieSizes, lpmTrieFlags) },
  { weight: 1, arbitrary: unknownType },
);

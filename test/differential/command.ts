import fc from "fast-check";
import { anyKeylessMap, goodKeylessMap } from "./keyless-maps.ts";
import { anyObjectMap, goodObjectMap } from "./object-maps.ts";

/**
 * One command of a random program. Maps are named by slots: whatever fd a kernel gives for what was opened into a slot
 * is that kernel's own affair. Keys, values and cursors are numbers, spread over as many bytes as the map in the slot has.
 */
export type Command =
  | {
      readonly op: "create";
      readonly slot: number;
      readonly type: number;
      readonly keySize: number;
      readonly valueSize: number;
      readonly maxEntries: number;
      readonly flags: number;
      readonly name: string;
      readonly odd: Odd | null;
      /** The slot of the inner map, for a map of maps. */
      readonly inner?: number;
    }
  | {
      readonly op: "update";
      readonly slot: number;
      readonly key: number;
      readonly value: number;
      readonly flags: number;
    }
  | { readonly op: "lookup" | "take"; readonly slot: number; readonly key: number; readonly flags: number }
  | { readonly op: "delete"; readonly slot: number; readonly key: number }
  | { readonly op: "nextKey"; readonly slot: number; readonly key: number | null }
  | {
      readonly op: "lookupBatch" | "takeBatch";
      readonly slot: number;
      readonly cursor: number | "out" | null;
      readonly count: number;
      readonly elemFlags: number;
      readonly flags: number;
    }
  | {
      readonly op: "updateBatch" | "deleteBatch";
      readonly slot: number;
      readonly keys: readonly number[];
      readonly elemFlags: number;
      readonly flags: number;
    }
  | { readonly op: "freeze" | "info" | "close"; readonly slot: number }
  | { readonly op: "pin"; readonly slot: number; readonly path: string; readonly fileFlags: number }
  | { readonly op: "get"; readonly slot: number; readonly path: string; readonly fileFlags: number }
  | { readonly op: "byId"; readonly from: number; readonly slot: number; readonly openFlags: number }
  | {
      /** Opens the inner map that a map of maps has for a key. */
      readonly op: "inner";
      readonly from: number;
      readonly key: number;
      readonly slot: number;
    }
  | { readonly op: "mkdir" | "rmdir" | "unlink" | "readdir"; readonly path: string }
  | {
      readonly op: "mmap";
      readonly slot: number;
      readonly pages: number;
      readonly protection: number;
      readonly offset: number;
    }
  | { readonly op: "store"; readonly at: number; readonly value: number }
  | { readonly op: "munmap" }
  | {
      /** A command given with another attr than libbpf's: shorter, longer, with junk behind it, with pointers to nowhere. */
      readonly op: "raw";
      readonly cmd: number;
      readonly slot: number;
      readonly key: number;
      readonly size: number;
      /** Where a byte behind the command's last field is not zero. */
      readonly junkAt: number | null;
      readonly pointer: Pointer;
      readonly which: number;
      readonly flags: number;
      readonly shift: number;
    };

/** A field of BPF_MAP_CREATE that is usually 0. */
export interface Odd {
  readonly field:
    | "innerMapFd"
    | "numaNode"
    | "ifindex"
    | "btfFd"
    | "btfKeyTypeId"
    | "btfValueTypeId"
    | "mapExtra"
    | "tokenFd";
  readonly value: number;
}

/** What one pointer of a raw attr is replaced by. */
export type Pointer = "good" | "null" | "low" | "beyond" | "wide" | "edge" | "unaligned";

export const SLOTS = 4;

/** Mostly the slots that every program fills first. */
const slot = fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3);
/** Few keys, so that programs meet them again. */
const key = fc.oneof(
  { weight: 12, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(40) },
  { weight: 1, arbitrary: fc.nat() },
);
const value = fc.nat();
const updateFlags = fc.oneof(
  { weight: 10, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.constantFrom(1, 2) },
  { weight: 1, arbitrary: fc.constantFrom(3, 4, 5, 6, 7, 8, 16, 2 ** 32, 2 ** 32 + 4, 2 ** 52) },
);
const rarely = (...values: number[]): fc.Arbitrary<number> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(...values) });

const HASH = 1;
const ARRAY = 2;
const LPM_TRIE = 11;
const ARRAY_OF_MAPS = 12;
const HASH_OF_MAPS = 13;
const PERCPU_HASH = 5;
const PERCPU_ARRAY = 6;
const LRU_HASH = 9;
const LRU_PERCPU_HASH = 10;
const ZERO_SEED = 64;
const MMAPABLE = 1024;

/** Flags that make or break a map. Hashes are mostly seeded with zero, so that their order can be compared. */
const hashFlags = fc
  .tuple(
    fc.constantFrom(0, 0, 0, 1),
    rarely(8, 16, 24, 128, 256, 384),
    rarely(2, 4, 32, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 2 ** 31),
    rarely(ZERO_SEED),
  )
  .map(([prealloc, access, odd, seed]) => (prealloc | access | odd | (ZERO_SEED ^ seed)) >>> 0);
const arrayFlags = fc
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

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("", "hits", "a.b_c9", "fifteen_letters", "longer_than_fifteen_letters") },
  { weight: 1, arbitrary: fc.constantFrom("sp ace", "das-h", "a/b", "é", "naïve", "a×b", "\n") },
);

const odd: fc.Arbitrary<Odd | null> = fc.oneof(
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
function isReasonable({
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

interface Sizes {
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
const goodCreate: fc.Arbitrary<Command> = fc
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
const goodPercpuOrLru: fc.Arbitrary<Command> = fc
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

const goodLpmTrie: fc.Arbitrary<Command> = fc
  .record({
    keySize: fc.oneof(fc.constantFrom(8, 20), fc.integer({ min: 5, max: 40 })),
    valueSize: fc.oneof(fc.constantFrom(4, 8), fc.integer({ min: 1, max: 40 })),
    maxEntries: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 32, 33, 64, 100)),
    access: rarely(8, 16, 128, 256),
  })
  .map(({ access, ...sizes }) => {
    return { op: "create", slot: 0, type: LPM_TRIE, ...sizes, flags: 1 | access, name: "", odd: null };
  });

const goodObjectCreate: fc.Arbitrary<Command> = goodObjectMap.map((shape) => {
  return { op: "create", slot: 0, ...shape, name: "", odd: null };
});

const anyObjectCreate: fc.Arbitrary<Command> = fc
  .record({ slot, shape: anyObjectMap, name, odd })
  .map(({ shape, ...rest }) => ({ op: "create", ...shape, ...rest }));

const goodKeylessCreate: fc.Arbitrary<Command> = goodKeylessMap.map((shape) => {
  return { op: "create", slot: 0, ...shape, name: "" };
});

const anyKeylessCreate: fc.Arbitrary<Command> = fc
  .record({ slot, shape: anyKeylessMap, name })
  .map(({ shape, ...rest }) => ({ op: "create", ...shape, ...rest }));

const anyCreate: fc.Arbitrary<Command> = fc.oneof(
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

const path = fc.constantFrom(
  "a",
  "a",
  "a",
  "a",
  "b",
  "b",
  "b",
  "d",
  "d",
  "d/a",
  "d/a",
  "d/a",
  "d/b",
  "d/e",
  "d/e/a",
  "a/b",
  "x.y",
  "d/x.y",
  "x.y/a",
  "no/a",
  "a/",
  "d/",
  ".",
  "..",
  "d/.",
  "d/..",
  "d/../b",
  "./a",
  "a//",
  "//a",
  "d//b",
  "é",
  "n".repeat(255),
  "n".repeat(256),
  `d/${"m".repeat(256)}`,
);

const batchSize = fc.oneof({ weight: 6, arbitrary: fc.nat(6) }, { weight: 3, arbitrary: fc.nat(40) });
const elemFlags = rarely(1, 2, 4, 8, 2 ** 32);

const raw: fc.Arbitrary<Extract<Command, { op: "raw" }>> = fc.record({
  op: fc.constant("raw" as const),
  cmd: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(1, 2, 3, 4, 6, 7, 14, 15, 21, 22, 24, 25, 26, 27) },
    { weight: 1, arbitrary: fc.constantFrom(38, 39, 1000, 2 ** 31 - 1) },
  ),
  slot,
  key,
  size: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(0, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 92, 96, 168, 176, 4096, 4097),
    },
    { weight: 2, arbitrary: fc.nat(260) },
  ),
  junkAt: fc.option(fc.nat(220), { freq: 4, nil: null }),
  pointer: fc.constantFrom<Pointer>("good", "good", "good", "null", "low", "beyond", "wide", "edge", "unaligned"),
  which: fc.nat(3),
  flags: updateFlags,
  shift: fc.constantFrom(0, 0, 0, 1, 4),
});

/** Any command. */
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: anyCreate },
  { weight: 24, arbitrary: fc.record({ op: fc.constant("update" as const), slot, key, value, flags: updateFlags }) },
  {
    weight: 10,
    arbitrary: fc.record({ op: fc.constant("lookup" as const), slot, key, flags: rarely(1, 2, 4, 5, 2 ** 32) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant("take" as const), slot, key, flags: rarely(1, 2, 4, 5, 2 ** 32) }),
  },
  { weight: 8, arbitrary: fc.record({ op: fc.constant("delete" as const), slot, key }) },
  { weight: 8, arbitrary: fc.record({ op: fc.constant("nextKey" as const), slot, key: fc.option(key, { freq: 4 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom("lookupBatch" as const, "lookupBatch" as const, "takeBatch" as const),
      slot,
      cursor: fc.oneof(
        { weight: 3, arbitrary: fc.constant(null) },
        { weight: 4, arbitrary: fc.constant("out" as const) },
        { weight: 1, arbitrary: fc.nat(40) },
      ),
      count: batchSize,
      elemFlags,
      flags: rarely(1, 2 ** 32),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constantFrom("updateBatch" as const, "updateBatch" as const, "deleteBatch" as const),
      slot,
      keys: fc.array(key, { maxLength: 8 }),
      elemFlags,
      flags: rarely(1, 2 ** 32),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constantFrom("freeze" as const, "info" as const, "close" as const), slot }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("info" as const), slot }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant("pin" as const), slot, path, fileFlags: rarely(8, 16384, 1, 2 ** 31) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("get" as const),
      slot,
      path,
      fileFlags: fc.constantFrom(0, 0, 0, 0, 8, 16, 24, 1, 16384),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("byId" as const),
      from: slot,
      slot,
      openFlags: fc.constantFrom(0, 0, 0, 8, 16, 24, 1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom("mkdir" as const, "rmdir" as const, "unlink" as const, "readdir" as const),
      path,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant("mmap" as const),
      slot,
      pages: fc.constantFrom(1, 1, 1, 2, 3, 0),
      protection: fc.constantFrom(3, 3, 1),
      offset: fc.constantFrom(0, 0, 0, 4096, 8192, 100),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("store" as const), at: fc.nat(4095), value: fc.nat(255) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("munmap" as const) }) },
  { weight: 10, arbitrary: raw },
);

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

type Create = Extract<Command, { op: "create" }>;

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

const openInner = fc.record({ op: fc.constant("inner" as const), from: slot, key: fc.nat(5), slot });

/**
 * A program of maps of maps. They are rare among the programs: on Linux each update of one waits until no program can
 * have the old inner map any more.
 */
const mapOfMapsProgram: fc.Arbitrary<readonly Command[]> = fc
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

/** A program: it begins with good maps in the first slots, and goes on with anything. */
const mapProgram: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: goodCreate },
        { weight: 6, arbitrary: goodPercpuOrLru },
        { weight: 2, arbitrary: goodLpmTrie },
        { weight: 4, arbitrary: goodObjectCreate },
        { weight: 5, arbitrary: goodKeylessCreate },
      ),
      {
        minLength: 1,
        maxLength: 3,
        size: "max",
      },
    ),
    fc.array(anyCommand, { minLength: 1, maxLength: 160, size: "max" }),
  )
  .map(([maps, rest]) => [...maps.map((map, slot) => ({ ...map, slot })), ...rest]);

/** Any program. */
export const anyProgram: fc.Arbitrary<readonly Command[]> = fc.oneof(
  { weight: 40, arbitrary: mapProgram },
  { weight: 1, arbitrary: mapOfMapsProgram },
);

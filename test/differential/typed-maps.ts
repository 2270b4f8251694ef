/** Programs of maps with BTF: typed keys and values, locks and other special fields, and BTF that comes and goes. */
import { BPF_F_MMAPABLE, BPF_F_NO_PREALLOC, BPF_F_ZERO_SEED } from "../../src/abi/flags.ts";
import { HASH_TABLE_TYPES, MAP_TYPE_NAMES, type MapTypeName, mapTypeNumber } from "../../src/abi/map-types.ts";
import { fc } from "../seeded.ts";
import { anyCommand } from "./any-command.ts";
import { BTF_SLOTS, type BtfCommand, type Command, type MapTypes } from "./command.ts";
import { key, rarely, slot, updateFlags, value } from "./draws.ts";
import { ARRAY_OF_MAPS, HASH_OF_MAPS, name, odd } from "./map-shapes.ts";
import { openInner } from "./maps-of-maps.ts";
import { type NamedType, valueTypes } from "./value-types.ts";

type Create = Extract<Command, { op: "create" }>;

const PAGE = 4096;
const LOCK = 4;
const TYPES = valueTypes().all;
const NONE = TYPES[0] as NamedType;
const DATA = TYPES.filter(({ size, isSpecial }) => size > 0 && !isSpecial);

const btf = fc.constantFrom(...Array.from({ length: BTF_SLOTS }, (_, index) => index), 0);

function named(...names: readonly string[]): fc.Arbitrary<NamedType> {
  return fc.constantFrom(...TYPES.filter((type) => names.includes(type.name)));
}

/** Values of which something is to be seen: mostly with a lock. */
const anyValue = fc.oneof(
  { weight: 3, arbitrary: named("locked", "locked in the middle", "locked in a struct", "list", "timer and lock") },
  { weight: 3, arbitrary: fc.constantFrom(...TYPES.filter(({ size }) => size > 0)) },
);
const index = named("int");

/** What makes a map of a type with BTF, where Linux makes one. */
const GOOD: readonly (readonly [
  type: MapTypeName,
  keys: fc.Arbitrary<NamedType>,
  values: fc.Arbitrary<NamedType>,
  weight: number,
])[] = [
  ["hash", fc.constantFrom(...DATA), anyValue, 10],
  ["array", index, anyValue, 10],
  ["array", fc.constant(NONE), named("section"), 2],
  ["lru_hash", fc.constantFrom(...DATA), anyValue, 3],
  ["percpu_hash", fc.constantFrom(...DATA), named("kptr", "kptrs", "struct of 8", "counted"), 3],
  ["percpu_array", index, named("kptr", "kptrs", "struct of 8", "counted"), 3],
  ["lru_percpu_hash", fc.constantFrom(...DATA), named("kptr", "struct of 8"), 2],
  ["lpm_trie", named("struct of 8", "cgroup key", "no cgroup key"), named("int", "struct of 8", "cgroup key"), 2],
  ["bloom_filter", fc.constant(NONE), named("int", "struct of 8"), 1],
  ["cgroup_storage", named("cgroup key", "long"), named("long", "locked"), 1],
  ["percpu_cgroup_storage", named("cgroup key", "long"), named("long"), 1],
  ["sk_storage", index, anyValue, 2],
  ["inode_storage", index, anyValue, 2],
  ["task_storage", index, fc.oneof(anyValue, named("uptr")), 2],
  ["cgrp_storage", index, anyValue, 2],
  ["arena", fc.constant(NONE), named("struct of 0"), 1],
];

/** The flags that a type cannot be without, and those that let its order be compared. */
function flagsOf(type: MapTypeName): number {
  if (type === "arena") return BPF_F_MMAPABLE;
  if (type === "lpm_trie" || isLocalStorage(type)) return BPF_F_NO_PREALLOC;
  const isSeeded = HASH_TABLE_TYPES.has(mapTypeNumber(type) as number) || type === "bloom_filter";
  return isSeeded ? BPF_F_ZERO_SEED : 0;
}

/** As few entries as can be looked at; but an LRU map is never half full: docs/differences.md says why. */
function entriesOf(type: MapTypeName, drawn: number): number {
  if (type.endsWith("_storage")) return 0;
  if (type === "user_ringbuf") return 16 * PAGE;
  if (type === "ringbuf") return PAGE;
  return type.startsWith("lru") ? 250 + drawn : drawn;
}

function isLocalStorage(type: MapTypeName): boolean {
  return ["sk_storage", "inode_storage", "task_storage", "cgrp_storage"].includes(type);
}

/** A map with BTF from the first slot that Linux makes. */
const goodTypedCreate: fc.Arbitrary<Create> = fc.oneof(
  ...GOOD.map(([type, keys, values, weight]) => ({
    weight,
    arbitrary: fc
      .record({ key: keys, value: values, drawn: fc.integer({ min: 1, max: 12 }), flag: flagFor(type) })
      .map(({ key, value, drawn, flag }) => ({
        op: "create" as const,
        slot: 0,
        type: mapTypeNumber(type) as number,
        keySize: type === "array" ? 4 : key.size,
        valueSize: value.size,
        maxEntries: key.name === "none" && type === "array" ? 1 : entriesOf(type, drawn),
        flags: flagsOf(type) ^ flag,
        name: "",
        odd: null,
        types: { btf: 0, key: key.id, value: value.id },
      })),
  })),
);

function flagFor(type: MapTypeName): fc.Arbitrary<number> {
  if (type === "array") return fc.constantFrom(0, 0, 0, BPF_F_MMAPABLE);
  return type === "hash" || type === "percpu_hash" ? fc.constantFrom(0, BPF_F_NO_PREALLOC) : fc.constant(0);
}

const anyTypes: fc.Arbitrary<MapTypes["btf"]> = fc.oneof(
  { weight: 12, arbitrary: btf },
  { weight: 1, arbitrary: fc.constantFrom("closed" as const, "map" as const) },
);

const strangeId = fc.constantFrom(0, 1, 2, 14, 33, 70, 1000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1);

/** A map of any type with BTF, and something that may be wrong: an id, a size, a flag. */
const anyTypedCreate: fc.Arbitrary<Create> = fc
  .record({
    slot,
    good: goodTypedCreate,
    type: fc.option(fc.constantFrom(...MAP_TYPE_NAMES), { freq: 3 }),
    btf: anyTypes,
    key: fc.option(fc.constantFrom(...TYPES), { freq: 4 }),
    value: fc.option(fc.constantFrom(...TYPES), { freq: 4 }),
    strangeKey: fc.option(strangeId, { freq: 8 }),
    strangeValue: fc.option(strangeId, { freq: 8 }),
    keySize: fc.option(fc.constantFrom(0, 4, 8, 12), { freq: 8 }),
    valueSize: fc.option(fc.constantFrom(0, 4, 8, 12, 24), { freq: 8 }),
    flags: rarely(1, 8, 16, 64, 128, 256, 512, 1024, 4096, 8192, 32768, 131072),
    name,
    odd,
  })
  .map(({ slot, good, type, btf, key, value, flags, name, odd, ...rest }) => {
    const types = {
      btf,
      key: rest.strangeKey ?? key?.id ?? good.types?.key ?? 0,
      value: rest.strangeValue ?? value?.id ?? good.types?.value ?? 0,
    };
    const shape = type === null ? {} : { type: mapTypeNumber(type) as number, ...shapeOf(type, good.maxEntries) };
    const sizes = {
      keySize: rest.keySize ?? key?.size ?? good.keySize,
      valueSize: rest.valueSize ?? value?.size ?? good.valueSize,
    };
    const made = { ...good, ...shape };
    return { ...made, slot, ...sizes, flags: (made.flags ^ flags) >>> 0, name, odd, types };
  });

function shapeOf(type: MapTypeName, entries: number): Pick<Create, "maxEntries" | "flags"> {
  return { flags: flagsOf(type), maxEntries: entriesOf(type, (entries % 12) + 1) };
}

const log = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ level: 0, size: 0 }) },
  {
    weight: 1,
    arbitrary: fc.record({ level: fc.constantFrom(0, 1, 2, 4, 5, 8, 9), size: fc.constantFrom(0, 1, 64, 700, 8192) }),
  },
);

const load: fc.Arbitrary<BtfCommand> = fc.record({
  op: fc.constant("btfLoad" as const),
  btf,
  source: fc.constantFrom(0, 0, 0, 1),
  mutation: fc.option(fc.nat(), { freq: 1, nil: null }),
  flags: rarely(1, 65536),
  log,
});

const btfCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: load },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("btfById" as const), from: btf, btf }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("btfOfMap" as const), slot, btf }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("btfForMap" as const), btf, slot }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("btfNextId" as const), btf }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("btfInfo" as const), btf, room: fc.constantFrom(0, 1, 24, 1000, 8192) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("btfClose" as const), btf }) },
);

/** Flags with the lock's among them, and now and then one that does not go with it. */
const lockFlags = fc.oneof(
  { weight: 6, arbitrary: fc.constant(LOCK) },
  { weight: 3, arbitrary: fc.constantFrom(LOCK | 1, LOCK | 2) },
  { weight: 1, arbitrary: fc.constantFrom(LOCK | 3, LOCK | 8, LOCK | 16, 2 ** 32 + LOCK, 2 ** 52 + LOCK) },
);

/** Commands that take the lock of a value. */
const lockedCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant("update" as const), slot, key, value, flags: lockFlags }) },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constantFrom("lookup" as const, "take" as const), slot, key, flags: lockFlags }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom("lookupBatch" as const, "takeBatch" as const),
      slot,
      cursor: fc.constantFrom(null, "out" as const),
      count: fc.nat(8),
      elemFlags: lockFlags,
      flags: fc.constant(0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom("updateBatch" as const, "deleteBatch" as const),
      slot,
      keys: fc.array(key, { maxLength: 5 }),
      elemFlags: fc.oneof(lockFlags, updateFlags),
      flags: fc.constant(0),
    }),
  },
);

const goodLoad: fc.Arbitrary<Command> = fc.constant({
  op: "btfLoad",
  btf: 0,
  source: 0,
  mutation: null,
  flags: 0,
  log: { level: 0, size: 0 },
});

const typedCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 30, arbitrary: anyCommand },
  { weight: 10, arbitrary: lockedCommand },
  { weight: 4, arbitrary: anyTypedCreate },
  { weight: 2, arbitrary: btfCommand },
);

/** A program that begins with good maps with BTF. */
export const typedMapProgram: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    goodLoad,
    fc.array(goodTypedCreate, { minLength: 1, maxLength: 3, size: "max" }),
    fc.array(typedCommand, { minLength: 1, maxLength: 160, size: "max" }),
  )
  .map(([load, maps, rest]) => [load, ...maps.map((map, slot) => ({ ...map, slot })), ...rest]);

const OF_EIGHT = TYPES.filter(({ size }) => size === 8);

/** A map of maps in the first slot, and in the next ones maps of one shape, whose values are not the same or hardly. */
const typedMapsOfMaps: fc.Arbitrary<readonly Command[]> = fc
  .record({
    type: fc.constantFrom("hash" as const, "array" as const),
    value: fc.constantFrom(...OF_EIGHT),
    other: fc.constantFrom(...OF_EIGHT),
    hasTypes: fc.constantFrom(true, true, true, false),
    outer: fc.constantFrom(ARRAY_OF_MAPS, HASH_OF_MAPS),
    types: fc.option(fc.constantFrom(...TYPES), { freq: 4 }),
  })
  .map(({ type, value, other, hasTypes, outer, types }) => {
    const inner = (slot: number, { id }: NamedType, isTyped: boolean): Command => {
      const made = { op: "create", slot, type: mapTypeNumber(type) as number, keySize: 4, valueSize: 8 } as const;
      const rest = { maxEntries: 3, flags: flagsOf(type), name: "", odd: null } as const;
      return { ...made, ...rest, ...(isTyped ? { types: { btf: 0, key: 1, value: id } } : {}) };
    };
    const flags = outer === HASH_OF_MAPS ? BPF_F_ZERO_SEED : 0;
    const sizes = { keySize: 4, valueSize: 4, maxEntries: 3 };
    const outerTypes = types === null ? {} : { types: { btf: 0, key: 1, value: types.id } };
    return [
      inner(1, value, true),
      inner(2, other, hasTypes),
      { op: "create", slot: 0, type: outer, ...sizes, flags, name: "", odd: null, inner: 1, ...outerTypes },
    ];
  });

/** A program of maps of maps whose inner maps have BTF. */
export const typedMapOfMapsProgram: fc.Arbitrary<readonly Command[]> = fc
  .tuple(
    goodLoad,
    typedMapsOfMaps,
    fc.array(fc.oneof({ weight: 20, arbitrary: typedCommand }, { weight: 4, arbitrary: openInner }), {
      minLength: 1,
      maxLength: 60,
      size: "max",
    }),
  )
  .map(([load, maps, rest]) => [load, ...maps, ...rest]);

import { type MapTypeName, mapTypeNumber } from "../../src/abi/map-types.ts";
import type { MapInfo } from "../../src/sys/map-info.ts";
import { fc } from "../seeded.ts";

/** The attributes of a map whose entries are objects of Linux, or of one without entries. */
export interface ObjectMapShape {
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

const MMAPABLE = 1024;
const NO_PREALLOC = 1;
const PAGE = 4096;
const FLAGS = Array.from({ length: 19 }, (_, bit) => 1 << bit);

type Sizes = readonly [keySizes: readonly number[], valueSizes: readonly number[], maxEntries: readonly number[]];

const FEW = [1, 2, 3, 4, 7, 20];
const FD: Sizes = [[4], [4], FEW];
const FD_OR_MORE: Sizes = [[4], [4, 8], FEW];
const STORAGE: Sizes = [[4], [4, 8, 100], [0]];

/**
 * What makes a map of each type, and with which flags. The data of a user ring buffer that is mapped for writing are
 * longer than any mapping of a program, so that none sees them a second time; docs/differences.md says why.
 */
const GOOD: readonly (readonly [type: MapTypeName, sizes: Sizes, flags: number, weight: number])[] = [
  ["prog_array", FD, 0, 3],
  ["perf_event_array", FD, 0, 3],
  ["cgroup_array", FD, 0, 3],
  ["stack_trace", [[4], [8, 80, 1016], FEW], 0, 3],
  ["devmap", FD_OR_MORE, 0, 6],
  ["devmap_hash", FD_OR_MORE, 0, 12],
  ["cpumap", FD_OR_MORE, 0, 1],
  ["xskmap", FD, 0, 3],
  ["sockmap", FD_OR_MORE, 0, 3],
  ["sockhash", [[1, 3, 4, 8, 40], [4, 8], FEW], 0, 3],
  ["reuseport_sockarray", FD_OR_MORE, 0, 3],
  ["cgroup_storage", [[8, 16], [1, 4, 100], [0]], 0, 3],
  ["percpu_cgroup_storage", [[8, 16], [1, 4, 100], [0]], 0, 3],
  ["ringbuf", [[0], [0], [PAGE, 2 * PAGE]], 0, 3],
  ["user_ringbuf", [[0], [0], [16 * PAGE]], 0, 3],
  ["arena", [[0], [0], [1, 4]], MMAPABLE, 2],
];

/** These are refused without BTF. */
const WITH_BTF: readonly (readonly [type: MapTypeName, sizes: Sizes, flags: number])[] = [
  ["sk_storage", STORAGE, NO_PREALLOC],
  ["inode_storage", STORAGE, NO_PREALLOC],
  ["task_storage", STORAGE, NO_PREALLOC],
  ["cgrp_storage", STORAGE, NO_PREALLOC],
  ["struct_ops", [[4], [4], [1]], 0],
];

function shapes([type, sizes, flags]: readonly [MapTypeName, Sizes, number, number?]): fc.Arbitrary<ObjectMapShape> {
  const [keySizes, valueSizes, maxEntries] = sizes;
  return fc.record({
    type: fc.constant(mapTypeNumber(type) as number),
    keySize: fc.constantFrom(...keySizes),
    valueSize: fc.constantFrom(...valueSizes),
    maxEntries: fc.constantFrom(...maxEntries),
    flags: fc.constant(flags),
  });
}

/** A map that every kernel makes. */
export const goodObjectMap: fc.Arbitrary<ObjectMapShape> = fc.oneof(
  ...GOOD.map((good) => ({ weight: good[3], arbitrary: shapes(good) })),
);

const ODD_KEYS = [0, 1, 3, 5, 8, 12, 16, 17, 512, 513, 2 ** 32 - 1];
const ODD_VALUES = [0, 1, 3, 5, 8, 9, 24, 32, 1024, 4064, 4096, 32768, 32769, 65407, 65408, 2 ** 31, 2 ** 32 - 1];
/** The numbers between are much memory, or as many as the CPUs that a Linux was built for. */
const ODD_ENTRIES = [0, 1, 2, 100, 3 * PAGE];

/** A good map, or one that has something strange. */
export const anyObjectMap: fc.Arbitrary<ObjectMapShape> = fc
  .record({
    good: fc.oneof(...[...GOOD, ...WITH_BTF].map((each) => shapes(each))),
    keySize: fc.option(fc.constantFrom(...ODD_KEYS), { freq: 5 }),
    valueSize: fc.option(fc.constantFrom(...ODD_VALUES), { freq: 5 }),
    maxEntries: fc.option(fc.constantFrom(...ODD_ENTRIES), { freq: 5 }),
    flags: fc.array(fc.constantFrom(...FLAGS), { maxLength: 2 }),
    isPlain: fc.boolean(),
  })
  .map(({ good, keySize, valueSize, maxEntries, flags, isPlain }) => ({
    type: good.type,
    keySize: (isPlain ? null : keySize) ?? good.keySize,
    valueSize: (isPlain ? null : valueSize) ?? good.valueSize,
    maxEntries: (isPlain ? null : maxEntries) ?? good.maxEntries,
    flags: flags.reduce((bits, flag) => bits ^ flag, good.flags),
  }))
  .filter(({ type, maxEntries }) => type !== mapTypeNumber("user_ringbuf") || maxEntries === 16 * PAGE);

/** No device but the first is everywhere; the others are none. */
const DEVICES = [1, 1, 1, 1, 0, 2 ** 31 - 1, 2 ** 32 - 1];
/** Queues are short: Linux starts a thread for each. */
const QUEUES = [0, 1, 16385, 2 ** 31];
/** What no process has open. */
const FDS = [0x70f0f0f0, 0xf0f0f0f0];
/** The program of an entry: none, none, or none that is one. */
const PROGRAMS = [0, 0, 0, -1, 0x70f0f0f0];

const LOCAL_STORAGES: ReadonlySet<string> = new Set(["sk_storage", "inode_storage", "task_storage", "cgrp_storage"]);
const OBJECT_TYPES: ReadonlySet<string> = new Set(GOOD.map(([type]) => type));
const KEPT_BY: Readonly<Record<string, readonly number[]>> = { devmap: DEVICES, devmap_hash: DEVICES, cpumap: QUEUES };

/** A value for a map of objects, drawn by a number; `undefined` for a map of anything else. */
export function objectValue(info: MapInfo | undefined, drawn: number, size: number): Uint8Array | undefined {
  if (info === undefined || !OBJECT_TYPES.has(String(info.type))) return undefined;
  const numbers = KEPT_BY[info.type] ?? FDS;
  const words = new Uint32Array(Math.ceil(size / 4));
  words.fill((numbers[drawn % numbers.length] ?? 0) >>> 0, 0, 1);
  words.fill((PROGRAMS[Math.floor(drawn / numbers.length) % PROGRAMS.length] ?? 0) >>> 0, 1, 2);
  return new Uint8Array(words.buffer).subarray(0, size);
}

/** A key for a map whose keys are fds of objects, drawn by a number; `undefined` for a map of anything else. */
export function objectKey(info: MapInfo | undefined, drawn: number): Uint8Array | undefined {
  if (info === undefined || !LOCAL_STORAGES.has(String(info.type))) return undefined;
  return new Uint8Array(Uint32Array.of(FDS[drawn % FDS.length] as number).buffer);
}

/** Whether a map takes fds of objects, so that the fd of a map is a wrong one. */
export function takesFds(info: MapInfo | undefined): boolean {
  return info !== undefined && OBJECT_TYPES.has(String(info.type)) && !(info.type in KEPT_BY) && info.valueSize >= 4;
}

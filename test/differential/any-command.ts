import { fc } from "../seeded.ts";
import type { Command, Pointer } from "./command.ts";
import { key, rarely, slot, updateFlags, value } from "./draws.ts";
import { anyCreate } from "./map-shapes.ts";

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
    { weight: 12, arbitrary: fc.constantFrom(1, 2, 3, 4, 6, 7, 14, 15, 18, 19, 21, 22, 23, 24, 25, 26, 27) },
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
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
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

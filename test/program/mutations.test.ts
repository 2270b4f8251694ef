/**
 * Object files that are broken in any way are refused by name, or loaded; they never end in an error of ours, in a hang,
 * or in memory without end. `--runs` breaks more of them.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BpfError, embedded, ObjectError } from "mapiary";
import { fc } from "../seeded.ts";

const FOLDER = join(import.meta.dirname, "../../examples/programs");
const OBJECTS = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".bpf.o"))
  .map((name) => Uint8Array.from(readFileSync(join(FOLDER, name))));
const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 200);

/** Numbers that lengths, offsets and indexes do not like. */
const AWKWARD = [0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

const change = fc.record({
  at: fc.nat(),
  width: fc.constantFrom(1, 2, 4),
  value: fc.oneof(fc.constantFrom(...AWKWARD), fc.nat({ max: 0xffffffff })),
});

const broken = fc
  .record({
    object: fc.constantFrom(...OBJECTS),
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    cut: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat() }),
  })
  .map(({ object, changes, cut }) => {
    const bytes = object.slice(0, cut === null ? undefined : cut % object.length);
    const view = new DataView(bytes.buffer);
    for (const { at, width, value } of changes) {
      if (bytes.length < 4) continue;
      const place = at % (bytes.length - 3);
      if (width === 1) view.setUint8(place, value & 0xff);
      else if (width === 2) view.setUint16(place, value & 0xffff, true);
      else view.setUint32(place, value, true);
    }
    return bytes;
  });

describe("a broken object file", () => {
  test("is refused with what is wrong, or loaded", () => {
    let refused = 0;
    let loaded = 0;
    fc.assert(
      fc.property(broken, (bytes) => {
        using bpf = embedded({ maxMemory: 2 ** 26 });
        try {
          using _object = bpf.load(bytes);
          loaded++;
        } catch (error) {
          if (!(error instanceof ObjectError || error instanceof BpfError)) throw error;
          refused++;
        }
        assert.deepEqual(bpf.maps(), []);
      }),
      { numRuns: RUNS },
    );
    assert.ok(refused > RUNS / 20 && loaded > RUNS / 20, `${refused} were refused and ${loaded} loaded`);
  });

  test("that is none at all is refused at its first byte", () => {
    using bpf = embedded();
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), new TextEncoder().encode("#!/bin/sh\n")]) {
      assert.throws(
        () => bpf.load(bytes),
        (error) => error instanceof ObjectError && error.offset === 0,
      );
    }
  });

  test("that ends too soon says where", () => {
    using bpf = embedded();
    const [object = new Uint8Array(0)] = OBJECTS;
    assert.throws(() => bpf.load(object.subarray(0, 40)), /byte 40: the file ends in its header/);
    assert.throws(() => bpf.load(object.subarray(0, 500)), /sections are described at byte \d+, but it ends at 500/);
  });

  test("for another machine, or in the other byte order, says what to do", () => {
    using bpf = embedded();
    const [object = new Uint8Array(0)] = OBJECTS;
    assert.throws(
      () => bpf.load(Uint8Array.from(object).fill(62, 18, 19)),
      /no BPF, but machine 62: compile with -target bpf/,
    );
    assert.throws(
      () => bpf.load(Uint8Array.from(object).fill(2, 5, 6)),
      /big-endian object: compile with -target bpfel/,
    );
  });
});

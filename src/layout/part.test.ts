import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { array } from "./array.ts";
import { bitfield } from "./bitfield.ts";
import { bytes } from "./bytes.ts";
import { setCodeGeneration } from "./compile.ts";
import { enumOf } from "./enum.ts";
import { openEnum } from "./open-enum.ts";
import { named, type Part } from "./part.ts";
import { u8, u16, u32 } from "./scalar.ts";
import { struct, structAt } from "./struct.ts";
import { structOfParts } from "./struct-of-parts.ts";
import { union, unionOfParts } from "./union.ts";
import { u64 } from "./wide.ts";

const small = () => openEnum({ NONE: 0, DROP: 1, PASS: 2 }, u8);
const large = () => openEnum({ LOW: 7, HIGH: 0xffff_fff0 });

/** `struct event { u32 pid; union { u32 v4; struct { u16 low, high; }; u8 octets[4]; }; enum kind kind; ... }`, by hand. */
const words = () =>
  structAt(
    "struct",
    [
      { name: "low", offset: 0, layout: u16 },
      { name: "high", offset: 2, layout: u16 },
    ],
    4,
    2,
  );
const address = () =>
  unionOfParts([
    named("v4", u32),
    { names: ["low", "high"], isAnonymous: true, offset: 0, layout: words() },
    named("octets", bytes(4)),
  ]);
const parts = (): Part[] => [
  named("pid", u32),
  { names: ["v4", "low", "high", "octets"], isAnonymous: true, offset: 4, layout: address() },
  named("kind", small(), 8),
  named("flags", bitfield(0, 3), 9),
  named("level", bitfield(3, 5, { signed: true }), 9),
  named("ports", array(u16, 2), 10),
  named("mode", large(), 16),
  named("either", union({ whole: u64, half: u32 }), 24),
];
/** Made anew each time: what generates code does so when it is first used. */
const event = () => structOfParts("struct event", parts(), 32, 8);

afterEach(() => setCodeGeneration(undefined));

test("members without a name read the same by generated code and without, and are written as they were read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (raw) => {
      const [compiled, composed] = [undefined, false].map((allow) => {
        setCodeGeneration(allow);
        const layout = event();
        const value = layout.decode(raw);
        layout.check(value);
        return { value, bytes: layout.encode(value) };
      });
      assert.deepEqual(compiled, composed);
      const expected = raw.slice();
      for (const padding of [14, 15, 20, 21, 22, 23]) expected[padding] = 0;
      assert.deepEqual(compiled?.bytes, expected);
    }),
  );
});

test("the members of a union without a name stand among those of what it lies in", () => {
  const raw = new Uint8Array(32);
  raw.set([1, 0, 0, 0, 10, 0, 0, 1, 2, 0b11111_101, 80, 0, 81, 0]);
  for (const allow of [undefined, false]) {
    setCodeGeneration(allow);
    assert.deepEqual(event().decode(raw), {
      pid: 1,
      v4: 0x0100000a,
      low: 10,
      high: 0x100,
      octets: Uint8Array.of(10, 0, 0, 1),
      kind: "PASS",
      flags: 5,
      level: -1,
      ports: [80, 81],
      mode: 0,
      either: { whole: 0n, half: 0 },
    });
  }
});

test("one member of a union is enough, and several must agree", () => {
  const rest = { pid: 1, kind: 77, flags: 1, level: 0, ports: [1, 2], mode: "HIGH", either: { half: 5 } };
  for (const allow of [undefined, false]) {
    setCodeGeneration(allow);
    const layout = event();
    const written = layout.encode({ ...rest, low: 1, high: 2 });
    assert.deepEqual(written, layout.encode({ ...rest, v4: 0x0002_0001 }));
    assert.deepEqual(layout.decode(written)["kind"], 77);
    assert.throws(() => layout.encode({ ...rest, v4: 1, octets: new Uint8Array(4) }), /say different bytes/);
    assert.throws(() => layout.check({ ...rest, v4: 1, octets: new Uint8Array(4) }), /say different bytes/);
    assert.throws(() => layout.encode(rest), /one of v4, low, high, octets is missing/);
    assert.throws(() => layout.encode({ ...rest, v4: 1, v6: 1 }), /unknown field "v6"/);
    assert.throws(() => layout.encode({ ...rest, v4: 1, kind: "PAS" }), { name: "TypeError", message: /field kind/ });
    assert.throws(() => layout.encode({ ...rest, v4: 1, flags: 8 }), { name: "RangeError", message: /field flags/ });
  }
});

test("whatever members are given, generated code writes the same bytes, or refuses with the same words", () => {
  const names = ["v4", "low", "high", "octets"];
  const values = fc.record(
    {
      v4: fc.constantFrom(0, 0x0002_0001, 1, -1, "1"),
      low: fc.constantFrom(0, 1, 70_000),
      high: fc.constantFrom(0, 2),
      octets: fc.constantFrom(Uint8Array.of(1, 0, 2, 0), new Uint8Array(4), new Uint8Array(3)),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  const eithers = fc.constantFrom({ half: 5 }, { whole: 5n }, { whole: 5n, half: 5 }, { whole: 5n, half: 4 }, {}, 5);
  fc.assert(
    fc.property(values, eithers, fc.boolean(), (given, either, isStray) => {
      const rest = { pid: 1, kind: "DROP", flags: 1, level: -1, ports: [1, 2], mode: 7, either };
      const value = { ...rest, ...given, ...(isStray && { stray: 1 }) };
      const [compiled, composed] = [undefined, false].map((allow) => {
        setCodeGeneration(allow);
        try {
          return event().encode(value);
        } catch (error) {
          return `${error}`;
        }
      });
      assert.deepEqual(compiled, composed, names.filter((name) => name in given).join());
    }),
    { numRuns: 1000 },
  );
});

test("a member that cannot be read is named", () => {
  const kind = enumOf({ ICMP: 1, TCP: 6 }, u8);
  for (const allow of [undefined, false]) {
    setCodeGeneration(allow);
    const layout = struct({ before: u8, either: union({ kind, number: u8 }) }, { name: "flow" });
    assert.deepEqual(layout.decode(Uint8Array.of(1, 6)), { before: 1, either: { kind: "TCP", number: 6 } });
    assert.throws(() => layout.decode(Uint8Array.of(1, 7)), {
      message: /struct flow: field either\.kind: enum: 7 has no name/,
    });
  }
});

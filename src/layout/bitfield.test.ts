import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { bitfield } from "./bitfield.ts";
import { setCodeGeneration } from "./compile.ts";
import { structAt } from "./struct.ts";

/** Bits of a struct of 16 bytes, which lie where they are said to. */
const bits = fc
  .record({ byte: fc.integer({ min: 0, max: 7 }), start: fc.integer({ min: 0, max: 7 }), signed: fc.boolean() })
  .chain((place) => fc.integer({ min: 1, max: 64 }).map((width) => ({ ...place, width })));

function structOf({ byte, start, width, signed }: { byte: number; start: number; width: number; signed: boolean }) {
  return structAt("struct s", [{ name: "bits", offset: byte, layout: bitfield(start, width, { signed }) }], 16, 8);
}

/** The whole as one number, and where in it the bits lie. */
function wholeOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((whole, byte) => (whole << 8n) | BigInt(byte), 0n);
}

afterEach(() => setCodeGeneration(undefined));

for (const allow of [undefined, false]) {
  const way = allow === undefined ? "by generated code" : "without generated code";

  test(`bits are those that the bytes have from their place on, ${way}`, () => {
    fc.assert(
      fc.property(bits, fc.uint8Array({ minLength: 16, maxLength: 16 }), (at, bytes) => {
        setCodeGeneration(allow);
        const raw = wholeOf(bytes) >> BigInt(at.byte * 8 + at.start);
        const exact = at.signed ? BigInt.asIntN(at.width, raw) : BigInt.asUintN(at.width, raw);
        assert.deepEqual(structOf(at).decode(bytes), { bits: at.width <= 32 ? Number(exact) : exact });
      }),
      { numRuns: 1000 },
    );
  });

  test(`bits that are written are read again, and no others are touched, ${way}`, () => {
    fc.assert(
      fc.property(bits, fc.uint8Array({ minLength: 16, maxLength: 16 }), (at, bytes) => {
        setCodeGeneration(allow);
        const layout = structOf(at);
        const value = layout.decode(bytes);
        const mask = ((1n << BigInt(at.width)) - 1n) << BigInt(at.byte * 8 + at.start);
        assert.equal(wholeOf(layout.encode(value)), wholeOf(bytes) & mask);

        const own = layout.fields[0]?.layout;
        const ones = new Uint8Array(16).fill(0xff);
        own?.write({ u8: ones, view: new DataView(ones.buffer) }, at.byte, value["bits"]);
        assert.equal(wholeOf(ones), (wholeOf(bytes) & mask) | (((1n << 128n) - 1n) & ~mask));
      }),
      { numRuns: 1000 },
    );
  });

  test(`a number that has more bits is refused, ${way}`, () => {
    fc.assert(
      fc.property(bits, ({ signed, ...place }) => {
        setCodeGeneration(allow);
        const layout = structOf({ signed, ...place });
        const { width } = place;
        const [least, most] = signed
          ? [-(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n]
          : [0n, (1n << BigInt(width)) - 1n];
        const kind = (value: bigint) => ({ bits: width <= 32 ? Number(value) : value });
        for (const value of [least, most]) layout.check(kind(value));
        for (const value of [least - 1n, most + 1n]) {
          assert.throws(() => layout.check(kind(value)), {
            name: "RangeError",
            message: /field bits: .* is out of range/,
          });
          assert.throws(() => layout.encode(kind(value)), { name: "RangeError" });
        }
        for (const value of [width <= 32 ? 1n : 1, "1", undefined, width <= 32 ? 0.5 : null]) {
          assert.throws(() => layout.encode({ bits: value }), { name: "TypeError" });
        }
      }),
      { numRuns: 200 },
    );
  });
}

test("bits that no struct can have are refused", () => {
  for (const [start, width] of [
    [8, 1],
    [-1, 1],
    [0, 0],
    [0, 65],
    [0.5, 1],
  ] as const) {
    assert.throws(() => bitfield(start, width), { name: "RangeError" });
  }
});

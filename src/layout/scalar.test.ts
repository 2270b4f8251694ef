import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { i16be, i32be, u16be, u32be } from "./big-endian.ts";
import type { Layout, Value } from "./layout.ts";
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "./scalar.ts";

const integers: [layout: Layout<number>, least: number, most: number][] = [
  [u8, 0, 2 ** 8 - 1],
  [u16, 0, 2 ** 16 - 1],
  [u32, 0, 2 ** 32 - 1],
  [u16be, 0, 2 ** 16 - 1],
  [u32be, 0, 2 ** 32 - 1],
  [i8, -(2 ** 7), 2 ** 7 - 1],
  [i16, -(2 ** 15), 2 ** 15 - 1],
  [i32, -(2 ** 31), 2 ** 31 - 1],
  [i16be, -(2 ** 15), 2 ** 15 - 1],
  [i32be, -(2 ** 31), 2 ** 31 - 1],
];

for (const [layout, least, most] of integers) {
  const { name } = layout;

  test(`${name} holds every integer from ${least} to ${most}`, () => {
    assert.equal(layout.align, layout.size);
    fc.assert(
      fc.property(fc.integer({ min: least, max: most }), (value) => {
        assert.equal(layout.decode(layout.encode(value)), value);
      }),
    );
    for (const value of [least, most, 0, 1]) assert.equal(layout.decode(layout.encode(value)), value);
  });

  test(`${name} refuses an integer outside its range`, () => {
    for (const value of [least - 1, most + 1, 2 ** 53, -(2 ** 53)]) {
      const error = { name: "RangeError", message: `${name}: ${value} is out of range, ${least} to ${most}` };
      assert.throws(() => layout.encode(value), error);
      assert.throws(() => layout.check(value), error);
    }
  });

  test(`${name} refuses what is no integer`, () => {
    for (const value of [0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => layout.encode(value), { name: "RangeError", message: `${name}: ${value} is not an integer` });
    }
  });

  test(`${name} refuses what is no number`, () => {
    for (const value of ["5", 5n, true, null, undefined, [5], { valueOf: () => 5 }, Symbol("5")]) {
      assert.throws(() => layout.encode(value as never), { name: "TypeError" });
      assert.throws(() => layout.check(value as never), { name: "TypeError" });
    }
  });

  test(`a refused ${name} leaves the bytes as they were`, () => {
    const u8 = new Uint8Array(layout.size).fill(0xaa);
    assert.throws(() => layout.write({ u8, view: new DataView(u8.buffer) }, 0, most + 1));
    assert.deepEqual(u8, new Uint8Array(layout.size).fill(0xaa));
  });
}

test("integers lie least significant byte first, and big-endian ones the other way", () => {
  assert.deepEqual(u8.encode(0x12), Uint8Array.of(0x12));
  assert.deepEqual(u16.encode(0x1234), Uint8Array.of(0x34, 0x12));
  assert.deepEqual(u32.encode(0x12345678), Uint8Array.of(0x78, 0x56, 0x34, 0x12));
  assert.deepEqual(u16be.encode(0x1234), Uint8Array.of(0x12, 0x34));
  assert.deepEqual(u32be.encode(0x12345678), Uint8Array.of(0x12, 0x34, 0x56, 0x78));
  assert.deepEqual(i8.encode(-2), Uint8Array.of(0xfe));
  assert.deepEqual(i16.encode(-2), Uint8Array.of(0xfe, 0xff));
  assert.deepEqual(i32.encode(-2), Uint8Array.of(0xfe, 0xff, 0xff, 0xff));
  assert.deepEqual(i16be.encode(-2), Uint8Array.of(0xff, 0xfe));
  assert.deepEqual(i32be.encode(-2), Uint8Array.of(0xff, 0xff, 0xff, 0xfe));
});

test("a value is read and written where it lies, aligned or not", () => {
  const u8 = new Uint8Array(8);
  const memory = { u8, view: new DataView(u8.buffer) };
  u32.write(memory, 3, 0xdeadbeef);
  assert.deepEqual(u8, Uint8Array.of(0, 0, 0, 0xef, 0xbe, 0xad, 0xde, 0));
  assert.equal(u32.read(memory, 3), 0xdeadbeef);
});

test("minus zero is written as zero", () => {
  assert.ok(Object.is(u32.decode(u32.encode(-0)), 0));
});

test("the message for a wrong kind says what was got and what to do", () => {
  assert.throws(() => u32.encode("5" as never), { message: 'u32: expected a number, got string "5"' });
  assert.throws(() => u32.encode(5n as never), { message: "u32: expected a number, got bigint 5n (use Number(5n))" });
  assert.throws(() => u32.encode(undefined as never), { message: "u32: expected a number, got undefined" });
  assert.throws(() => u32.encode(new Map() as never), {
    message: "u32: expected a number, got an object of class Map",
  });
});

test("decode takes exactly as many bytes as the layout has", () => {
  assert.throws(() => u32.decode(new Uint8Array(3)), {
    name: "RangeError",
    message: "u32: expected 4 bytes to decode, got 3",
  });
  assert.throws(() => u32.decode(new Uint8Array(5)), RangeError);
  assert.throws(() => u32.decode("abcd" as never), {
    name: "TypeError",
    message: 'u32: expected a Uint8Array to decode, got string "abcd"',
  });
});

test("decode reads a view of a larger buffer where the view begins", () => {
  assert.equal(u16.decode(Uint8Array.of(9, 9, 0x34, 0x12, 9).subarray(2, 4)), 0x1234);
  assert.equal(u16.decode(Buffer.from("3412", "hex")), 0x1234);
});

test("f64 holds every number", () => {
  assert.equal(f64.size, 8);
  assert.equal(f64.align, 8);
  fc.assert(fc.property(fc.double(), (value) => assert.deepEqual(f64.decode(f64.encode(value)), value)));
  assert.deepEqual(f64.encode(1), Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf0, 0x3f));
});

test("f32 holds every float and rounds other numbers to one", () => {
  assert.equal(f32.size, 4);
  fc.assert(fc.property(fc.float(), (value) => assert.deepEqual(f32.decode(f32.encode(value)), value)));
  assert.equal(f32.decode(f32.encode(0.1)), Math.fround(0.1));
  assert.deepEqual(f32.encode(1), Uint8Array.of(0, 0, 0x80, 0x3f));
});

test("f32 refuses a finite number that would become infinite", () => {
  const most = 2 ** 128 - 2 ** 104;
  assert.equal(f32.decode(f32.encode(most)), most);
  assert.equal(f32.decode(f32.encode(Number.POSITIVE_INFINITY)), Number.POSITIVE_INFINITY);
  for (const value of [2 ** 128, -1e300]) assert.throws(() => f32.encode(value), /^RangeError: f32: .* out of range/);
});

test("floats refuse what is no number", () => {
  for (const layout of [f32, f64]) {
    for (const value of ["1", 1n, null, undefined, "abc", Symbol("1")]) {
      assert.throws(() => layout.encode(value as never), { name: "TypeError" });
    }
  }
});

test("bool is one byte: 0, 1, and true for any other", () => {
  assert.equal(bool.size, 1);
  assert.deepEqual(bool.encode(true), Uint8Array.of(1));
  assert.deepEqual(bool.encode(false), Uint8Array.of(0));
  assert.equal(bool.decode(Uint8Array.of(0)), false);
  assert.equal(bool.decode(Uint8Array.of(255)), true);
  assert.throws(() => bool.encode(1 as never), { message: "bool: expected a boolean, got number 1" });
});

test("the types of values are known at compile time", () => {
  const number: Value<typeof u32> = 5;
  const truth: Value<typeof bool> = true;
  assert.deepEqual([u32.decode(u32.encode(number)), bool.decode(bool.encode(truth))], [5, true]);
  // @ts-expect-error a string is no u32
  assert.throws(() => u32.encode("5"), TypeError);
  // @ts-expect-error a bigint is no u32
  assert.throws(() => u32.encode(5n), TypeError);
  // @ts-expect-error a number is no bool
  assert.throws(() => bool.encode(1), TypeError);
});

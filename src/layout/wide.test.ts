import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/seeded.ts";
import type { Value } from "./layout.ts";
import { type BigIntLayout, i64, i64be, u64, u64be } from "./wide.ts";

const wides: [layout: BigIntLayout, least: bigint, most: bigint][] = [
  [u64, 0n, 2n ** 64n - 1n],
  [u64be, 0n, 2n ** 64n - 1n],
  [i64, -(2n ** 63n), 2n ** 63n - 1n],
  [i64be, -(2n ** 63n), 2n ** 63n - 1n],
];

const MOST_SAFE = Number.MAX_SAFE_INTEGER;

for (const [layout, least, most] of wides) {
  const { name, number } = layout;
  const leastSafe = least === 0n ? 0 : -MOST_SAFE;

  test(`${name} holds every integer from ${least} to ${most}`, () => {
    assert.deepEqual([layout.size, layout.align], [8, 8]);
    fc.assert(
      fc.property(fc.bigInt({ min: least, max: most }), (value) => {
        assert.equal(layout.decode(layout.encode(value)), value);
      }),
    );
    for (const value of [least, most, 0n]) assert.equal(layout.decode(layout.encode(value)), value);
  });

  test(`${name} refuses an integer outside its range`, () => {
    for (const value of [least - 1n, most + 1n, 2n ** 64n + 5n]) {
      const error = { name: "RangeError", message: `${name}: ${value} is out of range, ${least} to ${most}` };
      assert.throws(() => layout.encode(value), error);
      assert.throws(() => layout.check(value), error);
    }
  });

  test(`${name} refuses a number and says what to write instead`, () => {
    assert.throws(() => layout.encode(5 as never), {
      name: "TypeError",
      message: `${name}: expected a bigint, got number 5 (use 5n, or ${name}.number)`,
    });
    assert.throws(() => layout.encode(0.5 as never), /got number 0.5 \(use a bigint, or/);
    assert.throws(() => layout.encode("5" as never), { message: `${name}: expected a bigint, got string "5"` });
  });

  test(`${name}.number holds the safe integers in the same bytes as ${name}`, () => {
    assert.deepEqual([number.name, number.size, number.align], [`${name}.number`, 8, 8]);
    const check = (value: number) => {
      assert.deepEqual(number.encode(value), layout.encode(BigInt(value)));
      assert.equal(number.decode(number.encode(value)), value);
    };
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => check(leastSafe === 0 ? Math.abs(value) : value)));
    for (const value of [leastSafe, MOST_SAFE, 0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52]) check(value);
  });

  test(`${name}.number throws when it reads what a number cannot hold`, () => {
    const inexact = [2n ** 53n, 2n ** 53n + 1n, most, least, -(2n ** 53n), -(2n ** 53n) - 1n];
    for (const value of inexact.filter((value) => value >= least && value !== 0n)) {
      const message = `${name}.number: ${value} is beyond 2^53 - 1, where numbers are no longer exact (use ${name})`;
      assert.throws(() => number.decode(layout.encode(value)), { name: "RangeError", message });
    }
  });

  test(`${name}.number refuses what is not safe or no number`, () => {
    for (const value of [2 ** 53, -(2 ** 53), leastSafe - 1, 0.5, Number.NaN]) {
      assert.throws(() => number.encode(value), { name: "RangeError" });
      assert.throws(() => number.check(value), { name: "RangeError" });
    }
    assert.throws(() => number.encode(5n as never), {
      name: "TypeError",
      message: `${name}.number: expected a number, got bigint 5n (use Number(5n))`,
    });
  });
}

test("integers of eight bytes lie least significant byte first, and big-endian ones the other way", () => {
  assert.deepEqual(u64.encode(0x0102n), Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0));
  assert.deepEqual(u64be.encode(0x0102n), Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2));
  assert.deepEqual(i64.encode(-2n), Uint8Array.of(0xfe, 255, 255, 255, 255, 255, 255, 255));
  assert.deepEqual(i64be.encode(-2n), Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 0xfe));
});

test("the types of values are known at compile time", () => {
  const big: Value<typeof u64> = 5n;
  const small: Value<typeof u64.number> = 5;
  assert.deepEqual(u64.encode(big), u64.number.encode(small));
  // @ts-expect-error a number is no u64
  assert.throws(() => u64.encode(5), TypeError);
  // @ts-expect-error a bigint is no u64.number
  assert.throws(() => u64.number.encode(5n), TypeError);
});

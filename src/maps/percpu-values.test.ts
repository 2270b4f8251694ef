import assert from "node:assert/strict";
import { test } from "node:test";
import { type PercpuValues, percpuValues } from "./percpu-values.ts";

function of<T>(...values: T[]): PercpuValues<T> {
  return percpuValues(values);
}

test("the values of all CPUs are an array, and what is made of them is one too", () => {
  const values = of(1, 2, 3);
  assert.ok(Array.isArray(values));
  assert.deepEqual(values, [1, 2, 3]);
  assert.equal(Object.getPrototypeOf(values.map((value) => `${value}`)), Array.prototype);
  assert.equal(JSON.stringify(values), "[1,2,3]");
});

test("numbers and bigints have a sum, which does not wrap around, and a greatest", () => {
  assert.equal(of(1, 2, 3).sum(), 6);
  assert.equal(of(2 ** 32 - 1, 1).sum(), 2 ** 32);
  assert.equal(of(2n ** 64n - 1n, 1n).sum(), 2n ** 64n);
  assert.equal(of(5, -7, 6).max(), 6);
  assert.equal(of(-5n, -7n).max(), -5n);
  assert.equal(of(5).sum(), 5);
});

test("structs and arrays of numbers are combined field by field, at any depth", () => {
  const values = of({ hits: 1n, rx: { drops: 4 }, sizes: [1, 2] }, { hits: 2n, rx: { drops: 3 }, sizes: [10, 1] });
  assert.deepEqual(values.sum(), { hits: 3n, rx: { drops: 7 }, sizes: [11, 3] });
  assert.deepEqual(values.max(), { hits: 2n, rx: { drops: 4 }, sizes: [10, 2] });
});

test("merge takes a function, a name, or both for each field of a struct", () => {
  assert.equal(
    of("a", "b").merge((a, b) => a + b),
    "ab",
  );
  assert.equal(of(5, 4, 6).merge("min"), 4);
  const values = of({ packets: 7n, longest: 60, comm: "a" }, { packets: 3n, longest: 1500, comm: "b" });
  const merged = values.merge({ packets: "sum", longest: "max", comm: (a) => a });
  assert.deepEqual(merged, { packets: 10n, longest: 1500, comm: "a" });
  assert.deepEqual(
    [...values],
    [
      { packets: 7n, longest: 60, comm: "a" },
      { packets: 3n, longest: 1500, comm: "b" },
    ],
  );
});

test("what is no number is a TypeError that names the field", () => {
  assert.throws(() => of("a", "b").sum(), /the values cannot be merged: expected a number, .*, got string "a"/);
  assert.throws(() => of({ a: { b: true } }, { a: { b: true } }).sum(), /field a.b cannot be merged/);
  assert.throws(() => of(Uint8Array.of(1), Uint8Array.of(2)).max(), TypeError);
  assert.throws(() => of({ a: 1, b: 2 }, { a: 1, b: 2 }).merge({ a: "sum" } as never), /say how field b is merged/);
});

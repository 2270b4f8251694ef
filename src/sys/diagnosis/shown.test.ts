import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shown, shownBytes } from "./shown.ts";

describe("a value in a message", () => {
  const values: readonly (readonly [value: unknown, text: string])[] = [
    [5, "5"],
    [Number.NaN, "NaN"],
    [100n, "100n"],
    ["10.0.0.1", '"10.0.0.1"'],
    [true, "true"],
    [undefined, "undefined"],
    [{ port: 80, bytes: 1n }, '{"port":80,"bytes":1n}'],
    [[1, 2n], "[1,2n]"],
    [Uint8Array.of(10, 0, 0, 1), "0x0a000001"],
  ];
  for (const [value, text] of values) test(`is ${text}`, () => assert.equal(shown(value), text));

  test("is cut when it is long", () => {
    assert.equal(shown("x".repeat(100)), `"${"x".repeat(63)}…`);
  });
});

describe("a number of bytes in a message", () => {
  const sizes: readonly (readonly [bytes: number, text: string])[] = [
    [0, "0 bytes"],
    [512, "512 bytes"],
    [1536, "1.5 KiB"],
    [4 * 2 ** 30, "4 GiB"],
    [2 ** 60, "1024 PiB"],
  ];
  for (const [bytes, text] of sizes) test(`is ${text}`, () => assert.equal(shownBytes(bytes), text));
});

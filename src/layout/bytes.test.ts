import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { fc } from "../../test/seeded.ts";
import { bytes } from "./bytes.ts";
import type { Value } from "./layout.ts";

test("bytes are as they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (value) => {
      const layout = bytes(value.length);
      assert.deepEqual([layout.size, layout.align], [value.length, 1]);
      assert.deepEqual(layout.encode(value), value);
      assert.deepEqual(layout.decode(value), value);
    }),
  );
});

test("bytes are read as a copy, of a Buffer too", () => {
  for (const source of [Uint8Array.of(1, 2, 3), Buffer.from([1, 2, 3])]) {
    const copy = bytes(3).decode(source);
    source[0] = 9;
    assert.equal(Object.getPrototypeOf(copy), Uint8Array.prototype);
    assert.deepEqual(copy, Uint8Array.of(1, 2, 3));
  }
});

test("bytes write a Buffer and a Uint8Array of another realm", () => {
  assert.deepEqual(bytes(2).encode(Buffer.from([1, 2])), Uint8Array.of(1, 2));
  assert.deepEqual(bytes(2).encode(runInNewContext("Uint8Array.of(1, 2)")), Uint8Array.of(1, 2));
});

test("bytes of another length are refused", () => {
  for (const length of [4, 16]) {
    for (const got of [0, length - 1, length + 1]) {
      const error = { name: "RangeError", message: `bytes(${length}): expected ${length} bytes, got ${got}` };
      assert.throws(() => bytes(length).encode(new Uint8Array(got)), error);
      assert.throws(() => bytes(length).check(new Uint8Array(got)), error);
    }
  }
});

test("only a Uint8Array is bytes", () => {
  const four = [[1, 2, 3, 4], "abcd", new Uint16Array(4), new ArrayBuffer(4), new DataView(new ArrayBuffer(4)), null];
  for (const value of four) assert.throws(() => bytes(4).encode(value as never), { name: "TypeError" });
  assert.throws(() => bytes(4).encode(new Int8Array(4) as never), {
    message: "bytes(4): expected a Uint8Array, got Int8Array of 4 bytes",
  });
});

test("a length is an integer from 0", () => {
  assert.equal(bytes(0).encode(new Uint8Array(0)).length, 0);
  for (const length of [-1, 1.5, Number.NaN, 2 ** 32]) assert.throws(() => bytes(length), { name: "RangeError" });
  assert.throws(() => bytes("4" as never), { message: 'bytes: expected a length, got string "4"' });
});

test("the type of values is known at compile time", () => {
  const layout = bytes(1);
  const value: Value<typeof layout> = Uint8Array.of(1);
  assert.equal(layout.encode(value)[0], 1);
  // @ts-expect-error an array is no Uint8Array
  assert.throws(() => layout.encode([1]), TypeError);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/seeded.ts";
import type { Value } from "./layout.ts";
import { cstring } from "./text.ts";

/** Writes into bytes that were something else before. */
function overwrite(size: number, text: string): Uint8Array {
  const u8 = new Uint8Array(size + 2).fill(0xee);
  cstring(size).write({ u8, view: new DataView(u8.buffer) }, 1, text);
  assert.deepEqual([u8[0], u8[size + 1]], [0xee, 0xee], "nothing is written outside");
  return u8.slice(1, size + 1);
}

test("a string that fits comes back, and its bytes are UTF-8, a NUL, and zeros", () => {
  const anyString = fc.string({ unit: "binary", maxLength: 40 }).filter((text) => !text.includes("\0"));
  fc.assert(
    fc.property(anyString, fc.integer({ min: 1, max: 12 }), (text, room) => {
      const utf8 = Buffer.from(text);
      const size = utf8.length + room;
      const expected = new Uint8Array(size);
      expected.set(utf8);
      assert.deepEqual(overwrite(size, text), expected);
      assert.equal(cstring(size).decode(expected), text);
    }),
  );
});

test("a string may fill all but one byte", () => {
  for (const [size, text] of [
    [16, "a".repeat(15)],
    [64, "a".repeat(63)],
    [16, "é".repeat(7)],
    [4, "€"],
    [1, ""],
  ] as const) {
    assert.equal(cstring(size).decode(overwrite(size, text)), text);
  }
});

test("a string that leaves no room for its NUL is refused", () => {
  for (const [size, text, length] of [
    [16, "a".repeat(16), 16],
    [64, "a".repeat(64), 64],
    [16, "é".repeat(8), 16],
    [3, "€", 3],
    [1, "a", 1],
  ] as const) {
    const message = `cstring(${size}): ${JSON.stringify(text)}: ${length} bytes of UTF-8 and a NUL do not fit in ${size}`;
    if (text.length < 40) assert.throws(() => cstring(size).encode(text), { name: "RangeError", message });
    assert.throws(() => cstring(size).check(text), { name: "RangeError" });
    assert.throws(() => cstring(size).encode(text), { name: "RangeError" });
  }
});

test("a string that needs no NUL may fill every byte, and none beyond", () => {
  for (const [size, text] of [
    [16, "a".repeat(16)],
    [64, "a".repeat(64)],
    [16, "é".repeat(8)],
    [4, "ab"],
    [1, "a"],
  ] as const) {
    const layout = cstring(size, { terminated: false });
    layout.check(text);
    assert.equal(layout.decode(layout.encode(text)), text);
    const message = `cstring(${size}, { terminated: false }): "${"b".repeat(size + 1)}": ${size + 1} bytes of UTF-8 do not fit in ${size}`;
    const longer = "b".repeat(size + 1);
    if (size < 40) assert.throws(() => layout.encode(longer), { name: "RangeError", message });
    assert.throws(() => layout.check(longer), { name: "RangeError" });
  }
  assert.throws(() => cstring(4, { terminated: false }).encode("a\0b"), { name: "RangeError" });
});

test("a string with a NUL or half a surrogate pair is refused", () => {
  for (const text of ["a\0b", "\0", "\ud800", "a\udc00", `${"long ".repeat(20)}\0`]) {
    assert.throws(() => cstring(256).encode(text), { name: "RangeError" });
    assert.throws(() => cstring(256).check(text), { name: "RangeError" });
  }
  assert.equal(cstring(8).decode(cstring(8).encode("\u{1f41d}")), "\u{1f41d}");
});

test("a refused string leaves the bytes beyond it as they were", () => {
  const u8 = new Uint8Array(8).fill(0xee);
  assert.throws(() => cstring(4).write({ u8, view: new DataView(u8.buffer) }, 0, "abcd"));
  assert.deepEqual(u8.subarray(4), new Uint8Array(4).fill(0xee));
});

test("reading stops at the first NUL, or at the end", () => {
  assert.equal(cstring(4).decode(Uint8Array.of(0x61, 0, 0x62, 0x63)), "a");
  assert.equal(cstring(4).decode(Uint8Array.of(0x61, 0x62, 0x63, 0x64)), "abcd");
  assert.equal(cstring(4).decode(Uint8Array.of(0, 1, 2, 3)), "");
});

test("bytes that are not UTF-8 read as U+FFFD, and a byte order mark is kept", () => {
  assert.equal(cstring(4).decode(Uint8Array.of(0x61, 0xff, 0x62, 0)), "a\ufffdb");
  assert.equal(cstring(8).decode(cstring(8).encode("\ufeffa")), "\ufeffa");
});

test("only a string is a string", () => {
  for (const value of [5, null, undefined, ["a"], new String("a")]) {
    assert.throws(() => cstring(8).encode(value as never), { name: "TypeError" });
  }
});

test("a size is an integer from 1", () => {
  assert.deepEqual([cstring(16).name, cstring(16).size, cstring(16).align], ["cstring(16)", 16, 1]);
  for (const size of [0, -1, 1.5, Number.NaN, 2 ** 32]) assert.throws(() => cstring(size), { name: "RangeError" });
});

test("a text too long for a message is cut", () => {
  assert.throws(
    () => cstring(8).encode("x".repeat(1000)),
    (error: Error) => error.message.length < 150,
  );
});

test("the type of values is known at compile time", () => {
  const layout = cstring(8);
  const value: Value<typeof layout> = "a";
  assert.equal(layout.decode(layout.encode(value)), "a");
  // @ts-expect-error a number is no string
  assert.throws(() => layout.encode(5), TypeError);
});

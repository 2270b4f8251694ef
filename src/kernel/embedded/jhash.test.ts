import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { jhash, jhashTwoWords, jhashWord } from "./jhash.ts";

/** Bytes as words, padded with zeros, behind a word that is none of theirs. */
function words(bytes: Uint8Array): Int32Array {
  const padded = new Uint8Array(4 + Math.ceil(bytes.length / 4) * 4);
  padded.set([0xaa, 0xbb, 0xcc, 0xdd]);
  padded.set(bytes, 4);
  return new Int32Array(padded.buffer);
}

function hash(text: string, seed: number): string {
  const bytes = new TextEncoder().encode(text);
  return (jhash(words(bytes), 1, bytes.length, seed) >>> 0).toString(16);
}

describe("jhash", () => {
  // What Jenkins gives for his own function: lookup3.c, driver5.
  test("is Jenkins' own hash of his sentence, with either of his seeds", () => {
    assert.equal(hash("Four score and seven years ago", 0), "17770551");
    assert.equal(hash("Four score and seven years ago", 1), "cd628161");
  });

  test("of one word is what it is of four bytes", () => {
    for (const seed of [0, 1, -1, 0x7fffffff, 0x12345678]) {
      for (const key of [0, 1, -1, 0x7fffffff, -(2 ** 31), 0x01020304]) {
        assert.equal(jhashWord(key, seed), jhash(Int32Array.of(key), 0, 4, seed));
      }
    }
  });

  test("of two words is what it is of five to eight bytes", () => {
    for (const seed of [0, 1, -1, 0x12345678]) {
      for (let bytes = 5; bytes <= 8; bytes++) {
        const high = bytes === 8 ? -5 : 0x00ffffff >>> (8 * (7 - bytes));
        assert.equal(jhashTwoWords(77, high, bytes, seed), jhash(Int32Array.of(77, high), 0, bytes, seed));
      }
    }
  });

  test("is a whole 32-bit number, other for each byte and each length", () => {
    const seen = new Set<number>();
    for (let length = 1; length <= 64; length++) {
      const zeros = new Uint8Array(length);
      for (const key of [zeros, zeros.with(length - 1, 1), zeros.with(0, 128)]) {
        const value = jhash(words(key), 1, length, 0);
        assert.equal(value, value | 0);
        seen.add(value);
      }
    }
    assert.equal(seen.size, 64 * 3);
  });

  test("spreads consecutive keys over buckets", () => {
    const buckets = new Uint32Array(1024);
    for (let key = 0; key < 16_384; key++) buckets[jhashWord(key, 0) & 1023]!++;
    assert.ok(Math.max(...buckets) < 40);
    assert.ok(Math.min(...buckets) > 2);
  });
});

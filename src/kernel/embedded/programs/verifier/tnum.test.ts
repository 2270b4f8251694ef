import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allows, type Tnum, wordBehind } from "./tnum.ts";

const WORDS = Array.from({ length: 32 }, (_, word) => BigInt(word));
/** Everything that can be known of five bits. */
const ALL: readonly Tnum[] = WORDS.flatMap((mask) =>
  WORDS.filter((value) => (value & mask) === 0n).map((value) => ({ value, mask })),
);

describe("known bits", () => {
  test("allow the words that have them", () => {
    for (const bits of ALL) {
      const allowed = WORDS.filter((word) => allows(bits, word));
      assert.equal(allowed.length, 2 ** [...bits.mask.toString(2)].filter((bit) => bit === "1").length);
      for (const word of allowed) assert.equal(word & ~bits.mask, bits.value);
    }
  });

  test("tell the word behind any other, and the greatest behind all", () => {
    for (const bits of ALL) {
      const allowed = WORDS.filter((word) => allows(bits, word));
      for (const word of WORDS) {
        const expected = allowed.find((one) => one > word) ?? allowed.at(-1);
        assert.equal(wordBehind(bits, word), expected, `${bits.value} ${bits.mask} behind ${word}`);
      }
    }
  });
});

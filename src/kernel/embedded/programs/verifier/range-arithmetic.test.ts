/** Whatever two numbers are, what is known of what comes of them holds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../../../../test/seeded.ts";
import {
  BPF_ADD,
  BPF_AND,
  BPF_ARSH,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_LSH,
  BPF_MUL,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_XOR,
} from "../../../../isa/opcodes.ts";
import { constant, isWithin, Range, UNKNOWN } from "./range.ts";
import { arithmetic } from "./range-arithmetic.ts";
import { holds, negated, refined } from "./range-compare.ts";

const RUNS = { numRuns: Number(process.env["MAPIARY_RUNS"] ?? 1000) };
const U64_MAX = 2n ** 64n - 1n;

const words = fc.oneof(
  fc.bigInt(0n, U64_MAX),
  fc.integer({ min: -300, max: 300 }).map((small) => BigInt.asUintN(64, BigInt(small))),
  fc.constantFrom(0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 2n ** 63n, 2n ** 63n - 1n),
);

/** A number, and something true that is known of it: some of its bits, or that it lies between two others. */
const known = fc.oneof(
  words.map((word) => ({ word, range: UNKNOWN })),
  words.map((word) => ({ word, range: constant(word) })),
  fc.tuple(words, words).map(([word, mask]) => {
    const range = new Range();
    range.bits = { value: word & ~mask, mask };
    return { word, range: range.settle() };
  }),
  fc.tuple(words, words, words).map((three) => {
    const [least, word, most] = three.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) as [bigint, bigint, bigint];
    const range = new Range();
    range.umin = least;
    range.umax = most;
    return { word, range: range.settle() };
  }),
);

type Calculate = (a: bigint, b: bigint, bits: number) => bigint;

const OPERATIONS: ReadonlyMap<number, Calculate> = new Map<number, Calculate>([
  [BPF_ADD, (a, b) => a + b],
  [BPF_SUB, (a, b) => a - b],
  [BPF_MUL, (a, b) => a * b],
  [BPF_AND, (a, b) => a & b],
  [BPF_OR, (a, b) => a | b],
  [BPF_XOR, (a, b) => a ^ b],
  [BPF_LSH, (a, b, bits) => a << (b % BigInt(bits))],
  [BPF_RSH, (a, b, bits) => a >> (b % BigInt(bits))],
  [BPF_ARSH, (a, b, bits) => BigInt.asIntN(bits, a) >> (b % BigInt(bits))],
]);

type Compare = (a: bigint, b: bigint, bits: number) => boolean;

const signed = (compare: (a: bigint, b: bigint) => boolean): Compare => {
  return (a, b, bits) => compare(BigInt.asIntN(bits, a), BigInt.asIntN(bits, b));
};

const COMPARISONS: ReadonlyMap<number, Compare> = new Map<number, Compare>([
  [BPF_JEQ, (a, b) => a === b],
  [BPF_JNE, (a, b) => a !== b],
  [BPF_JSET, (a, b) => (a & b) !== 0n],
  [BPF_JGT, (a, b) => a > b],
  [BPF_JGE, (a, b) => a >= b],
  [BPF_JLT, (a, b) => a < b],
  [BPF_JLE, (a, b) => a <= b],
  [BPF_JSGT, signed((a, b) => a > b)],
  [BPF_JSGE, signed((a, b) => a >= b)],
  [BPF_JSLT, signed((a, b) => a < b)],
  [BPF_JSLE, signed((a, b) => a <= b)],
]);

function holdsOf(range: Range, word: bigint): boolean {
  return isWithin(range, constant(word));
}

describe("what is known of numbers", () => {
  test("holds of what comes of an operation", () => {
    fc.assert(
      fc.property(fc.constantFrom(...OPERATIONS), fc.boolean(), known, known, ([op, calculate], is64, a, b) => {
        const bits = is64 ? 64 : 32;
        const result = calculate(BigInt.asUintN(bits, a.word), BigInt.asUintN(bits, b.word), bits);
        const range = arithmetic(op, is64, a.range, b.range);
        assert.ok(holdsOf(range, BigInt.asUintN(64, BigInt.asUintN(bits, result))));
      }),
      RUNS,
    );
  });

  test("holds where a comparison holds, and where it does not", () => {
    fc.assert(
      fc.property(fc.constantFrom(...COMPARISONS), fc.boolean(), known, known, ([op, compare], is32, a, b) => {
        const bits = is32 ? 32 : 64;
        const isTrue = compare(BigInt.asUintN(bits, a.word), BigInt.asUintN(bits, b.word), bits);
        assert.ok([isTrue, undefined].includes(holds(op, a.range, b.range, is32)));
        const learned = refined(isTrue ? op : negated(op), a.range, b.range, is32);
        assert.ok(holdsOf(learned.a, a.word) && holdsOf(learned.b, b.word));
      }),
      RUNS,
    );
  });
});

import {
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
} from "../../../../isa/opcodes.ts";
import { isSameRange, type Range } from "./range.ts";
import { RangeMemo } from "./range-memo.ts";
import { andBits, bitsOverlap, intersectBits, knownBits, lowBits, orBits, U64_MAX, withLowBits } from "./tnum.ts";

/** The negation of BPF_JSET, which has no opcode of its own. */
const NOT_JSET = BPF_JSET | 1;

const MIRRORED: ReadonlyMap<number, number> = new Map([
  [BPF_JGE, BPF_JLE],
  [BPF_JGT, BPF_JLT],
  [BPF_JLE, BPF_JGE],
  [BPF_JLT, BPF_JGT],
  [BPF_JSGE, BPF_JSLE],
  [BPF_JSGT, BPF_JSLT],
  [BPF_JSLE, BPF_JSGE],
  [BPF_JSLT, BPF_JSGT],
]);

const NEGATED: ReadonlyMap<number, number> = new Map([
  [BPF_JEQ, BPF_JNE],
  [BPF_JNE, BPF_JEQ],
  [BPF_JSET, NOT_JSET],
  [BPF_JGE, BPF_JLT],
  [BPF_JGT, BPF_JLE],
  [BPF_JLE, BPF_JGT],
  [BPF_JLT, BPF_JGE],
  [BPF_JSGE, BPF_JSLT],
  [BPF_JSGT, BPF_JSLE],
  [BPF_JSLE, BPF_JSGT],
  [BPF_JSLT, BPF_JSGE],
]);

/** The comparison `b op' a` that is `a op b`. */
export function mirrored(op: number): number {
  return MIRRORED.get(op) ?? op;
}

/** The comparison that holds where `op` does not. */
export function negated(op: number): number {
  return NEGATED.get(op) as number;
}

/** Whether `a op b` holds for all that they can be, for none of it, or `undefined`: `is_scalar_branch_taken`, 6.18. */
export function holds(op: number, a: Range, b: Range, is32: boolean): boolean | undefined {
  switch (op) {
    case BPF_JEQ:
      return isEqual(a, b, is32);
    case BPF_JNE: {
      const equal = isEqual(a, b, is32);
      return equal === undefined ? undefined : !equal;
    }
    case BPF_JSET:
      return sharesBits(a, b, is32);
    case BPF_JGT:
      return is32 ? isGreater(a.u32min, a.u32max, b.u32min, b.u32max) : isGreater(a.umin, a.umax, b.umin, b.umax);
    case BPF_JLE:
      return not(holds(BPF_JGT, a, b, is32));
    case BPF_JLT:
      return holds(BPF_JGT, b, a, is32);
    case BPF_JGE:
      return not(holds(BPF_JGT, b, a, is32));
    case BPF_JSGT:
      return is32 ? isGreater(a.s32min, a.s32max, b.s32min, b.s32max) : isGreater(a.smin, a.smax, b.smin, b.smax);
    case BPF_JSLE:
      return not(holds(BPF_JSGT, a, b, is32));
    case BPF_JSLT:
      return holds(BPF_JSGT, b, a, is32);
    default:
      return not(holds(BPF_JSGT, b, a, is32));
  }
}

const not = (known: boolean | undefined): boolean | undefined => (known === undefined ? undefined : !known);

function isGreater<T extends number | bigint>(min: T, max: T, otherMin: T, otherMax: T): boolean | undefined {
  if (min > otherMax) return true;
  return max <= otherMin ? false : undefined;
}

function isEqual(a: Range, b: Range, is32: boolean): boolean | undefined {
  const first = is32 ? lowBits(a.bits) : a.bits;
  const second = is32 ? lowBits(b.bits) : b.bits;
  if (first.mask === 0n && second.mask === 0n) return first.value === second.value;
  if (!bitsOverlap(first, second)) return false;
  if (a.u32min > b.u32max || a.u32max < b.u32min || a.s32min > b.s32max || a.s32max < b.s32min) return false;
  if (is32) return undefined;
  return a.umin > b.umax || a.umax < b.umin || a.smin > b.smax || a.smax < b.smin ? false : undefined;
}

function sharesBits(a: Range, b: Range, is32: boolean): boolean | undefined {
  const isConstant = is32 ? b.isLowConstant : b.isConstant;
  const [word, mask] = isConstant ? [a, b] : [b, a];
  if (!(is32 ? mask.isLowConstant : mask.isConstant)) return undefined;
  const bits = is32 ? lowBits(word.bits) : word.bits;
  const set = is32 ? lowBits(mask.bits).value : mask.bits.value;
  if ((bits.value & set) !== 0n) return true;
  return ((bits.mask | bits.value) & set) === 0n ? false : undefined;
}

/** Two ranges that a comparison was told of. */
export interface Refined {
  readonly a: Range;
  readonly b: Range;
}

/** By the comparison and its width. */
const memos: (RangeMemo<Refined> | undefined)[] = [];

/** What is known of `a` and `b` where `a op b` holds; what it tells nothing of is the same object as before. */
export function refined(op: number, a: Range, b: Range, is32: boolean): Refined {
  return (memos[(op << 1) | (is32 ? 1 : 0)] ??= new RangeMemo()).get(a, b, () => {
    const first = a.copy();
    const second = b.copy();
    refine(op, first, second, is32);
    return { a: isSameRange(first, a) ? a : first, b: isSameRange(second, b) ? b : second };
  });
}

/**
 * Tells `a` and `b`, which are the caller's own copies, that `a op b` holds: `regs_refine_cond_op`, 6.18. What cannot be,
 * on a branch that is never taken, leaves them without bounds.
 */
export function refine(op: number, a: Range, b: Range, is32: boolean): void {
  refineBounds(op, a, b, is32);
  a.settle();
  b.settle();
  if (a.isContradictory) a.forgetBounds();
  if (b.isContradictory) b.forgetBounds();
}

function refineBounds(op: number, a: Range, b: Range, is32: boolean): void {
  switch (op) {
    case BPF_JEQ:
      return is32 ? equate32(a, b) : equate64(a, b);
    case BPF_JNE:
      return excludeConstant(a, b, is32);
    case BPF_JSET:
    case NOT_JSET:
      return refineBits(op === BPF_JSET, a, b, is32);
    case BPF_JLE:
      if (is32) {
        a.u32max = Math.min(a.u32max, b.u32max);
        b.u32min = Math.max(a.u32min, b.u32min);
      } else {
        a.umax = smaller(a.umax, b.umax);
        b.umin = larger(a.umin, b.umin);
      }
      return;
    case BPF_JLT:
      if (is32) {
        a.u32max = Math.min(a.u32max, (b.u32max - 1) >>> 0);
        b.u32min = Math.max((a.u32min + 1) >>> 0, b.u32min);
      } else {
        a.umax = smaller(a.umax, BigInt.asUintN(64, b.umax - 1n));
        b.umin = larger(BigInt.asUintN(64, a.umin + 1n), b.umin);
      }
      return;
    case BPF_JSLE:
      if (is32) {
        a.s32max = Math.min(a.s32max, b.s32max);
        b.s32min = Math.max(a.s32min, b.s32min);
      } else {
        a.smax = smaller(a.smax, b.smax);
        b.smin = larger(a.smin, b.smin);
      }
      return;
    case BPF_JSLT:
      if (is32) {
        a.s32max = Math.min(a.s32max, (b.s32max - 1) | 0);
        b.s32min = Math.max((a.s32min + 1) | 0, b.s32min);
      } else {
        a.smax = smaller(a.smax, BigInt.asIntN(64, b.smax - 1n));
        b.smin = larger(BigInt.asIntN(64, a.smin + 1n), b.smin);
      }
      return;
    default:
      return refineBounds(mirrored(op), b, a, is32);
  }
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function equate32(a: Range, b: Range): void {
  a.u32min = Math.max(a.u32min, b.u32min);
  a.u32max = Math.min(a.u32max, b.u32max);
  a.s32min = Math.max(a.s32min, b.s32min);
  a.s32max = Math.min(a.s32max, b.s32max);
  b.u32min = a.u32min;
  b.u32max = a.u32max;
  b.s32min = a.s32min;
  b.s32max = a.s32max;
  const word = intersectBits(lowBits(a.bits), lowBits(b.bits));
  a.bits = withLowBits(a.bits, word);
  b.bits = withLowBits(b.bits, word);
}

function equate64(a: Range, b: Range): void {
  a.umin = larger(a.umin, b.umin);
  a.umax = smaller(a.umax, b.umax);
  a.smin = larger(a.smin, b.smin);
  a.smax = smaller(a.smax, b.smax);
  b.umin = a.umin;
  b.umax = a.umax;
  b.smin = a.smin;
  b.smax = a.smax;
  a.bits = intersectBits(a.bits, b.bits);
  b.bits = a.bits;
}

/** A constant that is an end of the other's bounds is no longer one of its numbers. */
function excludeConstant(a: Range, b: Range, is32: boolean): void {
  const isConstant = is32 ? b.isLowConstant : b.isConstant;
  const [range, other] = isConstant ? [a, b] : [b, a];
  if (!(is32 ? other.isLowConstant : other.isConstant)) return;
  if (is32) {
    const word = Number(lowBits(other.bits).value);
    if (range.u32min === word) range.u32min = (range.u32min + 1) >>> 0;
    if (range.u32max === word) range.u32max = (range.u32max - 1) >>> 0;
    if (range.s32min === (word | 0)) range.s32min = (range.s32min + 1) | 0;
    if (range.s32max === (word | 0)) range.s32max = (range.s32max - 1) | 0;
  } else {
    const { value } = other;
    const signed = BigInt.asIntN(64, value);
    if (range.umin === value) range.umin = BigInt.asUintN(64, range.umin + 1n);
    if (range.umax === value) range.umax = BigInt.asUintN(64, range.umax - 1n);
    if (range.smin === signed) range.smin = BigInt.asIntN(64, range.smin + 1n);
    if (range.smax === signed) range.smax = BigInt.asIntN(64, range.smax - 1n);
  }
}

/** That one of several bits is set tells nothing of any of them; that none is, tells all. */
function refineBits(isSet: boolean, a: Range, b: Range, is32: boolean): void {
  const isConstant = is32 ? b.isLowConstant : b.isConstant;
  const [range, other] = isConstant ? [a, b] : [b, a];
  if (!(is32 ? other.isLowConstant : other.isConstant)) return;
  const mask = is32 ? lowBits(other.bits).value : other.value;
  if (isSet && (mask === 0n || (mask & (mask - 1n)) !== 0n)) return;
  const bits = is32 ? lowBits(range.bits) : range.bits;
  const known = isSet ? orBits(bits, knownBits(mask)) : andBits(bits, knownBits(~mask & U64_MAX));
  range.bits = is32 ? withLowBits(range.bits, known) : known;
}

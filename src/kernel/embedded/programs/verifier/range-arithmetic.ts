import {
  BPF_ADD,
  BPF_AND,
  BPF_ARSH,
  BPF_LSH,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_XOR,
} from "../../../../isa/opcodes.ts";
import {
  constant,
  Range,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  truncate,
  U32_MAX,
  UNKNOWN,
  unknownOfSize,
  ZERO,
} from "./range.ts";
import { RangeMemo } from "./range-memo.ts";
import {
  addBits,
  andBits,
  lowBits,
  multiplyBits,
  orBits,
  shiftLeft,
  shiftRight,
  shiftRightSigned,
  subtractBits,
  U64_MAX,
  xorBits,
} from "./tnum.ts";

/**
 * What is known of `a op b`, for numbers. `kernel/bpf/verifier.c: adjust_scalar_min_max_vals, 6.18`: it follows every bound
 * on its own way, in 64 and in 32 bits, and gives up just where Linux gives up.
 */
export function arithmetic(op: number, is64: boolean, a: Range, b: Range): Range {
  if (!isTracked(op, is64, b)) return UNKNOWN;
  if (op === BPF_NEG) return arithmetic(BPF_SUB, is64, ZERO, a);
  if (a.isConstant && b.isConstant) return constant(ofConstants(op, is64, a.value, b.value));
  const forgetsAll = op === BPF_ADD || op === BPF_SUB || op === BPF_XOR;
  if (forgetsAll && (a === UNKNOWN || b === UNKNOWN)) return is64 ? UNKNOWN : unknownOfSize(4);
  return (memos[(op >> 3) | (is64 ? 1 : 0)] ??= new RangeMemo()).get(a, b, () => followed(op, is64, a, b));
}

/** By the operation and its width. */
const memos: (RangeMemo<Range> | undefined)[] = [];

/** One number of two; the shift is within the width. */
function ofConstants(op: number, is64: boolean, a: bigint, b: bigint): bigint {
  const bits = is64 ? 64 : 32;
  return BigInt.asUintN(bits, calculated(op, bits, a, BigInt.asUintN(bits, b)));
}

function calculated(op: number, bits: number, a: bigint, b: bigint): bigint {
  switch (op) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_AND:
      return a & b;
    case BPF_OR:
      return a | b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return a << b;
    case BPF_RSH:
      return BigInt.asUintN(bits, a) >> b;
    default:
      return BigInt.asIntN(bits, a) >> b;
  }
}

function followed(op: number, is64: boolean, a: Range, b: Range): Range {
  const result = a.copy();
  switch (op) {
    case BPF_ADD:
      add32(result, b);
      add64(result, b);
      result.bits = addBits(a.bits, b.bits);
      break;
    case BPF_SUB:
      subtract32(result, b);
      subtract64(result, b);
      result.bits = subtractBits(a.bits, b.bits);
      break;
    case BPF_MUL:
      result.bits = multiplyBits(a.bits, b.bits);
      multiply32(result, b);
      multiply64(result, b);
      break;
    case BPF_AND:
      result.bits = andBits(a.bits, b.bits);
      and(result, a, b);
      break;
    case BPF_OR:
      result.bits = orBits(a.bits, b.bits);
      or(result, a, b);
      break;
    case BPF_XOR:
      result.bits = xorBits(a.bits, b.bits);
      xor(result, a, b);
      break;
    case BPF_LSH:
      if (is64) shiftLeft64(result, b);
      else shiftLeft32(result, b);
      break;
    case BPF_RSH:
      if (is64) shiftRight64(result, b);
      else shiftRight32(result, b);
      break;
    default:
      if (is64) shiftRightSigned64(result, b);
      else shiftRightSigned32(result, b);
  }
  if (!is64) result.zeroExtend();
  result.settle();
  if (result.isContradictory) result.forgetBounds();
  if (result.isConstant) return constant(result.value);
  return result.isUnknown ? UNKNOWN : result;
}

/** The low `bits` bits with their bytes in the other order, or, on a machine that has that order already, as they are. */
export function swapBytes(range: Range, bits: number, isSwap: boolean): Range {
  const result = isSwap ? new Range() : range;
  if (isSwap) result.bits = { value: swapped(range.bits.value, bits), mask: swapped(range.bits.mask, bits) };
  if (bits < 64) return truncate(result, bits / 8);
  return isSwap ? result.settle() : range;
}

function swapped(word: bigint, bits: number): bigint {
  let result = 0n;
  for (let byte = 0; byte < bits / 8; byte++) result = (result << 8n) | ((word >> BigInt(8 * byte)) & 0xffn);
  return result;
}

/** Shifts are followed by constants within the width only, division not at all. */
function isTracked(op: number, is64: boolean, b: Range): boolean {
  switch (op) {
    case BPF_ADD:
    case BPF_SUB:
    case BPF_NEG:
    case BPF_AND:
    case BPF_XOR:
    case BPF_OR:
    case BPF_MUL:
      return true;
    case BPF_LSH:
    case BPF_RSH:
    case BPF_ARSH: {
      const isConstant = is64
        ? b.isConstant && b.smin === b.smax && b.umin === b.umax
        : b.isLowConstant && b.s32min === b.s32max && b.u32min === b.u32max;
      return isConstant && b.umax < (is64 ? 64n : 32n);
    }
    default:
      return false;
  }
}

const inS64 = (value: bigint): boolean => value >= S64_MIN && value <= S64_MAX;
const inS32 = (value: number): boolean => value >= S32_MIN && value <= S32_MAX;

function add32(r: Range, b: Range): void {
  r.s32min += b.s32min;
  r.s32max += b.s32max;
  forgetSigned32Beyond(r);
  const min = r.u32min + b.u32min;
  const max = r.u32max + b.u32max;
  setUnsigned32(r, min, max, min <= U32_MAX && max > U32_MAX);
}

function subtract32(r: Range, b: Range): void {
  r.s32min -= b.s32max;
  r.s32max -= b.s32min;
  forgetSigned32Beyond(r);
  const min = r.u32min - b.u32max;
  const max = r.u32max - b.u32min;
  setUnsigned32(r, min, max, min < 0 && max >= 0);
}

function forgetSigned32Beyond(r: Range): void {
  if (inS32(r.s32min) && inS32(r.s32max)) return;
  r.s32min = S32_MIN;
  r.s32max = S32_MAX;
}

/** When both ends wrap around they are still bounds; when one does, they are none. */
function setUnsigned32(r: Range, min: number, max: number, isTorn: boolean): void {
  r.u32min = isTorn ? 0 : min >>> 0;
  r.u32max = isTorn ? U32_MAX : max >>> 0;
}

function add64(r: Range, b: Range): void {
  setSigned64(r, r.smin + b.smin, r.smax + b.smax);
  const min = r.umin + b.umin;
  const max = r.umax + b.umax;
  setUnsigned64(r, min, max, min <= U64_MAX && max > U64_MAX);
}

function subtract64(r: Range, b: Range): void {
  setSigned64(r, r.smin - b.smax, r.smax - b.smin);
  const min = r.umin - b.umax;
  const max = r.umax - b.umin;
  setUnsigned64(r, min, max, min < 0n && max >= 0n);
}

function setSigned64(r: Range, min: bigint, max: bigint): void {
  const fits = inS64(min) && inS64(max);
  r.smin = fits ? min : S64_MIN;
  r.smax = fits ? max : S64_MAX;
}

function setUnsigned64(r: Range, min: bigint, max: bigint, isTorn: boolean): void {
  r.umin = isTorn ? 0n : BigInt.asUintN(64, min);
  r.umax = isTorn ? U64_MAX : BigInt.asUintN(64, max);
}

function multiply32(r: Range, b: Range): void {
  const min = BigInt(r.u32min) * BigInt(b.u32min);
  const max = BigInt(r.u32max) * BigInt(b.u32max);
  const fits = max <= U32_MAX && min <= U32_MAX;
  r.u32min = fits ? Number(min) : 0;
  r.u32max = fits ? Number(max) : U32_MAX;
  const products = corners(BigInt(r.s32min), BigInt(r.s32max), BigInt(b.s32min), BigInt(b.s32max));
  const isSigned = products.min >= S32_MIN && products.max <= S32_MAX;
  r.s32min = isSigned ? Number(products.min) : S32_MIN;
  r.s32max = isSigned ? Number(products.max) : S32_MAX;
}

function multiply64(r: Range, b: Range): void {
  const min = r.umin * b.umin;
  const max = r.umax * b.umax;
  const fits = max <= U64_MAX && min <= U64_MAX;
  r.umin = fits ? min : 0n;
  r.umax = fits ? max : U64_MAX;
  const products = corners(r.smin, r.smax, b.smin, b.smax);
  setSigned64(r, products.min, products.max);
}

function corners(min: bigint, max: bigint, otherMin: bigint, otherMax: bigint): { min: bigint; max: bigint } {
  const products = [min * otherMin, min * otherMax, max * otherMin, max * otherMax];
  return {
    min: products.reduce((a, b) => (a < b ? a : b)),
    max: products.reduce((a, b) => (a > b ? a : b)),
  };
}

function and(r: Range, a: Range, b: Range): void {
  const bits = lowBits(r.bits);
  if (a.isLowConstant && b.isLowConstant) r.set32(Number(bits.value));
  else setUnsignedAndSigned32(r, Number(bits.value), Math.min(a.u32max, b.u32max));
  if (a.isConstant && b.isConstant) return r.set64(r.bits.value);
  setUnsignedAndSigned64(r, r.bits.value, a.umax < b.umax ? a.umax : b.umax);
}

function or(r: Range, a: Range, b: Range): void {
  const bits = lowBits(r.bits);
  if (a.isLowConstant && b.isLowConstant) r.set32(Number(bits.value));
  else setUnsignedAndSigned32(r, Math.max(a.u32min, b.u32min), Number(bits.value | bits.mask));
  if (a.isConstant && b.isConstant) return r.set64(r.bits.value);
  setUnsignedAndSigned64(r, a.umin > b.umin ? a.umin : b.umin, r.bits.value | r.bits.mask);
}

function xor(r: Range, a: Range, b: Range): void {
  const bits = lowBits(r.bits);
  if (a.isLowConstant && b.isLowConstant) r.set32(Number(bits.value));
  else setUnsignedAndSigned32(r, Number(bits.value), Number(bits.value | bits.mask));
  if (a.isConstant && b.isConstant) return r.set64(r.bits.value);
  setUnsignedAndSigned64(r, r.bits.value, r.bits.value | r.bits.mask);
}

/** The signed bounds are the unsigned ones where these do not cross the sign. */
function setUnsignedAndSigned32(r: Range, min: number, max: number): void {
  r.u32min = min;
  r.u32max = max;
  const isOneSide = (min | 0) <= (max | 0);
  r.s32min = isOneSide ? min | 0 : S32_MIN;
  r.s32max = isOneSide ? max | 0 : S32_MAX;
}

function setUnsignedAndSigned64(r: Range, min: bigint, max: bigint): void {
  r.umin = min;
  r.umax = max;
  const first = BigInt.asIntN(64, min);
  const last = BigInt.asIntN(64, max);
  r.smin = first <= last ? first : S64_MIN;
  r.smax = first <= last ? last : S64_MAX;
  r.boundByBits();
}

function shiftLeftBounds32(r: Range, by: number): void {
  r.s32min = S32_MIN;
  r.s32max = S32_MAX;
  if (by > 31 || r.u32max > 2 ** (31 - by)) {
    r.u32min = 0;
    r.u32max = U32_MAX;
  } else {
    r.u32min = (r.u32min << by) >>> 0;
    r.u32max = (r.u32max << by) >>> 0;
  }
}

function shiftLeft32(r: Range, b: Range): void {
  shiftLeftBounds32(r, b.u32min);
  r.bits = lowBits(shiftLeft(lowBits(r.bits), BigInt(b.u32min)));
  r.forget64();
  r.boundLowByBits();
}

function shiftLeft64(r: Range, b: Range): void {
  const by = b.umin;
  // Compilers extend the sign of a word by two shifts of 32: then the signed bounds of the word are those of the number.
  r.smax = by === 32n ? BigInt(r.s32max) << 32n : S64_MAX;
  r.smin = by === 32n ? BigInt(r.s32min) << 32n : S64_MIN;
  if (r.umax > 1n << (63n - by)) {
    r.umin = 0n;
    r.umax = U64_MAX;
  } else {
    r.umin <<= by;
    r.umax <<= by;
  }
  shiftLeftBounds32(r, Number(by));
  r.bits = shiftLeft(r.bits, by);
  r.boundByBits();
}

function shiftRight32(r: Range, b: Range): void {
  r.s32min = S32_MIN;
  r.s32max = S32_MAX;
  r.bits = shiftRight(lowBits(r.bits), BigInt(b.u32min));
  r.u32min >>>= b.u32min;
  r.u32max >>>= b.u32min;
  r.forget64();
  r.boundLowByBits();
}

function shiftRight64(r: Range, b: Range): void {
  r.smin = S64_MIN;
  r.smax = S64_MAX;
  r.bits = shiftRight(r.bits, b.umin);
  r.umin >>= b.umin;
  r.umax >>= b.umin;
  r.forget32();
  r.boundByBits();
}

function shiftRightSigned32(r: Range, b: Range): void {
  r.s32min >>= b.u32min;
  r.s32max >>= b.u32min;
  r.bits = shiftRightSigned(lowBits(r.bits), BigInt(b.u32min), 32);
  r.u32min = 0;
  r.u32max = U32_MAX;
  r.forget64();
  r.boundLowByBits();
}

function shiftRightSigned64(r: Range, b: Range): void {
  r.smin >>= b.umin;
  r.smax >>= b.umin;
  r.bits = shiftRightSigned(r.bits, b.umin, 64);
  r.umin = 0n;
  r.umax = U64_MAX;
  r.forget32();
  r.boundByBits();
}

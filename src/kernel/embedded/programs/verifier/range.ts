import {
  allows,
  bitLength,
  bitsOfRange,
  bitsWithin,
  castBits,
  intersectBits,
  knownBits,
  lowBits,
  type Tnum,
  U64_MAX,
  UNKNOWN_BITS,
  withLowBits,
  wordBehind,
} from "./tnum.ts";

export const S64_MIN = -(1n << 63n);
export const S64_MAX = (1n << 63n) - 1n;
export const U32_MAX = 0xffff_ffff;
export const S32_MIN = -(2 ** 31);
export const S32_MAX = 2 ** 31 - 1;
const U32_MASK = 0xffff_ffffn;

const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const low = (value: bigint): number => Number(value & U32_MASK);
const lowSigned = (value: bigint): number => Number(BigInt.asIntN(32, value));
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/**
 * What is known of a 64-bit number: its bits, and its bounds as an unsigned and as a signed number, each for the whole and
 * for the low 32 bits. `include/linux/bpf_verifier.h: struct bpf_reg_state`, 6.18.
 *
 * A range is changed only by who has just made it, and never after `settle`.
 */
export class Range {
  bits: Tnum = UNKNOWN_BITS;
  umin = 0n;
  umax = U64_MAX;
  smin = S64_MIN;
  smax = S64_MAX;
  u32min = 0;
  u32max = U32_MAX;
  s32min = S32_MIN;
  s32max = S32_MAX;

  copy(): Range {
    const copy = new Range();
    copy.bits = this.bits;
    copy.umin = this.umin;
    copy.umax = this.umax;
    copy.smin = this.smin;
    copy.smax = this.smax;
    copy.u32min = this.u32min;
    copy.u32max = this.u32max;
    copy.s32min = this.s32min;
    copy.s32max = this.s32max;
    return copy;
  }

  /** Whether there is one number that it can be. */
  get isConstant(): boolean {
    return this.bits.mask === 0n;
  }

  /** The one number, unsigned, of a constant. */
  get value(): bigint {
    return this.bits.value;
  }

  get isLowConstant(): boolean {
    return (this.bits.mask & U32_MASK) === 0n;
  }

  get isZero(): boolean {
    return this.bits.mask === 0n && this.bits.value === 0n;
  }

  get isUnknown(): boolean {
    return (
      this === UNKNOWN ||
      (this.bits.mask === U64_MAX &&
        this.umin === 0n &&
        this.umax === U64_MAX &&
        this.smin === S64_MIN &&
        this.smax === S64_MAX &&
        this.u32min === 0 &&
        this.u32max === U32_MAX &&
        this.s32min === S32_MIN &&
        this.s32max === S32_MAX)
    );
  }

  /** The bits that the largest unsigned value takes. */
  get width(): number {
    return bitLength(this.umax);
  }

  forgetBounds(): void {
    this.forget64();
    this.forget32();
  }

  forget64(): void {
    this.umin = 0n;
    this.umax = U64_MAX;
    this.smin = S64_MIN;
    this.smax = S64_MAX;
  }

  forget32(): void {
    this.u32min = 0;
    this.u32max = U32_MAX;
    this.s32min = S32_MIN;
    this.s32max = S32_MAX;
  }

  set32(value: number): void {
    this.bits = withLowBits(this.bits, knownBits(BigInt(value >>> 0)));
    this.u32min = value >>> 0;
    this.u32max = value >>> 0;
    this.s32min = value | 0;
    this.s32max = value | 0;
  }

  set64(value: bigint): void {
    this.bits = knownBits(value);
    this.umin = value;
    this.umax = value;
    this.smin = s64(value);
    this.smax = this.smin;
    this.u32min = low(value);
    this.u32max = this.u32min;
    this.s32min = this.u32min | 0;
    this.s32max = this.s32min;
  }

  /** What was done to the low word cleared the high one. */
  zeroExtend(): void {
    this.bits = lowBits(this.bits);
    this.umin = BigInt(this.u32min);
    this.umax = BigInt(this.u32max);
    const isPositive = this.s32min >= 0 && this.s32max >= 0;
    this.smin = isPositive ? BigInt(this.s32min) : 0n;
    this.smax = isPositive ? BigInt(this.s32max) : U32_MASK;
  }

  /** The bounds learn from the bits. */
  boundByBits(): void {
    this.boundLowByBits();
    const { value, mask } = this.bits;
    this.smin = larger(this.smin, s64(value | (mask & (1n << 63n))));
    this.smax = smaller(this.smax, s64(value | (mask & S64_MAX)));
    this.umin = larger(this.umin, value);
    this.umax = smaller(this.umax, value | mask);
    // Where the unknown bits are the lowest ones, the bits allow every number between the bounds.
    if (this.umin >= this.umax || (mask & (mask + 1n)) !== 0n) this.#takeSingle();
  }

  /** The bounds of the low word learn from the bits. */
  boundLowByBits(): void {
    const value = low(this.bits.value);
    const mask = low(this.bits.mask);
    this.s32min = Math.max(this.s32min, value | (mask & S32_MIN));
    this.s32max = Math.min(this.s32max, value | (mask & S32_MAX));
    this.u32min = Math.max(this.u32min, value);
    this.u32max = Math.min(this.u32max, (value | mask) >>> 0);
  }

  /**
   * Of the numbers between the unsigned bounds the bits may allow one alone: `__update_reg64_bounds`, 6.18. Where they
   * allow none, on a way that is never taken, Linux takes one too, and so it is taken here.
   */
  #takeSingle(): void {
    const { bits, umin, umax } = this;
    const next = wordBehind(bits, umin);
    if (allows(bits, umin)) {
      if (next > umax) this.set64(umin);
    } else if (next === (bits.value | bits.mask)) this.set64(next);
    else if (next <= umax && wordBehind(bits, next) > umax) this.set64(next);
  }

  /**
   * Makes bits and bounds learn from one another. It repeats what Linux does in the same order and as often, since a
   * program is accepted or not by what comes out. `kernel/bpf/verifier.c: reg_bounds_sync, 6.18`.
   */
  settle(): this {
    if (this.bits.mask === 0n && this.umin === this.bits.value && this.umax === this.bits.value) {
      this.set64(this.bits.value);
      return this;
    }
    this.boundByBits();
    for (let round = 0; round < 3; round++) {
      const { umin, umax, smin, smax, u32min, u32max, s32min, s32max, bits } = this;
      this.#deduce32();
      this.#deduce64();
      this.#deduceMixed();
      const isStable =
        this.u32min === u32min &&
        this.u32max === u32max &&
        this.s32min === s32min &&
        this.s32max === s32max &&
        this.bits === bits &&
        this.umin === umin &&
        this.umax === umax &&
        this.smin === smin &&
        this.smax === smax;
      if (isStable) break;
    }
    this.#learnBits();
    this.boundByBits();
    return this;
  }

  /** After what cannot be, a dead branch say, nothing is claimed: `reg_bounds_sanity_check`. */
  get isContradictory(): boolean {
    if (this.umin > this.umax || this.smin > this.smax || this.u32min > this.u32max || this.s32min > this.s32max) {
      return true;
    }
    const { value } = this.bits;
    if (
      this.isConstant &&
      (this.umin !== value || this.umax !== value || this.smin !== s64(value) || this.smax !== this.smin)
    ) {
      return true;
    }
    if (!this.isLowConstant) return false;
    const word = low(value);
    return this.u32min !== word || this.u32max !== word || this.s32min !== (word | 0) || this.s32max !== (word | 0);
  }

  /** The low word within what the 64-bit bounds say, and its signs within one another. */
  #deduce32(): void {
    if (this.umin >> 32n === this.umax >> 32n) {
      this.#within32(low(this.umin), low(this.umax));
      if (lowSigned(this.umin) <= lowSigned(this.umax))
        this.#withinSigned32(lowSigned(this.umin), lowSigned(this.umax));
    }
    if (this.smin >> 32n === this.smax >> 32n) {
      if (low(this.smin) <= low(this.smax)) this.#within32(low(this.smin), low(this.smax));
      if (lowSigned(this.smin) <= lowSigned(this.smax))
        this.#withinSigned32(lowSigned(this.smin), lowSigned(this.smax));
    }
    if (
      low((this.umin >> 32n) + 1n) === low(this.umax >> 32n) &&
      lowSigned(this.umin) < 0 &&
      lowSigned(this.umax) >= 0
    ) {
      this.#withinSigned32(lowSigned(this.umin), lowSigned(this.umax));
    }
    if (
      low((this.smin >> 32n) + 1n) === low(this.smax >> 32n) &&
      lowSigned(this.smin) < 0 &&
      lowSigned(this.smax) >= 0
    ) {
      this.#withinSigned32(lowSigned(this.smin), lowSigned(this.smax));
    }
    if ((this.u32min | 0) <= (this.u32max | 0)) this.#withinSigned32(this.u32min | 0, this.u32max | 0);
    if (this.s32min >>> 0 <= this.s32max >>> 0) this.#within32(this.s32min >>> 0, this.s32max >>> 0);
  }

  #within32(min: number, max: number): void {
    this.u32min = Math.max(this.u32min, min);
    this.u32max = Math.min(this.u32max, max);
  }

  #withinSigned32(min: number, max: number): void {
    this.s32min = Math.max(this.s32min, min);
    this.s32max = Math.min(this.s32max, max);
  }

  /** Signed and unsigned bounds, where both lie in one half of the numbers, or the one lies in one end of the other. */
  #deduce64(): void {
    if (s64(this.umin) <= s64(this.umax)) {
      this.smin = larger(this.smin, s64(this.umin));
      this.smax = smaller(this.smax, s64(this.umax));
    }
    const first = u64(this.smin);
    const last = u64(this.smax);
    if (first <= last) {
      this.umin = larger(first, this.umin);
      this.umax = smaller(last, this.umax);
    } else if (this.umax < first) {
      this.smin = s64(this.umin);
      this.umax = smaller(this.umax, last);
    } else if (last < this.umin) {
      this.smax = s64(this.umax);
      this.umin = larger(this.umin, first);
    }
  }

  /** The 64-bit bounds with the low word that the 32-bit bounds leave. */
  #deduceMixed(): void {
    const min = BigInt(this.u32min);
    const max = BigInt(this.u32max);
    this.umin = larger(this.umin, (this.umin & ~U32_MASK) | min);
    this.umax = smaller(this.umax, (this.umax & ~U32_MASK) | max);
    this.smin = larger(this.smin, (this.smin & ~U32_MASK) | min);
    this.smax = smaller(this.smax, (this.smax & ~U32_MASK) | max);
    if (this.s32min >= 0 && this.smin >= BigInt(S32_MIN) && this.smax <= BigInt(S32_MAX)) {
      this.smin = BigInt(this.s32min);
      this.smax = BigInt(this.s32max);
      this.umin = this.smin;
      this.umax = u64(this.smax);
      const learned = intersectBits(this.bits, bitsOfRange(u64(this.smin), u64(this.smax)));
      if (learned.value !== this.bits.value || learned.mask !== this.bits.mask) this.bits = learned;
    }
  }

  #learnBits(): void {
    const whole = intersectBits(this.bits, bitsOfRange(this.umin, this.umax));
    const word = intersectBits(lowBits(whole), bitsOfRange(BigInt(this.u32min), BigInt(this.u32max)));
    this.bits = withLowBits(whole, word);
  }
}

/** A number of which nothing is known. */
export const UNKNOWN: Range = new Range();

const SMALL = 1024;
/** The small numbers that were asked for. */
const constants: (Range | undefined)[] = [];

function makeConstant(value: bigint): Range {
  const range = new Range();
  range.set64(u64(value));
  return range;
}

/** One number, signed or unsigned, modulo 2^64. */
export function constant(value: bigint): Range {
  if (value < -SMALL || value >= SMALL) return makeConstant(value);
  return (constants[Number(value) + SMALL] ??= makeConstant(value));
}

export const ZERO: Range = constant(0n);

/** Whether all that `inner` can be, `outer` can be. */
export function isWithin(outer: Range, inner: Range): boolean {
  if (outer === inner || outer === UNKNOWN) return true;
  return (
    outer.umin <= inner.umin &&
    outer.umax >= inner.umax &&
    outer.smin <= inner.smin &&
    outer.smax >= inner.smax &&
    outer.u32min <= inner.u32min &&
    outer.u32max >= inner.u32max &&
    outer.s32min <= inner.s32min &&
    outer.s32max >= inner.s32max &&
    bitsWithin(outer.bits, inner.bits)
  );
}

export function isSameRange(a: Range, b: Range): boolean {
  return (
    a === b ||
    (a.bits.value === b.bits.value &&
      a.bits.mask === b.bits.mask &&
      a.umin === b.umin &&
      a.umax === b.umax &&
      a.smin === b.smin &&
      a.smax === b.smax &&
      a.u32min === b.u32min &&
      a.u32max === b.u32max &&
      a.s32min === b.s32min &&
      a.s32max === b.s32max)
  );
}

/** What is left of a number in its low `bytes` bytes, zero-extended: `coerce_reg_to_size`. */
export function truncate(range: Range, bytes: number): Range {
  if (range.isConstant) return constant(BigInt.asUintN(bytes * 8, range.value));
  const result = range.copy();
  const mask = (1n << BigInt(bytes * 8)) - 1n;
  result.bits = castBits(range.bits, bytes);
  if ((range.umin & ~mask) === (range.umax & ~mask)) {
    result.umin = range.umin & mask;
    result.umax = range.umax & mask;
  } else {
    result.umin = 0n;
    result.umax = mask;
  }
  result.smin = result.umin;
  result.smax = result.umax;
  if (bytes < 4) result.forget32();
  return result.settle();
}

const truncated: (Range | undefined)[] = [];

/** An unknown number of so many bytes. */
export function unknownOfSize(bytes: number): Range {
  if (bytes === 8) return UNKNOWN;
  return (truncated[bytes] ??= truncate(UNKNOWN, bytes));
}

/** The low `bytes` bytes sign-extended to 64 bits: `coerce_reg_to_size_sx`. */
export function signExtend(range: Range, bytes: number): Range {
  const bits = bytes * 8;
  if (range.isConstant) return constant(BigInt.asIntN(bits, range.value));
  const width = BigInt(bits);
  const result = new Range();
  if (range.smax >> width === range.smin >> width) {
    const first = BigInt.asIntN(bits, range.smax);
    const second = BigInt.asIntN(bits, range.smin);
    const min = smaller(first, second);
    const max = larger(first, second);
    if (min >= 0n === max >= 0n) {
      result.smin = min;
      result.smax = max;
      result.s32min = lowSigned(min);
      result.s32max = lowSigned(max);
      result.umin = u64(min);
      result.umax = u64(max);
      result.u32min = low(min);
      result.u32max = low(max);
      result.bits = bitsOfRange(u64(min), u64(max));
      return result;
    }
  }
  result.smin = -(1n << (width - 1n));
  result.smax = (1n << (width - 1n)) - 1n;
  result.s32min = Number(result.smin);
  result.s32max = Number(result.smax);
  return result;
}

/** The low `bytes` bytes, 1 or 2, sign-extended to 32 bits; the upper word is not yet cleared. */
export function signExtendLow(range: Range, bytes: number): Range {
  const result = range.copy();
  const bits = bytes * 8;
  if (range.isConstant) {
    result.set32(Number(BigInt.asIntN(bits, range.value)));
    return result;
  }
  if (range.s32max >> bits === range.s32min >> bits) {
    const shift = 32 - bits;
    const first = (range.s32max << shift) >> shift;
    const second = (range.s32min << shift) >> shift;
    const min = Math.min(first, second);
    const max = Math.max(first, second);
    if (min >= 0 === max >= 0) {
      result.s32min = min;
      result.s32max = max;
      result.u32min = min >>> 0;
      result.u32max = max >>> 0;
      result.bits = lowBits(bitsOfRange(u64(BigInt(min)), u64(BigInt(max))));
      return result;
    }
  }
  result.s32min = -(2 ** (bits - 1));
  result.s32max = 2 ** (bits - 1) - 1;
  result.u32min = 0;
  result.u32max = U32_MAX;
  result.bits = lowBits(UNKNOWN_BITS);
  return result;
}

/**
 * Known bits, Linux's "tristate numbers": a 64-bit word of which some bits are known. Where `mask` has a 1 the bit is
 * unknown and `value` has a 0; elsewhere `value` is the bit. `kernel/bpf/tnum.c`, 6.18.
 */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const U64_MAX = 0xffff_ffff_ffff_ffffn;
const U32_MASK = 0xffff_ffffn;

export const UNKNOWN_BITS: Tnum = { value: 0n, mask: U64_MAX };

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

export function knownBits(value: bigint): Tnum {
  return { value, mask: 0n };
}

/** The bits that all numbers from `min` to `max` share: those above the highest in which the two differ. */
export function bitsOfRange(min: bigint, max: bigint): Tnum {
  const width = bitLength(min ^ max);
  if (width > 63) return UNKNOWN_BITS;
  const delta = (1n << BigInt(width)) - 1n;
  return { value: min & ~delta, mask: delta };
}

/** How many bits a 64-bit number takes. */
export function bitLength(word: bigint): number {
  const high = Number(word >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(word & U32_MASK)) : 64 - Math.clz32(high);
}

export function shiftLeft(a: Tnum, by: bigint): Tnum {
  return { value: u64(a.value << by), mask: u64(a.mask << by) };
}

export function shiftRight(a: Tnum, by: bigint): Tnum {
  return { value: a.value >> by, mask: a.mask >> by };
}

/** The arithmetic shift of a word of `bits` bits; the sign that is shifted in may be unknown. */
export function shiftRightSigned(a: Tnum, by: bigint, bits: 32 | 64): Tnum {
  const shift = (word: bigint): bigint => BigInt.asUintN(bits, BigInt.asIntN(bits, word) >> by);
  return { value: shift(a.value), mask: shift(a.mask) };
}

/** A sum has unknown bits where the operands have, and where the smallest and the largest sum carry differently. */
export function addBits(a: Tnum, b: Tnum): Tnum {
  const least = u64(a.value + b.value);
  const most = u64(least + a.mask + b.mask);
  const mask = (most ^ least) | a.mask | b.mask;
  return { value: least & ~mask, mask };
}

export function subtractBits(a: Tnum, b: Tnum): Tnum {
  const difference = u64(a.value - b.value);
  const most = u64(difference + a.mask);
  const least = u64(difference - b.mask);
  const mask = (most ^ least) | a.mask | b.mask;
  return { value: difference & ~mask, mask };
}

export function andBits(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  return { value, mask: (a.value | a.mask) & (b.value | b.mask) & ~value };
}

export function orBits(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return { value, mask: (a.mask | b.mask) & ~value };
}

export function xorBits(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask;
  return { value: (a.value ^ b.value) & ~mask, mask };
}

/** Long multiplication, a bit of `a` at a time; a bit that is unknown leaves both outcomes open. */
export function multiplyBits(a: Tnum, b: Tnum): Tnum {
  let product: Tnum = { value: 0n, mask: 0n };
  let { value, mask } = a;
  let addend = b;
  while ((value | mask) !== 0n) {
    if ((value & 1n) !== 0n) product = addBits(product, addend);
    else if ((mask & 1n) !== 0n) product = eitherBits(product, addBits(product, addend));
    value >>= 1n;
    mask >>= 1n;
    addend = shiftLeft(addend, 1n);
  }
  return product;
}

/** What is known of a word that is one of the two. */
function eitherBits(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask | (a.value ^ b.value);
  return { value: a.value & b.value & ~mask, mask };
}

/** What is known of a word that both describe. */
export function intersectBits(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask & b.mask;
  return { value: (a.value | b.value) & ~mask, mask };
}

/** Whether some word could be both. */
export function bitsOverlap(a: Tnum, b: Tnum): boolean {
  const known = ~(a.mask | b.mask);
  return ((a.value ^ b.value) & known & U64_MAX) === 0n;
}

/** Whether a word is one of those that the bits allow. */
export function allows({ value, mask }: Tnum, word: bigint): boolean {
  return (word & ~mask) === value;
}

/**
 * The least of the words that the bits allow which is greater than `word`; the greatest of them when none is. What
 * `tnum_step` answers, 6.18.
 */
export function wordBehind({ value, mask }: Tnum, word: bigint): bigint {
  const greatest = value | mask;
  if (word >= greatest) return greatest;
  if (word < value) return value;
  const likest = value | (word & mask);
  const below = likest === word ? 0n : (1n << BigInt(bitLength(likest ^ word) - 1)) - 1n;
  if (likest > word) return value | (likest & mask & ~below);
  // The unknown bits below the highest that differs are at an end: one that stands higher goes on.
  const last = likest | (mask & below);
  return value | (((last | ~mask) + 1n) & mask);
}

/** Whether every word that `inner` describes is one that `outer` describes. */
export function bitsWithin(outer: Tnum, inner: Tnum): boolean {
  return (inner.mask & ~outer.mask) === 0n && (inner.value & ~outer.mask) === outer.value;
}

/** The low `bytes` bytes, the rest zero. */
export function castBits(a: Tnum, bytes: number): Tnum {
  return { value: BigInt.asUintN(bytes * 8, a.value), mask: BigInt.asUintN(bytes * 8, a.mask) };
}

/** The low word, the rest zero. */
export function lowBits(a: Tnum): Tnum {
  return { value: a.value & U32_MASK, mask: a.mask & U32_MASK };
}

/** `a` with the low word of `low`. */
export function withLowBits(a: Tnum, low: Tnum): Tnum {
  return { value: (a.value & ~U32_MASK) | (low.value & U32_MASK), mask: (a.mask & ~U32_MASK) | (low.mask & U32_MASK) };
}

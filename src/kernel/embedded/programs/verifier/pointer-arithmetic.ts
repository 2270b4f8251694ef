import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import { describe, describeNumber } from "./describe.ts";
import { Range, S64_MAX, S64_MIN } from "./range.ts";
import { type Register, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { addBits, subtractBits, U64_MAX } from "./tnum.ts";
import type { Verification } from "./verification.ts";

/** `BPF_MAX_VAR_OFF`: no offset goes so far. */
export const MAX_OFFSET = 1n << 29n;
const BOUND = `an offset is less than ${MAX_OFFSET} either way`;

/** What pointers can be moved at all. */
const MOVABLE: ReadonlySet<string> = new Set([
  "ctx",
  "map_value",
  "map_key",
  "stack",
  "packet",
  "packet_meta",
  "mem",
  "func",
  "dynptr",
]);

/** A pointer plus or minus a number: `kernel/bpf/verifier.c: adjust_ptr_min_max_vals`, 6.18. */
export function movePointer(v: Verification, dst: number, pointer: Register, by: Range, isMinus: boolean): Register {
  const isKnown = by.isConstant;
  if ((isKnown && (by.smin !== by.smax || by.umin !== by.umax)) || by.smin > by.smax || by.umin > by.umax) {
    return UNKNOWN_SCALAR;
  }
  if (pointer.isNullable) {
    throw new Rejection(
      EACCES,
      `R${dst} pointer arithmetic on a pointer that may be NULL prohibited, null-check it first: R${dst} is ${describe(pointer)}`,
    );
  }
  const isNothing = isKnown && by.isZero && !isMinus;
  if (!MOVABLE.has(pointer.kind) && !(pointer.kind === "map" && isNothing)) {
    throw new Rejection(
      EACCES,
      `R${dst} pointer arithmetic on ${describe(pointer)} prohibited${pointer.kind === "map" ? ": a map is for helpers, which take it as it is" : ""}`,
    );
  }
  const refused = (): string => `math between ${describe(pointer)} and ${describeNumber(by)} is not allowed`;
  if (by.smin === S64_MIN && !isKnown) {
    throw new Rejection(
      EINVAL,
      `${refused()}: it has no known least value; ${BOUND}, so mask it with &= or compare it first`,
    );
  }
  if (isTooFar(by)) throw new Rejection(EINVAL, `${refused()}: ${BOUND}`);
  checkDistance(pointer);
  checkFixed(pointer);
  if (isMinus && pointer.kind === "stack") {
    throw new Rejection(EACCES, `R${dst} subtraction from stack pointer prohibited: add a negative number instead`);
  }
  const moved = pointer.copy();
  if (isKnown) {
    const sum = BigInt(pointer.offset) + (isMinus ? -by.smin : by.smin);
    if (sum === BigInt.asIntN(32, sum)) {
      moved.offset = Number(sum);
      checkFixed(moved);
      return moved;
    }
  }
  moved.range = isMinus ? minus(pointer.range, by) : plus(pointer.range, by);
  if (!isKnown && pointer.isPacket) {
    moved.id = v.newId();
    if (!isMinus || by.smin < 0n) moved.extent = 0;
  }
  checkDistance(moved);
  moved.range.settle();
  if (moved.range.isContradictory) moved.range.forgetBounds();
  return moved;
}

function checkFixed(pointer: Register): void {
  if (Math.abs(pointer.offset) < Number(MAX_OFFSET)) return;
  throw new Rejection(EINVAL, `${describe(pointer)}: the offset is not allowed: ${BOUND}`);
}

function checkDistance(pointer: Register): void {
  if (isTooFar(pointer.range)) throw new Rejection(EINVAL, `${describe(pointer)}: the offset is not allowed: ${BOUND}`);
}

function isTooFar({ smin }: Range): boolean {
  return smin >= MAX_OFFSET || smin <= -MAX_OFFSET;
}

function plus(a: Range, b: Range): Range {
  const sum = new Range();
  setSigned(sum, a.smin + b.smin, a.smax + b.smax);
  const max = a.umax + b.umax;
  if (a.umin + b.umin <= U64_MAX && max <= U64_MAX) {
    sum.umin = a.umin + b.umin;
    sum.umax = max;
  }
  sum.bits = addBits(a.bits, b.bits);
  return sum;
}

function minus(a: Range, b: Range): Range {
  const difference = new Range();
  setSigned(difference, a.smin - b.smax, a.smax - b.smin);
  if (a.umin >= b.umax) {
    difference.umin = a.umin - b.umax;
    difference.umax = BigInt.asUintN(64, a.umax - b.umin);
  }
  difference.bits = subtractBits(a.bits, b.bits);
  return difference;
}

function setSigned(range: Range, min: bigint, max: bigint): void {
  if (min < S64_MIN || max > S64_MAX || min > S64_MAX || max < S64_MIN) return;
  range.smin = min;
  range.smax = max;
}

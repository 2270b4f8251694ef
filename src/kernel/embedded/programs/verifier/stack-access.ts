import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import { withId } from "./arithmetic.ts";
import { describe } from "./describe.ts";
import { MAX_OFFSET } from "./pointer-arithmetic.ts";
import { markPrecise, number, type Register, UNINIT, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import {
  clobber,
  DYNPTR,
  EMPTY_SLOT,
  MAX_STACK,
  MISC,
  markRead,
  overwrite,
  respill,
  SLOT,
  SPILLED,
  StackSlot,
  spill,
  ZEROED,
} from "./stack.ts";
import { byteInSlot, type Frame, slotIndex } from "./state.ts";
import type { Verification } from "./verification.ts";

/** The bytes that an access may touch, by their offsets from r10: from `first` up to, and not with, `end`. */
export interface StackSpan {
  readonly first: number;
  readonly end: number;
  /** Whether it is one place, and not one of several. */
  readonly isFixed: boolean;
}

/**
 * Where an access by a pointer into the stack may go; refuses one that may leave the 512 bytes below r10.
 * `check_stack_access_within_bounds`, 6.18.
 */
export function stackSpan(v: Verification, name: string, pointer: Register, offset: number, size: number): StackSpan {
  const { range } = pointer;
  const isFixed = range.isConstant;
  if (!isFixed && (range.smax >= MAX_OFFSET || range.smin <= -MAX_OFFSET)) {
    throw new Rejection(
      EACCES,
      `invalid unbounded variable-offset access to stack ${name}: it is ${describe(pointer)}`,
    );
  }
  const first = Number(range.smin) + pointer.offset + offset;
  const end = Number(range.smax) + pointer.offset + offset + size;
  if (first < -MAX_STACK || first > -1 || end > 0) {
    throw new Rejection(
      first < -MAX_STACK || first > -1 ? EACCES : EINVAL,
      `invalid ${isFixed ? "" : "variable-offset "}access to stack ${name} off=${first} size=${size}: it is ${describe(pointer)}; the stack is the ${MAX_STACK} bytes below r10`,
    );
  }
  useStack(v, v.frameOf(pointer), -first);
  return { first, end, isFixed };
}

function useStack(v: Verification, frame: Frame, bytes: number): void {
  const facts = v.functions[frame.subprogram];
  if (facts !== undefined && facts.stackDepth < bytes) facts.stackDepth = bytes;
}

/** What a load of `size` bytes gives, before it is cut to its size; of bytes never written, some number. */
export function readStack(v: Verification, pointer: Register, span: StackSpan, size: number): Register {
  const frame = v.frameOf(pointer);
  if (!span.isFixed) return readSomewhere(frame, span);
  const index = slotIndex(span.first);
  const slot = frame.stack[index] ?? EMPTY_SLOT;
  markRead(slot);
  const first = byteInSlot(span.first);
  if (!slot.isSpill) return readBytes(slot, first, size);
  const { spilled, spillSize } = slot;
  if (size === SLOT && spillSize === SLOT) {
    const linked = withId(v, spilled);
    if (linked !== spilled) frame.stack[index] = respill(slot, linked);
    return linked.isScalar ? linked.copy() : linked;
  }
  if (!spilled.isScalar) {
    throw new Rejection(
      EACCES,
      `invalid size of register fill: ${describe(spilled)} lies there, which is loaded as 8 bytes or not at all`,
    );
  }
  if (first === 0 && size <= spillSize) {
    const filled = spilled.copy();
    if (spilled.range.width > size * 8) {
      filled.id = 0;
      filled.shift = 0;
      filled.delta = 0;
    }
    return filled;
  }
  return readBytes(slot, first, size);
}

function readBytes(slot: StackSlot, first: number, size: number): Register {
  let spilled = 0;
  let zeros = 0;
  for (let byte = first; byte < first + size; byte++) {
    const type = slot.typeAt(byte);
    if (type === DYNPTR)
      throw new Rejection(EACCES, "invalid read from stack: a dynptr lies there, which only helpers read");
    if (type === SPILLED) spilled++;
    if (type === ZEROED) zeros++;
  }
  if (spilled === size && slot.spilled.isNull) {
    const zero = number(0n).copy();
    zero.from = slot.spilled;
    return zero;
  }
  return zeros === size ? number(0n) : UNKNOWN_SCALAR;
}

/** A load from one of several places: zero if all of them are. */
function readSomewhere(frame: Frame, { first, end }: StackSpan): Register {
  checkReadable(frame, first, end);
  let isZero = true;
  for (let offset = first; offset < end; offset++) {
    if (frame.slotAt(offset).typeAt(byteInSlot(offset)) !== ZEROED) isZero = false;
  }
  return isZero ? number(0n) : UNKNOWN_SCALAR;
}

/** Notes that all of these bytes are read. */
function checkReadable(frame: Frame, first: number, end: number): void {
  for (let offset = first; offset < end; offset += SLOT - byteInSlot(offset)) {
    const slot = frame.slotAt(offset);
    if (slot.isDynptr) {
      throw new Rejection(
        EACCES,
        `invalid read from stack off ${offset}: a dynptr lies there, which only helpers read`,
      );
    }
    markRead(slot);
  }
}

/** What a store puts on the stack: a register, a constant, or (`undefined`) whatever a helper or an atomic writes. */
export interface Stored {
  readonly register: Register;
  /** The register's number, when it is one. */
  readonly number: number | undefined;
}

/** A store of `size` bytes. `check_stack_write_fixed_off` and `check_stack_write_var_off`, 6.18. */
export function writeStack(
  v: Verification,
  pointer: Register,
  span: StackSpan,
  size: number,
  stored: Stored | undefined,
): void {
  const frame = v.frameOf(pointer);
  destroyDynptrs(v, frame, span.first, span.end);
  if (!span.isFixed) return writeSomewhere(frame, span, stored?.register);
  const index = slotIndex(span.first);
  const old = frame.stack[index] ?? EMPTY_SLOT;
  const first = byteInSlot(span.first);
  frame.stack[index] =
    stored === undefined ? overwrite(old, first, size, MISC) : store(v, frame, old, first, size, stored);
}

function store(v: Verification, frame: Frame, old: StackSlot, first: number, size: number, stored: Stored): StackSlot {
  const { register } = stored;
  if (register.isScalar) {
    if (first === 0) return spill(old, spilledScalar(v, register, size, stored.number), size);
    if (!register.isNull) return overwrite(old, first, size, MISC);
    markPrecise(register);
    return overwrite(old, first, size, ZEROED);
  }
  if (register.kind === "dynptr") return overwrite(old, first, size, MISC);
  if (size !== SLOT) {
    throw new Rejection(
      EACCES,
      `invalid size of register spill: ${describe(register)} is stored as 8 bytes or not at all`,
    );
  }
  if (frame !== v.frame && register.kind === "stack") {
    throw new Rejection(EINVAL, "cannot spill pointers to stack into stack frame of the caller");
  }
  return spill(old, register, SLOT);
}

/** A number on the stack stays linked to the register that it was stored from, unless it was cut. */
function spilledScalar(v: Verification, register: Register, size: number, from: number | undefined): Register {
  const fits = register.range.width <= size * 8;
  if (fits && from !== undefined) {
    const linked = withId(v, register);
    v.registers[from] = linked;
    return linked.copy();
  }
  const copy = register.copy();
  copy.id = 0;
  copy.shift = 0;
  copy.delta = 0;
  return copy;
}

/** A store to one of several places: each byte may have been written, or not. */
function writeSomewhere(frame: Frame, { first, end }: StackSpan, register: Register | undefined): void {
  const isZero = register?.isNull === true;
  let usedZero = false;
  for (let offset = first; offset < end; offset++) {
    const index = slotIndex(offset);
    const old = frame.stack[index] ?? EMPTY_SLOT;
    const byte = byteInSlot(offset);
    const type = old.typeAt(byte);
    if (isZero && type === SPILLED && old.isScalarSpill && old.spilled.isNull) {
      usedZero = true;
      continue;
    }
    const staysZero = isZero && type === ZEROED;
    if (staysZero) usedZero = true;
    frame.stack[index] = forgetSpill(old, byte, staysZero ? ZEROED : MISC);
  }
  if (usedZero && register !== undefined) markPrecise(register);
}

/** One byte of a slot changes, and what was spilled there is no longer whole. What it was stays to be asked for. */
function forgetSpill(old: StackSlot, byte: number, type: number): StackSlot {
  let bytes = 0;
  for (let at = 0; at < SLOT; at++) {
    const before = old.typeAt(at);
    const kept = before === SPILLED || before === DYNPTR ? MISC : before;
    bytes |= (at === byte ? type : kept) << (3 * at);
  }
  return new StackSlot(bytes, UNINIT, old.mark);
}

/** What a helper writes to memory on the stack that it need not have found written. */
export function clobberStack(v: Verification, pointer: Register, { first, end }: StackSpan): void {
  const frame = v.frameOf(pointer);
  for (let offset = first; offset < end; ) {
    const index = slotIndex(offset);
    const from = byteInSlot(offset);
    const size = Math.min(SLOT - from, end - offset);
    const old = frame.stack[index] ?? EMPTY_SLOT;
    frame.stack[index] = clobber(old, from, size);
    offset += size;
  }
}

/** A helper reads the bytes. `check_stack_range_initialized`, 6.18, for who may read what was never written. */
export function helperReadsStack(v: Verification, pointer: Register, { first, end }: StackSpan): void {
  checkReadable(v.frameOf(pointer), first, end);
}

/**
 * A store over a dynptr ends it, and all that was got from it. One that holds a reference must not be lost so.
 * `destroy_if_dynptr_stack_slot`, 6.18.
 */
export function destroyDynptrs(v: Verification, frame: Frame, first: number, end: number): void {
  for (let offset = first; offset < end; offset += SLOT - byteInSlot(offset)) {
    const slot = frame.slotAt(offset);
    if (!slot.isDynptr) continue;
    if (slot.spilled.ref !== 0) {
      throw new Rejection(EINVAL, "cannot overwrite referenced dynptr: submit or discard it first");
    }
    forgetDynptr(v, frame, slotIndex(offset));
  }
}

/** Both slots of a dynptr become data, and the memory that it gave is gone. */
export function forgetDynptr(v: Verification, frame: Frame, index: number): void {
  const slot = frame.stack[index] as StackSlot;
  const id = slot.spilled.dynptrId;
  for (const at of slot.spilled.isFirstSlot ? [index, index - 1] : [index + 1, index]) {
    const part = frame.stack[at];
    if (part?.isDynptr) frame.stack[at] = new StackSlot(0, UNINIT, part.mark);
  }
  v.state.changeRegisters((register) =>
    register.kind === "mem" && register.dynptrId === id ? UNKNOWN_SCALAR : register,
  );
}

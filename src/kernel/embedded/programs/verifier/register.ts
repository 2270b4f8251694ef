import type { MapView } from "./map-view.ts";
import { constant, type Range, UNKNOWN, ZERO } from "./range.ts";

/** What a register, or 8 bytes of the stack, hold. */
export type RegisterKind =
  /** Nothing that may be read. */
  | "uninit"
  /** A number. */
  | "scalar"
  /** The context of the program. */
  | "ctx"
  /** A map itself. */
  | "map"
  | "map_value"
  | "map_key"
  | "stack"
  | "packet"
  | "packet_meta"
  | "packet_end"
  /** Memory of a known size: a record of a ring buffer, what a dynptr stands for. */
  | "mem"
  /** A subprogram. */
  | "func"
  /** A dynptr: on the stack, or handed to a callback. */
  | "dynptr"
  /** A socket, of which a program of the embedded kernel can only ask whether it is NULL. */
  | "sock";

/** The pointer was moved to the end of the packet, or beyond it. */
export const AT_PACKET_END = -1;
export const BEYOND_PACKET_END = -2;

/**
 * What is known of a register. A register that a state refers to is never changed but for `isPrecise`, so states share it.
 *
 * Scalars remember from which others they come (`from`, `from2`): when it turns out that the verdict depends on a scalar's
 * range, all that led to the range matter as well. See `markPrecise`.
 */
export class Register {
  kind: RegisterKind = "uninit";
  /** A scalar's value; of a pointer's distance from where its object begins, what was added as an unknown number. */
  range: Range = UNKNOWN;
  /** What was added to a pointer as constants. */
  offset = 0;
  /** Registers of the same id, other than 0, hold the same number, or come from the same null check or packet pointer. */
  id = 0;
  /** The scalar is `delta` more than the others of its id, when it is shifted: by an addition of so many bits, 32 or 64. */
  delta = 0;
  shift: 0 | 32 | 64 = 0;
  /** The reference that goes with it, to be released; 0 without. */
  ref = 0;
  map: MapView | undefined = undefined;
  /** Which lookup in a map of maps found the map. */
  mapUid = 0;
  /** mem: bytes. packet: bytes from the base that are there. stack: the frame. func: its subprogram. */
  extent = 0;
  isNullable = false;
  isReadOnly = false;
  /** mem of a ring buffer, which goes back to it. */
  isRecord = false;
  /** A dynptr's own id, and that of the dynptr which memory belongs to. */
  dynptrId = 0;
  dynptrType: DynptrType = "none";
  /** The first of a dynptr's two slots. */
  isFirstSlot = false;

  isPrecise = false;
  from: Register | undefined = undefined;
  from2: Register | undefined = undefined;

  copy(): Register {
    const copy = new Register();
    copy.kind = this.kind;
    copy.range = this.range;
    copy.offset = this.offset;
    copy.id = this.id;
    copy.delta = this.delta;
    copy.shift = this.shift;
    copy.ref = this.ref;
    copy.map = this.map;
    copy.mapUid = this.mapUid;
    copy.extent = this.extent;
    copy.isNullable = this.isNullable;
    copy.isReadOnly = this.isReadOnly;
    copy.isRecord = this.isRecord;
    copy.dynptrId = this.dynptrId;
    copy.dynptrType = this.dynptrType;
    copy.isFirstSlot = this.isFirstSlot;
    if (this.kind === "scalar" && !isFree(this)) copy.from = this;
    return copy;
  }

  /** A pointer's distance from where its object begins, if that is one number. */
  get place(): number | undefined {
    return this.range.isConstant ? this.offset + Number(this.range.smin) : undefined;
  }

  get isScalar(): boolean {
    return this.kind === "scalar";
  }

  get isPointer(): boolean {
    return this.kind !== "scalar" && this.kind !== "uninit";
  }

  get isPacket(): boolean {
    return this.kind === "packet" || this.kind === "packet_meta";
  }

  get isAnyPacket(): boolean {
    return this.kind === "packet" || this.kind === "packet_meta" || this.kind === "packet_end";
  }

  /** The scalar 0, which is NULL too. */
  get isNull(): boolean {
    return this.kind === "scalar" && this.range.isZero;
  }
}

export type DynptrType = "none" | "local" | "ringbuf";

/** Nothing is known of it and nothing linked to it: any other scalar can take its place. */
function isFree(register: Register): boolean {
  return register.range === UNKNOWN && register.id === 0;
}

export const UNINIT: Register = new Register();

/** A number of which nothing is known. */
export const UNKNOWN_SCALAR: Register = scalar(UNKNOWN);

export function scalar(range: Range, from?: Register | undefined, from2?: Register | undefined): Register {
  const register = new Register();
  register.kind = "scalar";
  register.range = range;
  if (range !== UNKNOWN && !range.isUnknown) {
    register.from = from;
    register.from2 = from2;
  }
  return register;
}

export function number(value: bigint): Register {
  return scalar(constant(value));
}

const SMALL_OPERAND = 256;
const operands: (Register | undefined)[] = [];

/** An immediate that an instruction works with and leaves nowhere: small ones are shared, for programs have many. */
export function operand(imm: number): Register {
  if (imm < -SMALL_OPERAND || imm >= SMALL_OPERAND) return number(BigInt(imm));
  return (operands[imm + SMALL_OPERAND] ??= number(BigInt(imm)));
}

/** A pointer to where an object begins. */
export function pointer(kind: RegisterKind): Register {
  const register = new Register();
  register.kind = kind;
  register.range = ZERO;
  return register;
}

/**
 * The verdict depends on the range of this scalar: a branch was decided by it, or an access checked. So it does on the
 * ranges that led to it, back to wherever they come from. A state that has one of them is passed by only with a range that
 * it includes; the ranges that nobody ever asked for do not tell states apart.
 */
export function markPrecise(register: Register): void {
  if (register.kind !== "scalar" || register.isPrecise) return;
  const pending: Register[] = [register];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    next.isPrecise = true;
    const { from, from2 } = next;
    if (from !== undefined && !from.isPrecise && from.kind === "scalar") pending.push(from);
    if (from2 !== undefined && !from2.isPrecise && from2.kind === "scalar") pending.push(from2);
    next.from = undefined;
    next.from2 = undefined;
  }
}

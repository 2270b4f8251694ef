import { type Register, UNINIT, UNKNOWN_SCALAR } from "./register.ts";

/** A program's stack ends at r10; 512 bytes at most lie below. */
export const MAX_STACK = 512;
/** Bytes of a slot. */
export const SLOT = 8;

/** What a byte of the stack holds: three bits each, in `StackSlot.bytes`, the lowest address lowest. */
export const EMPTY = 0;
/** Some data. */
export const MISC = 1;
/** Zero. */
export const ZEROED = 2;
/** A part of the register that was spilled. */
export const SPILLED = 3;
/** A part of a dynptr. */
export const DYNPTR = 4;

/** All eight bytes alike. */
export function allBytes(type: number): number {
  return type * 0o11111111;
}

/** The bits by which a byte is neither empty nor data. */
const BEYOND_MISC = allBytes(EMPTY | ZEROED | DYNPTR);

/**
 * Whether somebody read a slot later, and on whose behalf: a state that was kept asks it of each of its slots. A slot that
 * nobody read does not tell states apart.
 */
export class ReadMark {
  isRead = false;
  readonly parent: ReadMark | undefined;

  constructor(parent: ReadMark | undefined) {
    this.parent = parent;
  }
}

/** 8 bytes of the stack. Never changed once a frame refers to it, so that states share it. */
export class StackSlot {
  readonly bytes: number;
  /** What was spilled here; `UNINIT` when nothing was. */
  readonly spilled: Register;
  readonly mark: ReadMark | undefined;

  constructor(bytes: number, spilled: Register, mark: ReadMark | undefined) {
    this.bytes = bytes;
    this.spilled = spilled;
    this.mark = mark;
  }

  typeAt(byte: number): number {
    return (this.bytes >>> (3 * byte)) & 7;
  }

  /** The last byte of a spill is the highest: a narrow one fills the low bytes. */
  get isSpill(): boolean {
    return (this.bytes & 7) === SPILLED;
  }

  /** How many bytes a spill takes, from the lowest. */
  get spillSize(): number {
    let size = 0;
    while (size < SLOT && this.typeAt(size) === SPILLED) size++;
    return size;
  }

  get isScalarSpill(): boolean {
    return this.isSpill && this.spilled.kind === "scalar";
  }

  get isDynptr(): boolean {
    return (this.bytes & 7) === DYNPTR;
  }

  /** The same slot, with its register renewed and another mark. */
  marked(spilled: Register, mark: ReadMark): StackSlot {
    return new StackSlot(this.bytes, spilled, mark);
  }

  /** The whole slot as one scalar, if that is what a load of it gives. */
  get asScalar(): Register | undefined {
    if (this.isScalarSpill && this.typeAt(7) === SPILLED) return this.spilled;
    return (this.bytes & BEYOND_MISC) === 0 ? UNKNOWN_SCALAR : undefined;
  }
}

export const EMPTY_SLOT: StackSlot = new StackSlot(0, UNINIT, undefined);

/** Notes that the slot is read, for every state that still waits to know. */
export function markRead(slot: StackSlot): void {
  for (let mark = slot.mark; mark !== undefined && !mark.isRead; mark = mark.parent) mark.isRead = true;
}

/** A slot with a register in its low `size` bytes. */
export function spill(old: StackSlot, register: Register, size: number): StackSlot {
  if (size === SLOT) return new StackSlot(allBytes(SPILLED), register, undefined);
  let bytes = 0;
  for (let byte = 0; byte < SLOT; byte++) {
    const before = old.typeAt(byte);
    const kept = before === SPILLED || before === DYNPTR ? MISC : before;
    bytes |= (byte < size ? SPILLED : kept) << (3 * byte);
  }
  return new StackSlot(bytes, register, old.mark);
}

/** A slot with `type` in some of its bytes. A register or dynptr that lay there becomes data. */
export function overwrite(old: StackSlot, first: number, size: number, type: number): StackSlot {
  const isSpecial = old.isSpill || old.isDynptr;
  let bytes = 0;
  for (let byte = 0; byte < SLOT; byte++) {
    const before = old.typeAt(byte);
    const kept = isSpecial && before !== EMPTY ? MISC : before;
    bytes |= (byte >= first && byte < first + size ? type : kept) << (3 * byte);
  }
  return new StackSlot(bytes, UNINIT, first === 0 && size === SLOT ? undefined : old.mark);
}

/** The slot with another register in the place of the one that is spilled. */
export function respill(slot: StackSlot, register: Register): StackSlot {
  return new StackSlot(slot.bytes, register, slot.mark);
}

/** The slot after a helper may have written anything to the bytes from `first` on. */
export function clobber(slot: StackSlot, first: number, size: number): StackSlot {
  const isSpecial = slot.isSpill || slot.isDynptr;
  let bytes = 0;
  for (let byte = 0; byte < SLOT; byte++) {
    const before = slot.typeAt(byte);
    const isWritten = byte >= first && byte < first + size;
    bytes |= (isWritten || (isSpecial && before !== EMPTY) ? MISC : before) << (3 * byte);
  }
  return new StackSlot(bytes, UNINIT, slot.mark);
}

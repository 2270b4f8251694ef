import type { MapView } from "./map-view.ts";
import { pointer, type Register, UNINIT } from "./register.ts";
import { EMPTY_SLOT, ReadMark, respill, SLOT, type StackSlot } from "./stack.ts";

/** Who called a function. */
export type CallKind =
  /** Nobody: the program itself, or a function that is verified for any caller. */
  | "entry"
  /** A call instruction. */
  | "call"
  /** A helper, before it returns. */
  | "callback"
  /** The kernel, some time later. */
  | "async";

/** A function under way. */
export class Frame {
  readonly number: number;
  /** The slot of the call; -1 without. */
  readonly callSite: number;
  /** The index of its function. */
  readonly subprogram: number;
  readonly kind: CallKind;
  /** What a callback may return. */
  readonly returnMin: bigint;
  readonly returnMax: bigint;
  readonly registers: Register[];
  /** By the distance from r10: slot 0 is the 8 bytes just below. What was never written is not there. */
  readonly stack: (StackSlot | undefined)[];
  /** How often the callback at its call was entered on this path. */
  callbackDepth = 0;

  constructor(
    number: number,
    callSite: number,
    subprogram: number,
    kind: CallKind,
    returnMin = 0n,
    returnMax = 0n,
    registers = firstRegisters(number),
    stack: (StackSlot | undefined)[] = [],
  ) {
    this.number = number;
    this.callSite = callSite;
    this.subprogram = subprogram;
    this.kind = kind;
    this.returnMin = returnMin;
    this.returnMax = returnMax;
    this.registers = registers;
    this.stack = stack;
  }

  copy(): Frame {
    const { number, callSite, subprogram, kind, returnMin, returnMax, registers, stack } = this;
    const copy = new Frame(number, callSite, subprogram, kind, returnMin, returnMax, registers.slice(), stack.slice());
    copy.callbackDepth = this.callbackDepth;
    return copy;
  }

  /** The slot in which a byte lies, by its offset from r10, which is negative. */
  slotAt(offset: number): StackSlot {
    return this.stack[slotIndex(offset)] ?? EMPTY_SLOT;
  }
}

/** Nothing but the frame pointer. */
function firstRegisters(number: number): Register[] {
  const registers = new Array<Register>(11).fill(UNINIT);
  const frame = pointer("stack");
  frame.extent = number;
  registers[10] = frame;
  return registers;
}

/** Which slot a byte lies in, by its offset from r10. */
export function slotIndex(offset: number): number {
  return Math.floor((-offset - 1) / SLOT);
}

/** Which byte of its slot it is, from the lowest address. */
export function byteInSlot(offset: number): number {
  return ((offset % SLOT) + SLOT) % SLOT;
}

/** Something that the program got and must give back. */
export interface Reference {
  readonly id: number;
  /** The slot of the call that gave it. */
  readonly slot: number;
}

/** The lock that is held. */
export interface HeldLock {
  readonly map: MapView;
  /** The id of the value in which the lock lies; 0 for the one value of a global variable's map. */
  readonly id: number;
}

/** Where a path stands: the functions under way, what they hold, and what is to be given back. */
export class State {
  frames: Frame[];
  references: readonly Reference[] = [];
  lock: HeldLock | undefined = undefined;
  /** The state that was kept last on this path. */
  parent: Checkpoint | undefined = undefined;
  mayGotoDepth = 0;
  callbackDepth = 0;
  /** Which call from outside it is a part of: that of the program, or one of those by timers. */
  readonly entry: number;

  constructor(frames: Frame[], entry = 0) {
    this.frames = frames;
    this.entry = entry;
  }

  copy(): State {
    const copy = new State(
      this.frames.map((frame) => frame.copy()),
      this.entry,
    );
    copy.references = this.references;
    copy.lock = this.lock;
    copy.parent = this.parent;
    copy.mayGotoDepth = this.mayGotoDepth;
    copy.callbackDepth = this.callbackDepth;
    return copy;
  }

  get frame(): Frame {
    return this.frames[this.frames.length - 1] as Frame;
  }

  /** Replaces every register and spilled register of every frame for which `change` has another. */
  changeRegisters(change: (register: Register) => Register): void {
    for (const frame of this.frames) {
      const { registers, stack } = frame;
      for (let index = 0; index < 10; index++) registers[index] = change(registers[index] as Register);
      for (let index = 0; index < stack.length; index++) {
        const slot = stack[index];
        if (slot === undefined || !slot.isSpill) continue;
        const changed = change(slot.spilled);
        if (changed !== slot.spilled) stack[index] = respill(slot, changed);
      }
    }
  }
}

/** A state that was kept at a slot, to be compared with those that come there later. */
export class Checkpoint {
  readonly slot: number;
  readonly state: State;
  readonly parent: Checkpoint | undefined;
  /** Paths from here that are still to be followed to their end. */
  branches = 1;
  hits = 0;
  misses = 0;

  constructor(slot: number, state: State) {
    this.slot = slot;
    this.state = state;
    this.parent = state.parent;
  }
}

/**
 * Keeps a state: the checkpoint and the state that goes on share registers and slots that are new, so that what is found
 * out about them later (that a range mattered, that a slot was read) is known to the checkpoint, and through `from` and
 * `parent` to those before it.
 */
export function keep(state: State, slot: number): Checkpoint {
  for (const frame of state.frames) {
    const { registers, stack } = frame;
    for (let index = 0; index < 10; index++) registers[index] = renewed(registers[index] as Register);
    for (let index = 0; index < stack.length; index++) {
      const old = stack[index];
      if (old === undefined) continue;
      const mark = new ReadMark(old.mark);
      stack[index] = withMark(old, mark);
    }
  }
  const checkpoint = new Checkpoint(slot, state.copy());
  state.parent = checkpoint;
  return checkpoint;
}

function renewed(register: Register): Register {
  if (register.kind !== "scalar") return register;
  const copy = register.copy();
  return copy.from === undefined ? register : copy;
}

function withMark(old: StackSlot, mark: ReadMark): StackSlot {
  const spilled = old.isSpill ? renewed(old.spilled) : old.spilled;
  return old.marked(spilled, mark);
}

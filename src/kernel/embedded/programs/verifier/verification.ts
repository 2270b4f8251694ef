import { E2BIG, EACCES, EBADF, EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import type { EmbeddedMap } from "../../map-ops.ts";
import type { ProgramSource, VerifiedCall } from "../verified-program.ts";
import type { ControlFlow } from "./control-flow.ts";
import { MapView } from "./map-view.ts";
import { type Register, type RegisterKind, UNINIT } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Checkpoint, Frame, State } from "./state.ts";
import type { Trace } from "./trace.ts";

/** `BPF_COMPLEXITY_LIMIT_JMP_SEQ`: branches that are put off at one time. */
const MAX_PENDING = 8192;

/** A function of the program, and what was found out about it. */
export interface FunctionFacts {
  readonly start: number;
  readonly end: number;
  /** Bytes of stack that it was seen to use. */
  stackDepth: number;
  isCallback: boolean;
  isAsyncCallback: boolean;
  hasTailCall: boolean;
}

/** A path to be followed later: the state, and where it goes on. */
interface PendingPath {
  readonly state: State;
  readonly slot: number;
  readonly from: number;
}

/** One run of the verifier over one program: what it knows at this moment, and what it has found out. */
export class Verification {
  readonly source: ProgramSource;
  readonly program: readonly Instruction[];
  readonly flow: ControlFlow;
  readonly live: Uint16Array;
  readonly functions: readonly FunctionFacts[];
  readonly trace: Trace;
  /** 1 for each slot that was checked on some path. */
  readonly reached: Uint8Array;
  readonly calls = new Map<number, VerifiedCall>();
  /** Where a state is kept each time: at calls of callbacks, and at may_goto. */
  readonly isForced: Uint8Array;
  /** 1 for each call of a helper that calls a function back before it returns. */
  readonly callsBack: Uint8Array;

  /** The global functions that were called, by index; each is verified by itself. */
  readonly calledGlobals = new Set<number>();
  /** 1 for each function after which pointers into the packet are void. */
  readonly changesPacket: Uint8Array;

  /** What the pointer of an access was on the path before, by slot: see `notePointer`. */
  readonly #pointers: (RegisterKind | undefined)[] = [];

  /** The path being followed, and where it stands. */
  state!: State;
  slot = 0;
  /** Instructions and jumps checked so far, over all paths. */
  processed = 0;
  jumps = 0;
  /** Where the last byte of the context ends that was accessed. */
  maxContextOffset = 0;
  readonly #pending: PendingPath[] = [];
  readonly #maps = new Map<EmbeddedMap, MapView>();
  #lastId = 0;

  constructor(source: ProgramSource, flow: ControlFlow, live: Uint16Array, trace: Trace) {
    this.source = source;
    this.program = source.instructions;
    this.flow = flow;
    this.live = live;
    this.trace = trace;
    this.reached = new Uint8Array(this.program.length);
    this.isForced = new Uint8Array(this.program.length);
    this.callsBack = new Uint8Array(this.program.length);
    this.changesPacket = new Uint8Array(flow.starts.length);
    this.functions = flow.starts.map((start, index) => ({
      start,
      end: flow.starts[index + 1] ?? this.program.length,
      stackDepth: 0,
      isCallback: false,
      isAsyncCallback: false,
      hasTailCall: false,
    }));
  }

  get frame(): Frame {
    const { frames } = this.state;
    return frames[frames.length - 1] as Frame;
  }

  get registers(): Register[] {
    return this.frame.registers;
  }

  /** An id that no register has yet. */
  newId(): number {
    return ++this.#lastId;
  }

  /** The function that begins at a slot. */
  functionAt(start: number): number {
    return this.flow.starts.indexOf(start);
  }

  mapAt(slot: number): MapView {
    const map = this.source.maps.get(slot);
    if (map === undefined) throw new Rejection(EBADF, `instruction ${slot}: fd is not pointing to valid bpf_map`);
    let view = this.#maps.get(map);
    if (view === undefined) {
      view = MapView.of(map);
      this.#maps.set(map, view);
    }
    return view;
  }

  /** The register that an instruction reads; refuses one that was never written. */
  read(number: number): Register {
    const register = this.registers[number];
    if (register === undefined) throw new Rejection(EINVAL, `R${number} is invalid: there are r0 to r10`);
    if (register.kind === "uninit") {
      throw new Rejection(EACCES, `R${number} !read_ok: it was never written on this path${advice(number)}`);
    }
    return register;
  }

  /** Refuses a register that cannot be written. */
  checkWritable(number: number): void {
    if (number === 10) throw new Rejection(EACCES, "frame pointer is read only: r10 cannot be written");
    if (number > 10) throw new Rejection(EINVAL, `R${number} is invalid: there are r0 to r10`);
  }

  write(number: number, register: Register): void {
    this.checkWritable(number);
    this.registers[number] = register;
  }

  /** What a call leaves of the registers: r0 to r5 are nobody's. */
  forgetCallerSaved(): void {
    this.registers.fill(UNINIT, 0, 6);
  }

  /**
   * Refuses an access that is to the context, or to a socket, on one path and to something else on another. Linux rewrites
   * such an instruction, and so has to know: `save_aux_ptr_type`, 6.18.
   */
  notePointer(kind: RegisterKind): void {
    const before = this.#pointers[this.slot];
    if (before === kind) return;
    if (before === undefined) {
      this.#pointers[this.slot] = kind;
      return;
    }
    if (![before, kind].some((each) => each === "ctx" || each === "sock")) return;
    throw new Rejection(
      EINVAL,
      `same insn cannot be used with different pointers: instruction ${this.slot} accesses ${kind} here and ${before} on another path`,
    );
  }

  /** The frame that a pointer into the stack points into. */
  frameOf(pointer: Register): Frame {
    return this.state.frames[pointer.extent] as Frame;
  }

  /** Puts off a path that goes on at `slot` in the same state, and answers its state. */
  putOff(slot: number): State {
    const state = this.state.copy();
    this.putOffState(state, slot);
    return state;
  }

  putOffState(state: State, slot: number): void {
    this.#pending.push({ state, slot, from: this.slot });
    if (state.parent !== undefined) state.parent.branches++;
    if (this.#pending.length > MAX_PENDING) {
      throw new Rejection(
        E2BIG,
        `The sequence of ${this.#pending.length} jumps is too complex: split the program into functions or shorten it`,
      );
    }
  }

  /** The path is at its end. The next one is taken up; `false` when there is none. `complete` is told of each state with whose last path that was. */
  nextPath(complete: (kept: Checkpoint) => void): boolean {
    for (let kept = this.state.parent; kept !== undefined && --kept.branches === 0; kept = kept.parent) complete(kept);
    const next = this.#pending.pop();
    if (next === undefined) return false;
    this.state = next.state;
    this.slot = next.slot;
    this.trace.startPath(next.from, next.slot);
    return true;
  }
}

function advice(number: number): string {
  if (number === 0) return "; what a function returns, and a program answers, is in r0";
  return number <= 5 ? "; a call leaves nothing in r1 to r5, keep what must survive in r6 to r9" : "";
}

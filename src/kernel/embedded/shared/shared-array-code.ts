import type { Address } from "../../../memory/address-space.ts";
import { GUARD } from "../guards.ts";
import type { ElementCode } from "../map-ops.ts";
import type { FunctionBody, Local } from "../programs/wasm/function-body.ts";
import {
  ATOMIC_I32_CMPXCHG,
  ATOMIC_I32_LOAD,
  ATOMIC_I32_STORE,
  DROP,
  ELSE,
  I32,
  I32_ADD,
  I32_AND,
  I32_EQ,
  I32_GE_U,
  I32_LOAD,
  I32_MUL,
  I32_NE,
  I32_SHL,
  RETURN,
} from "../programs/wasm/opcodes.ts";
import { compileCommand, SLOW, WORD_LOG2, writeCopy } from "./command-code.ts";

/** Where everything lies in an array that is shared. */
export interface SharedArrayGeometry {
  readonly values: Address;
  readonly elementSize: number;
  readonly maxEntries: number;
  /** The bytes of a value that user space sees. */
  readonly valueSize: number;
  /** The guards, and the stages behind them, of an array whose values are not written in one piece. */
  readonly guards: Address;
  readonly guardMask: number;
  readonly stages: Address;
  readonly frozen: Address;
  /** The number of the agent that runs the code, and the word by which it orders its loads, 0 for none: see `Agent`. */
  readonly agent: number;
  readonly fence: Address;
}

const GUARD_LOG2 = 6;
const [LOCK, VERSION, STAGED] = [GUARD.LOCK * 4, GUARD.VERSION * 4, GUARD.STAGED * 4];
const NOT_FOUND = -2;

/**
 * BPF_MAP_LOOKUP_ELEM on one array that is shared: `SharedArray.copyValue` with all numbers spelled out. When the version has
 * moved meanwhile, the plain command does it all again. `undefined` where no such code can be made.
 */
export function compileArrayLookup(geometry: SharedArrayGeometry, code: ElementCode): (() => number) | undefined {
  if (!isFit(geometry)) return undefined;
  return compileCommand(code, (body) => {
    const element = new Element(body, geometry);
    element.place(code.key, NOT_FOUND);
    const from = body.local(I32);
    const copy = (): void => writeCopy(body, { offset: code.value }, { base: from, offset: 0 }, geometry.valueSize);
    if (isOnePiece(geometry)) {
      element.pushAddress();
      body.set(from);
      copy();
      body.i32(0);
      return;
    }
    const guard = element.guard();
    const version = body.local(I32);
    body.get(guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, VERSION).set(version);
    body.get(guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, STAGED);
    body.get(element.index).i32(1).op(I32_ADD, I32_EQ).if(I32);
    element.pushStage();
    body.op(ELSE);
    element.pushAddress();
    body.end().set(from);
    copy();
    if (geometry.fence !== 0) body.i32(0).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, geometry.fence);
    body.get(guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, VERSION).get(version).op(I32_NE);
    body.if(I32).i32(SLOW).op(ELSE).i32(0).end();
  });
}

/**
 * BPF_MAP_UPDATE_ELEM with BPF_ANY on one array that is shared: `SharedArray.update` with all numbers spelled out, and the same
 * stores in the same order. `undefined` where no such code can be made.
 */
export function compileArrayUpdate(geometry: SharedArrayGeometry, code: ElementCode): (() => number) | undefined {
  if (!isFit(geometry)) return undefined;
  return compileCommand(code, (body) => {
    body.i32(0).memory(I32_LOAD, geometry.frozen).if().i32(SLOW).op(RETURN).end();
    const element = new Element(body, geometry);
    element.place(code.key, SLOW);
    const to = body.local(I32);
    if (isOnePiece(geometry)) {
      element.pushAddress();
      body.set(to);
      writeCopy(body, { base: to, offset: 0 }, { offset: code.value }, geometry.valueSize);
      body.i32(0);
      return;
    }
    const guard = element.guard();
    const stage = body.local(I32);
    body.get(guard).i32(0).i32(geometry.agent).atomic(ATOMIC_I32_CMPXCHG, WORD_LOG2, LOCK);
    body.if().i32(SLOW).op(RETURN).end();
    element.pushStage();
    body.set(stage);
    element.pushAddress();
    body.set(to);
    writeCopy(body, { base: stage, offset: 0 }, { offset: code.value }, geometry.valueSize);
    body.get(guard).get(element.index).i32(1).op(I32_ADD).atomic(ATOMIC_I32_STORE, WORD_LOG2, STAGED);
    bumpVersion(body, guard);
    writeCopy(body, { base: to, offset: 0 }, { base: stage, offset: 0 }, geometry.valueSize);
    body.get(guard).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, STAGED);
    bumpVersion(body, guard);
    body.get(guard).i32(0).atomic(ATOMIC_I32_STORE, WORD_LOG2, LOCK);
    body.i32(0);
  });
}

/** Values of up to 8 bytes are written in one piece: one instruction, when they are as long as a number is. */
function isOnePiece({ elementSize }: SharedArrayGeometry): boolean {
  return elementSize === 8;
}

function isFit(geometry: SharedArrayGeometry): boolean {
  return !isOnePiece(geometry) || geometry.valueSize === 4 || geometry.valueSize === 8;
}

/** As `bumpVersion` in locks.ts does. */
function bumpVersion(body: FunctionBody, guard: Local): void {
  body.get(guard).get(guard).memory(I32_LOAD, VERSION).i32(1).op(I32_ADD).atomic(ATOMIC_I32_STORE, WORD_LOG2, VERSION);
  body.get(guard).atomic(ATOMIC_I32_LOAD, WORD_LOG2, VERSION).op(DROP);
}

/** The element at an index, in the code of a function. */
class Element {
  readonly index: Local;
  readonly #body: FunctionBody;
  readonly #geometry: SharedArrayGeometry;

  constructor(body: FunctionBody, geometry: SharedArrayGeometry) {
    this.#body = body;
    this.#geometry = geometry;
    this.index = body.local(I32);
  }

  /** Reads the index at an address; returns from the function when it is beyond the end. */
  place(key: Address, beyond: number): void {
    const body = this.#body;
    body.i32(0).memory(I32_LOAD, key).tee(this.index).i32(this.#geometry.maxEntries).op(I32_GE_U);
    body.if().i32(beyond).op(RETURN).end();
  }

  pushAddress(): void {
    const { elementSize, values } = this.#geometry;
    this.#body.get(this.index).i32(elementSize).op(I32_MUL).i32(values).op(I32_ADD);
  }

  /** A local with the address of its guard. */
  guard(): Local {
    const { guardMask, guards } = this.#geometry;
    const body = this.#body;
    const guard = body.local(I32);
    body.get(this.index).i32(guardMask).op(I32_AND).i32(GUARD_LOG2).op(I32_SHL).i32(guards).op(I32_ADD).set(guard);
    return guard;
  }

  /** Pushes the address at which its value lies while its place is being overwritten. */
  pushStage(): void {
    const { guardMask, elementSize, stages } = this.#geometry;
    this.#body.get(this.index).i32(guardMask).op(I32_AND).i32(elementSize).op(I32_MUL).i32(stages).op(I32_ADD);
  }
}

import { EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { isMayGoto } from "./control-flow.ts";
import { type BackEdge, LoopVisits, loopsOfProgram } from "./loop-visits.ts";
import { isSameCallStack } from "./loops.ts";
import { markPrecise, type Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { markRead } from "./stack.ts";
import { type Checkpoint, keep, type State } from "./state.ts";
import { isLike } from "./state-comparison.ts";
import type { Verification } from "./verification.ts";

/**
 * The states that were kept, slot by slot. A path that comes to a slot in a state which one of them covers need not be
 * followed: `kernel/bpf/verifier.c: is_state_visited`, 6.18.
 */
export class SeenStates {
  readonly #at = new Map<number, Checkpoint[]>();
  readonly #loops: LoopVisits;
  #keptAtJumps = 0;
  #keptAtInstructions = 0;

  constructor(v: Verification) {
    this.#loops = new LoopVisits(loopsOfProgram(v.program, v.flow.goesBack, v.callsBack), takeOver);
  }

  /** Every path from a state that was kept came to its end. */
  complete(kept: Checkpoint): void {
    this.#loops.leave(kept);
  }

  /** Whether the path can end here, since whatever may follow was followed already. Otherwise its state may be kept. */
  isCovered(v: Verification): boolean {
    const { slot, state } = v;
    const isForced = v.isForced[slot] === 1;
    const jumps = v.jumps - this.#keptAtJumps;
    const instructions = v.processed - this.#keptAtInstructions;
    let keeps = isForced || (jumps >= 2 && instructions >= 8);
    const seen = this.#at.get(slot) ?? [];
    for (let index = seen.length - 1; index >= 0; index--) {
      const kept = seen[index] as Checkpoint;
      if (!isSameCallStack(kept.state, state)) continue;
      const isUnderWay = kept.branches > 0;
      // What is still under way lies on this path, but for that of another call by a timer.
      if (isUnderWay && kept.state.entry !== state.entry) continue;
      if (isUnderWay) {
        if (this.#closesLoop(v, kept, isForced)) return true;
        if (!isForced && jumps < 20 && instructions < 100) keeps = false;
      } else if (this.#covers(v, kept)) return true;
      if (keeps) kept.misses++;
      const patience = isForced && kept.branches > 0 ? 64 : 3;
      if (kept.misses > kept.hits * patience + patience) seen.splice(index, 1);
    }
    if (keeps) this.#keep(v, seen);
    return false;
  }

  #keep(v: Verification, seen: Checkpoint[]): void {
    this.#keptAtJumps = v.jumps;
    this.#keptAtInstructions = v.processed;
    clearSingleIds(v.state);
    const kept = keep(v.state, v.slot);
    seen.push(kept);
    this.#at.set(v.slot, seen);
    this.#loops.enter(kept);
  }

  /** Whether a state from which every path was followed covers the one here. */
  #covers(v: Verification, kept: Checkpoint): boolean {
    const { state } = v;
    const isOpen = this.#loops.isOpen(kept);
    if (!isLike(v, kept, state, isOpen ? "within" : "covered")) return false;
    this.#end({ kept, state }, isOpen);
    return true;
  }

  /** The path ends here. While the loop is open in which it does, more may turn out to matter. */
  #end(edge: BackEdge, isOpen: boolean): void {
    edge.kept.hits++;
    takeOver(edge);
    if (isOpen) this.#loops.comeBack(edge);
  }

  /**
   * The path came back to a state of its own. Where the kernel sees to it that the loop ends (callbacks, may_goto) a round
   * that changes nothing is the last that need be followed; anywhere else it is a loop without end.
   */
  #closesLoop(v: Verification, kept: Checkpoint, isForced: boolean): boolean {
    const { state, slot } = v;
    const endsByItself =
      isForced && (!isMayGoto(v.program[slot] as Instruction) || kept.state.mayGotoDepth !== state.mayGotoDepth);
    if (endsByItself) {
      if (!isLike(v, kept, state, "within")) return false;
      this.#end({ kept, state }, true);
      return true;
    }
    const isUnchanged =
      kept.state.mayGotoDepth === state.mayGotoDepth && kept.state.callbackDepth === state.callbackDepth;
    if (!isForced && isUnchanged && isLike(v, kept, state, "same")) {
      throw new Rejection(
        EINVAL,
        `infinite loop detected at insn ${slot}: a round of it changes nothing, so it would never end`,
      );
    }
    return false;
  }
}

/**
 * What was found to matter of the state that covers the one where a path came back or ended matters of that one, and of what
 * led to it. Answers whether that was news.
 */
function takeOver({ kept, state }: BackEdge): boolean {
  let isNews = false;
  kept.state.frames.forEach((frame, index) => {
    const now = state.frames[index];
    if (now === undefined) return;
    frame.registers.forEach((register, number) => {
      if (askFor(register, now.registers[number] as Register)) isNews = true;
    });
    frame.stack.forEach((slot, at) => {
      const same = now.stack[at];
      if (slot === undefined || same === undefined) return;
      if (slot.mark?.isRead !== false && same.mark?.isRead === false) {
        isNews = true;
        markRead(same);
      }
      if (slot.isScalarSpill && same.isScalarSpill && askFor(slot.spilled, same.spilled)) isNews = true;
    });
  });
  return isNews;
}

function askFor(old: Register, current: Register): boolean {
  if (old.kind !== "scalar" || !old.isPrecise || current.kind !== "scalar" || current.isPrecise) return false;
  markPrecise(current);
  return true;
}

/** A scalar that is linked to nothing else is linked to nothing. `clear_singular_ids`. */
function clearSingleIds(state: State): void {
  const count = linksOf(state);
  if (count === undefined) return;
  state.changeRegisters((register) => {
    if (register.kind !== "scalar" || register.id === 0 || count.get(register.id) !== 1) return register;
    const single = register.copy();
    single.id = 0;
    single.shift = 0;
    single.delta = 0;
    return single;
  });
}

/** How many scalars have each id; `undefined` when none has any. */
function linksOf({ frames }: State): Map<number, number> | undefined {
  let count: Map<number, number> | undefined;
  const add = ({ kind, id }: Register): void => {
    if (kind !== "scalar" || id === 0) return;
    count ??= new Map();
    count.set(id, (count.get(id) ?? 0) + 1);
  };
  for (const { registers, stack } of frames) {
    for (let index = 0; index < 10; index++) add(registers[index] as Register);
    for (let index = 0; index < stack.length; index++) {
      const slot = stack[index];
      if (slot?.isSpill) add(slot.spilled);
    }
  }
  return count;
}

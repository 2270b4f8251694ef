import { EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { isMayGoto } from "./control-flow.ts";
import { isSameCallStack } from "./loops.ts";
import { markPrecise, type Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { markRead } from "./stack.ts";
import { type Checkpoint, keep, markAllRead, type State } from "./state.ts";
import { isLike } from "./state-comparison.ts";
import type { Verification } from "./verification.ts";

/**
 * The states that were kept, slot by slot. A path that comes to a slot in a state which one of them covers need not be
 * followed: `kernel/bpf/verifier.c: is_state_visited`, 6.18.
 */
export class SeenStates {
  readonly #at = new Map<number, Checkpoint[]>();
  #keptAtJumps = 0;
  #keptAtInstructions = 0;

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
      } else if (isLike(v, kept, state, "covered")) {
        kept.hits++;
        takeOver(kept.state, state);
        return true;
      }
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
    seen.push(keep(v.state, v.slot));
    this.#at.set(v.slot, seen);
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
      // What the loop will ask for is not known before it is followed to its end: all of it may matter.
      markAllPrecise(state);
      markAllRead(state);
      kept.hits++;
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

/** What was found to matter of the state that covers this one matters of this one, and of what led to it. */
function takeOver(old: State, current: State): void {
  old.frames.forEach((frame, index) => {
    const now = current.frames[index];
    if (now === undefined) return;
    frame.registers.forEach((register, number) => {
      if (register.kind === "scalar" && register.isPrecise) markPrecise(now.registers[number] as Register);
    });
    frame.stack.forEach((slot, at) => {
      const same = now.stack[at];
      if (slot === undefined || same === undefined) return;
      if (slot.mark?.isRead !== false) markRead(same);
      if (slot.isScalarSpill && slot.spilled.isPrecise && same.isScalarSpill) markPrecise(same.spilled);
    });
  });
}

function markAllPrecise(state: State): void {
  for (const { registers, stack } of state.frames) {
    registers.forEach(markPrecise);
    for (const slot of stack) if (slot?.isScalarSpill) markPrecise(slot.spilled);
  }
}

/** A scalar that is linked to nothing else is linked to nothing. `clear_singular_ids`. */
function clearSingleIds(state: State): void {
  const count = new Map<number, number>();
  state.changeRegisters((register) => {
    if (register.kind === "scalar" && register.id !== 0) count.set(register.id, (count.get(register.id) ?? 0) + 1);
    return register;
  });
  if (count.size === 0) return;
  state.changeRegisters((register) => {
    if (register.kind !== "scalar" || register.id === 0 || count.get(register.id) !== 1) return register;
    const single = register.copy();
    single.id = 0;
    single.shift = 0;
    single.delta = 0;
    return single;
  });
}

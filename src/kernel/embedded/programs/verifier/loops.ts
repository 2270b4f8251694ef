import { isSameRange } from "./range.ts";
import { type Register, UNKNOWN_SCALAR } from "./register.ts";
import { respill } from "./stack.ts";
import type { Checkpoint, Frame, State } from "./state.ts";
import type { Verification } from "./verification.ts";

/**
 * A callback, or a round of `may_goto`, has come back to where it began: numbers that were others the last time, and of which
 * nobody has asked anything, are taken for any number. So going round once more shows whether all rounds are alike.
 * `widen_imprecise_scalars`, 6.18.
 */
export function widen(v: Verification): void {
  const previous = lastVisit(v.state.parent, v.state, v.slot);
  if (previous !== undefined) widenAgainst(previous.state, v.state);
}

/** The state that was kept last at a slot, on this path and in the same functions. */
export function lastVisit(from: Checkpoint | undefined, state: State, slot: number): Checkpoint | undefined {
  for (let kept = from; kept !== undefined; kept = kept.parent) {
    if (kept.slot === slot && isSameCallStack(kept.state, state)) return kept;
  }
  return undefined;
}

export function isSameCallStack(a: State, b: State): boolean {
  const { length } = a.frames;
  if (length !== b.frames.length) return false;
  for (let index = 0; index < length; index++) {
    const frame = a.frames[index] as Frame;
    const other = b.frames[index] as Frame;
    if (frame.callSite !== other.callSite || frame.subprogram !== other.subprogram || frame.kind !== other.kind)
      return false;
  }
  return true;
}

export function widenAgainst(old: State, state: State): void {
  state.frames.forEach((frame, index) => {
    const before = old.frames[index];
    if (before === undefined) return;
    for (let number = 0; number < 10; number++) {
      frame.registers[number] = widened(before.registers[number], frame.registers[number] as Register);
    }
    frame.stack.forEach((slot, at) => {
      const other = before.stack[at];
      if (slot === undefined || !slot.isScalarSpill || !other?.isScalarSpill) return;
      const wide = widened(other.spilled, slot.spilled);
      if (wide !== slot.spilled) frame.stack[at] = respill(slot, wide);
    });
  });
}

function widened(old: Register | undefined, current: Register): Register {
  if (old?.kind !== "scalar" || current.kind !== "scalar") return current;
  if (old.isPrecise || current.isPrecise) return current;
  return isSameRange(old.range, current.range) && old.id === current.id ? current : UNKNOWN_SCALAR;
}

import { isSameRange, isWithin } from "./range.ts";
import type { Register } from "./register.ts";
import { EMPTY, MISC, SLOT, type StackSlot } from "./stack.ts";
import type { Checkpoint, Frame, State } from "./state.ts";
import type { Verification } from "./verification.ts";

/** How alike two states must be. */
export type Likeness =
  /** What mattered of the old one, which is known by now, covers the new one. */
  | "covered"
  /** The old one covers the new one in everything: what of it will matter is not yet known. */
  | "within"
  /** The same. */
  | "same";

/** Which id of the old state is which of the new one. */
class IdPairs {
  readonly #forward = new Map<number, number>();
  readonly #backward = new Map<number, number>();
  #fresh = 0;

  match(old: number, current: number): boolean {
    if ((old !== 0) !== (current !== 0)) return false;
    if (old === 0) return true;
    const known = this.#forward.get(old);
    if (known !== undefined) return known === current;
    if (this.#backward.has(current)) return false;
    this.#forward.set(old, current);
    this.#backward.set(current, old);
    return true;
  }

  /** A scalar that nothing was linked to may be linked now; one that was must be linked in the same way. */
  matchScalar(old: number, current: number): boolean {
    return old === 0 || this.match(old, current === 0 ? --this.#fresh : current);
  }
}

/**
 * Whether whatever was found safe from the old state is safe from the new one: `kernel/bpf/verifier.c: states_equal`, 6.18.
 */
export function isLike(v: Verification, checkpoint: Checkpoint, current: State, likeness: Likeness): boolean {
  const old = checkpoint.state;
  const ids = new IdPairs();
  if (!holdsSame(old, current, ids)) return false;
  for (let index = 0; index < old.frames.length; index++) {
    const before = old.frames[index] as Frame;
    const after = current.frames[index] as Frame;
    if (before.callbackDepth > after.callbackDepth) return false;
    const next = old.frames[index + 1];
    const live = v.live[next === undefined ? checkpoint.slot : next.callSite] ?? 0x3ff;
    if (!registersLike(before, after, live, ids, likeness)) return false;
    if (!stackLike(before, after, ids, likeness)) return false;
  }
  return true;
}

function holdsSame(old: State, current: State, ids: IdPairs): boolean {
  if (old.references.length !== current.references.length) return false;
  if (old.lock?.map !== current.lock?.map || !ids.match(old.lock?.id ?? 0, current.lock?.id ?? 0)) return false;
  return old.references.every((reference, index) => ids.match(reference.id, current.references[index]?.id ?? 0));
}

function registersLike(old: Frame, current: Frame, live: number, ids: IdPairs, likeness: Likeness): boolean {
  for (let number = 0; number < 10; number++) {
    if ((live & (1 << number)) === 0) continue;
    if (!registerLike(old.registers[number] as Register, current.registers[number] as Register, ids, likeness))
      return false;
  }
  return true;
}

function registerLike(old: Register, current: Register, ids: IdPairs, likeness: Likeness): boolean {
  if (likeness === "same") return isExactly(old, current, ids);
  if (old.kind === "uninit") return true;
  if (old.kind !== current.kind || old.isNullable !== current.isNullable) return false;
  switch (old.kind) {
    case "scalar":
      return scalarLike(old, current, ids, likeness);
    case "map_value":
    case "map_key":
    case "mem":
      return (
        isSameObject(old, current) &&
        isWithin(old.range, current.range) &&
        ids.match(old.id, current.id) &&
        ids.match(old.ref, current.ref)
      );
    case "packet":
    case "packet_meta":
      return (
        old.extent <= current.extent &&
        old.offset === current.offset &&
        ids.match(old.id, current.id) &&
        isWithin(old.range, current.range)
      );
    default:
      return isExactly(old, current, ids);
  }
}

function scalarLike(old: Register, current: Register, ids: IdPairs, likeness: Likeness): boolean {
  if (!old.isPrecise && likeness === "covered") return true;
  if (old.id !== 0 && (old.shift !== current.shift || old.delta !== current.delta)) return false;
  return ids.matchScalar(old.id, current.id) && isWithin(old.range, current.range);
}

function isSameObject(a: Register, b: Register): boolean {
  return (
    a.kind === b.kind &&
    a.map === b.map &&
    a.mapUid === b.mapUid &&
    a.extent === b.extent &&
    a.offset === b.offset &&
    a.isNullable === b.isNullable &&
    a.isReadOnly === b.isReadOnly &&
    a.isRecord === b.isRecord &&
    a.dynptrType === b.dynptrType &&
    a.isFirstSlot === b.isFirstSlot
  );
}

function isExactly(a: Register, b: Register, ids: IdPairs): boolean {
  if (a === b) return true;
  return (
    isSameObject(a, b) &&
    isSameRange(a.range, b.range) &&
    a.shift === b.shift &&
    a.delta === b.delta &&
    ids.match(a.id, b.id) &&
    ids.match(a.ref, b.ref) &&
    ids.match(a.dynptrId, b.dynptrId)
  );
}

function stackLike(old: Frame, current: Frame, ids: IdPairs, likeness: Likeness): boolean {
  const length = likeness === "same" ? Math.max(old.stack.length, current.stack.length) : old.stack.length;
  for (let index = 0; index < length; index++) {
    const before = old.stack[index];
    const after = current.stack[index];
    if (likeness === "same") {
      if (before !== after && !slotSame(before, after, ids)) return false;
    } else if (before !== undefined && isNeeded(before, likeness) && !slotLike(before, after, ids, likeness))
      return false;
  }
  return true;
}

/** Whether anyone read the slot, once all that follows is known. */
function isNeeded(slot: StackSlot, likeness: Likeness): boolean {
  return likeness !== "covered" || slot.mark === undefined || slot.mark.isRead;
}

function slotSame(before: StackSlot | undefined, after: StackSlot | undefined, ids: IdPairs): boolean {
  if ((before?.bytes ?? 0) !== (after?.bytes ?? 0)) return false;
  if (before === undefined || after === undefined) return true;
  return !before.isSpill && !before.isDynptr ? true : isExactly(before.spilled, after.spilled, ids);
}

function slotLike(before: StackSlot, after: StackSlot | undefined, ids: IdPairs, likeness: Likeness): boolean {
  const old = before.asScalar;
  const current = after?.asScalar;
  if (old !== undefined && current !== undefined && before.isSpill) return registerLike(old, current, ids, likeness);
  if (before.bytes !== after?.bytes && !bytesLike(before, after)) return false;
  if (before.isSpill) return after !== undefined && registerLike(before.spilled, after.spilled, ids, likeness);
  if (before.isDynptr) return after !== undefined && isSameDynptr(before.spilled, after.spilled, ids);
  return true;
}

/** Whether the bytes of a slot are what they were, where they were more than some data. */
function bytesLike(before: StackSlot, after: StackSlot | undefined): boolean {
  for (let byte = 0; byte < SLOT; byte++) {
    const was = before.typeAt(byte);
    const is = after?.typeAt(byte) ?? EMPTY;
    if (was !== is && was !== EMPTY && was !== MISC) return false;
  }
  return true;
}

function isSameDynptr(old: Register, current: Register, ids: IdPairs): boolean {
  return (
    old.dynptrType === current.dynptrType &&
    old.isFirstSlot === current.isFirstSlot &&
    ids.match(old.ref, current.ref) &&
    ids.match(old.dynptrId, current.dynptrId)
  );
}

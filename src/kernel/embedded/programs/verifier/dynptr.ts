import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import { describe } from "./describe.ts";
import { acquire, release } from "./references.ts";
import { type DynptrType, pointer, type Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { allBytes, DYNPTR, markRead, StackSlot } from "./stack.ts";
import { destroyDynptrs, forgetDynptr, stackSpan } from "./stack-access.ts";
import { slotIndex } from "./state.ts";
import type { Verification } from "./verification.ts";

const DYNPTR_SIZE = 16;

/** The dynptr that an argument points to, which must have been made: `process_dynptr_func`, 6.18. */
export function dynptrAt(v: Verification, name: string, argument: Register): Register {
  if (argument.kind === "dynptr") return argument;
  const slot = firstSlot(v, name, argument);
  markRead(slot);
  return slot.spilled;
}

function firstSlot(v: Verification, name: string, argument: Register): StackSlot {
  const { place } = argument;
  const index = place !== undefined && place % 8 === 0 && place <= -16 ? slotIndex(place) : -1;
  const stack = v.frameOf(argument).stack;
  const slot = index < 0 ? undefined : stack[index];
  const second = index < 0 ? undefined : stack[index - 1];
  const isWhole = slot?.isDynptr && slot.spilled.isFirstSlot && second?.isDynptr && !second.spilled.isFirstSlot;
  if (slot === undefined || !isWhole) {
    throw new Rejection(
      EINVAL,
      `Expected an initialized dynptr as ${name}: it is ${describe(argument)}, where none was made`,
    );
  }
  if (second !== undefined) markRead(second);
  return slot;
}

/** A helper makes a dynptr of 16 bytes of the stack. */
export function makeDynptr(v: Verification, name: string, argument: Register, type: DynptrType): void {
  const { place } = argument;
  if (argument.kind !== "stack" || place === undefined || place % 8 !== 0) {
    throw new Rejection(
      EINVAL,
      `Dynptr has to be an uninitialized dynptr: ${name} is ${describe(argument)}, not 16 bytes of the stack at a multiple of 8`,
    );
  }
  const span = stackSpan(v, name, argument, 0, DYNPTR_SIZE);
  const frame = v.frameOf(argument);
  destroyDynptrs(v, frame, span.first, span.end);
  const id = v.newId();
  const ref = type === "ringbuf" ? acquire(v) : 0;
  const index = slotIndex(span.first);
  for (const at of [index, index - 1]) {
    const part = pointer("dynptr");
    part.dynptrType = type;
    part.dynptrId = id;
    part.ref = ref;
    part.isFirstSlot = at === index;
    frame.stack[at] = new StackSlot(allBytes(DYNPTR), part, undefined);
  }
}

/** A helper takes a dynptr back, and with it all that was got from it: `unmark_stack_slots_dynptr`, 6.18. */
export function releaseDynptr(v: Verification, name: string, argument: Register): void {
  if (argument.kind !== "stack") throw new Rejection(EINVAL, "cannot release unowned const bpf_dynptr");
  const { ref } = firstSlot(v, name, argument).spilled;
  if (ref === 0)
    throw new Rejection(EINVAL, `arg ${name} is an unacquired reference: it was not reserved in a ring buffer`);
  release(v, ref);
  for (const frame of v.state.frames) {
    frame.stack.forEach((slot, index) => {
      if (slot?.isDynptr && slot.spilled.ref === ref && slot.spilled.isFirstSlot) forgetDynptr(v, frame, index);
    });
  }
}

/** Memory that `bpf_dynptr_data` gives: it goes with the dynptr. */
export function dynptrMemory(v: Verification, dynptr: Register, bytes: number): Register {
  const memory = pointer("mem");
  memory.extent = bytes;
  memory.isNullable = true;
  memory.id = v.newId();
  memory.dynptrId = dynptr.dynptrId;
  memory.ref = dynptr.ref;
  return memory;
}

/** Refuses an argument that is no place for a dynptr. */
export function checkDynptrArgument(name: string, argument: Register): void {
  if (argument.kind !== "stack" && argument.kind !== "dynptr") {
    throw new Rejection(EACCES, `${name} expected a dynptr on the stack: it is ${describe(argument)}`);
  }
}

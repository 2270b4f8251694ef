import { BPF_ADD } from "../../../../isa/opcodes.ts";
import { constant } from "./range.ts";
import { arithmetic } from "./range-arithmetic.ts";
import { type Register, scalar } from "./register.ts";
import type { State } from "./state.ts";

/**
 * What was learned of a scalar holds of every scalar that is a copy of it, or a copy with a constant added:
 * `kernel/bpf/verifier.c: sync_linked_regs`, 6.18.
 */
export function syncLinked(state: State, known: Register, id: number): void {
  if (id === 0) return;
  state.changeRegisters((register) => {
    if (register.kind !== "scalar" || register.id !== id || register === known) return register;
    const isCopy = (!register.isShifted && !known.isShifted) || register.delta === known.delta;
    const range = isCopy
      ? known.range
      : arithmetic(BPF_ADD, true, known.range, constant(BigInt(register.delta - known.delta)));
    const learned = scalar(range, register, known);
    learned.id = register.id;
    learned.isShifted = isCopy ? known.isShifted : register.isShifted;
    learned.delta = isCopy ? known.delta : register.delta;
    return learned;
  });
}

import { BPF_ADD } from "../../../../isa/opcodes.ts";
import { constant, type Range } from "./range.ts";
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
    const isCopy = (register.shift === 0 && known.shift === 0) || register.delta === known.delta;
    const range = isCopy ? known.range : shifted(known, register.delta);
    const learned = scalar(range, register, known);
    learned.id = register.id;
    learned.shift = isCopy ? known.shift : register.shift;
    learned.delta = isCopy ? known.delta : register.delta;
    return learned;
  });
}

/** The range of a scalar that is `delta` more than those that `known` is `known.delta` more than. */
function shifted(known: Register, delta: number): Range {
  const sum = arithmetic(BPF_ADD, true, known.range, constant(BigInt(delta - known.delta)));
  if (known.shift !== 32) return sum;
  const word = sum.copy();
  word.zeroExtend();
  return word.settle();
}

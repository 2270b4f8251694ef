import { EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { jumpTarget } from "./encoding.ts";
import { lastVisit, widenAgainst } from "./loops.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

/** `may_goto`: falls through so and so often, and jumps in the end. So a loop around it ends whatever it does. */
export function checkMayGoto(v: Verification, instruction: Instruction): void {
  const { dst, src, imm } = instruction;
  if (dst !== 0 || src !== 0 || imm !== 0)
    throw new Rejection(EINVAL, `invalid may_goto imm ${imm}: registers and immediate are 0`);
  const previous = lastVisit(v.state.parent?.parent, v.state, v.slot);
  const goesOn = v.putOff(v.slot + 1);
  goesOn.mayGotoDepth++;
  if (previous !== undefined) widenAgainst(previous.state, goesOn);
  v.slot = jumpTarget(instruction, v.slot);
}

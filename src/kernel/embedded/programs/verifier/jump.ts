import { EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_JEQ, BPF_JMP32, BPF_JNE, BPF_X } from "../../../../isa/opcodes.ts";
import { jumpTarget } from "./encoding.ts";
import { syncLinked } from "./linked-scalars.ts";
import { notNull, settleNull } from "./null-check.ts";
import { comparePacketEnd, packetBranch } from "./packet-range.ts";
import { isSameRange, type Range } from "./range.ts";
import { holds, negated, refine, refined } from "./range-compare.ts";
import { markPrecise, operand, type Register, scalar } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { State } from "./state.ts";
import type { Verification } from "./verification.ts";

/**
 * Checks a conditional jump and follows it: where both ways are possible one is put off, and each is told what the
 * comparison says. `kernel/bpf/verifier.c: check_cond_jmp_op`, 6.18.
 */
export function checkConditionalJump(v: Verification, instruction: Instruction): void {
  const { opcode, dst, src, imm } = instruction;
  const op = opcode & 0xf0;
  const is32 = (opcode & 7) === BPF_JMP32;
  const isRegister = (opcode & BPF_X) !== 0;
  const a = v.read(dst);
  if (isRegister ? imm !== 0 : src !== 0) {
    throw new Rejection(EINVAL, "BPF_JMP/JMP32 uses reserved fields: what the comparison does not take is 0");
  }
  const b = isRegister ? v.read(src) : operand(imm);
  const target = jumpTarget(instruction, v.slot);
  const known = branchTaken(op, a, b, is32);
  if (known !== undefined) {
    if (a.isScalar) markPrecise(a);
    if (isRegister && b.isScalar) markPrecise(b);
    v.slot = known ? target : v.slot + 1;
    return;
  }
  const taken = v.putOff(target);
  const here = v.state;
  if (a.isScalar && b.isScalar) {
    tell(here, instruction, negated(op), is32);
    tell(taken, instruction, op, is32);
  } else {
    tellPointers(instruction, a, b, here, taken);
  }
  v.slot++;
}

/** Whether the jump is taken, if that is known: `is_branch_taken`, 6.18. */
function branchTaken(op: number, a: Register, b: Register, is32: boolean): boolean | undefined {
  if (a.isAnyPacket && b.isAnyPacket && !is32) return packetBranch(op, a, b);
  if (a.isScalar && b.isScalar) return holds(op, a.range, b.range, is32);
  return nullBranch(op, a, b, is32);
}

/** A pointer that is one is not zero. */
function nullBranch(op: number, a: Register, b: Register, is32: boolean): boolean | undefined {
  const [pointer, other] = isZero(b, is32) ? [a, b] : [b, a];
  if (!isZero(other, is32) || !pointer.isPointer || pointer.isNullable || !IS_NEVER_NULL.has(pointer.kind))
    return undefined;
  if (op === BPF_JEQ) return false;
  return op === BPF_JNE ? true : undefined;
}

/** `reg_not_null`. A pointer into the packet is not among them. */
const IS_NEVER_NULL: ReadonlySet<string> = new Set(["map_value", "map_key", "map", "mem", "sock"]);

function isZero(register: Register, is32: boolean): boolean {
  const { range } = register;
  return register.isScalar && (is32 ? range.isLowConstant && (range.value & 0xffff_ffffn) === 0n : range.isZero);
}

/** Tells the registers of one way, and those linked to them, that the comparison holds. */
function tell(state: State, { opcode, dst, src, imm }: Instruction, op: number, is32: boolean): void {
  const { registers } = state.frame;
  const isRegister = (opcode & BPF_X) !== 0;
  const before = registers[dst] as Register;
  if (isRegister && dst === src) {
    // Linux tells one register both sides: on the way that is never taken it knows less of it afterwards.
    const range = before.range.copy();
    refine(op, range, range, is32);
    const learned = relearn(before, range, before);
    registers[dst] = learned;
    return syncLinked(state, learned, before.id);
  }
  const other = isRegister ? (registers[src] as Register) : operand(imm);
  const { a, b } = refined(op, before.range, other.range, is32);
  const learned = relearn(before, a, other);
  registers[dst] = learned;
  if (!isRegister) {
    syncLinked(state, learned, before.id);
    return;
  }
  const learnedToo = relearn(other, b, before);
  registers[src] = learnedToo;
  syncLinked(state, learnedToo, other.id);
  syncLinked(state, registers[dst] as Register, before.id);
}

function relearn(register: Register, range: Range, from: Register): Register {
  if (isSameRange(range, register.range)) return register;
  const learned = scalar(range, register, from);
  learned.id = register.id;
  learned.delta = register.delta;
  learned.shift = register.shift;
  return learned;
}

function tellPointers(instruction: Instruction, a: Register, b: Register, here: State, taken: State): void {
  const { opcode, dst, src, imm } = instruction;
  const op = opcode & 0xf0;
  const isEquality = op === BPF_JEQ || op === BPF_JNE;
  if ((opcode & 7) === BPF_JMP32) return;
  if ((opcode & BPF_X) === 0) {
    if (imm !== 0 || !a.isNullable || !isEquality) return;
    settleNull(here, a, op === BPF_JNE);
    settleNull(taken, a, op === BPF_JEQ);
    return;
  }
  if (a.isPointer && b.isPointer && a.isNullable !== b.isNullable && isEquality) {
    const { registers } = (op === BPF_JEQ ? taken : here).frame;
    const index = a.isNullable ? dst : src;
    registers[index] = notNull(registers[index] as Register);
  }
  comparePacketEnd(op, dst, src, here, taken);
}

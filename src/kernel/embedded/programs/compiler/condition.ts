import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JMP,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_X,
} from "../../../../isa/opcodes.ts";
import {
  I32_AND,
  I32_EQ,
  I32_EQZ,
  I32_GE_S,
  I32_GE_U,
  I32_GT_S,
  I32_GT_U,
  I32_LE_S,
  I32_LE_U,
  I32_LT_S,
  I32_LT_U,
  I32_NE,
  I64_AND,
  I64_EQ,
  I64_EQZ,
  I64_GE_S,
  I64_GE_U,
  I64_GT_S,
  I64_GT_U,
  I64_LE_S,
  I64_LE_U,
  I64_LT_S,
  I64_LT_U,
  I64_NE,
} from "../wasm/opcodes.ts";
import type { Registers } from "./registers.ts";

/** The comparison of 64 and of 32 bits, by the jump. */
const COMPARISONS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [BPF_JEQ, [I64_EQ, I32_EQ]],
  [BPF_JGT, [I64_GT_U, I32_GT_U]],
  [BPF_JGE, [I64_GE_U, I32_GE_U]],
  [BPF_JNE, [I64_NE, I32_NE]],
  [BPF_JSGT, [I64_GT_S, I32_GT_S]],
  [BPF_JSGE, [I64_GE_S, I32_GE_S]],
  [BPF_JLT, [I64_LT_U, I32_LT_U]],
  [BPF_JLE, [I64_LE_U, I32_LE_U]],
  [BPF_JSLT, [I64_LT_S, I32_LT_S]],
  [BPF_JSLE, [I64_LE_S, I32_LE_S]],
]);

/** Pushes whether a conditional jump is taken: RFC 9669, section 4.3. */
export function writeCondition(registers: Registers, { opcode, dst, src, imm }: Instruction): void {
  const { body } = registers;
  const is64 = (opcode & 0x07) === BPF_JMP;
  const operation = opcode & 0xf0;
  const hasRegister = (opcode & BPF_X) !== 0;
  if (is64) registers.get(dst);
  else registers.get32(dst);
  if (!hasRegister && imm === 0 && operation === BPF_JEQ) {
    body.op(is64 ? I64_EQZ : I32_EQZ);
    return;
  }
  if (hasRegister && is64) registers.get(src);
  else if (hasRegister) registers.get32(src);
  else if (is64) body.i64(imm);
  else body.i32(imm);
  if (operation === BPF_JSET) {
    body.op(is64 ? I64_AND : I32_AND);
    body.op(is64 ? I64_EQZ : I32_EQZ, I32_EQZ);
    return;
  }
  const comparison = COMPARISONS.get(operation);
  if (comparison === undefined) throw new Error(`there is no jump with opcode ${opcode}`);
  body.op(is64 ? comparison[0] : comparison[1]);
}

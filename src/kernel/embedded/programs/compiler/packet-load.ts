import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_B, BPF_H, BPF_IND, BPF_W } from "../../../../isa/opcodes.ts";
import { F64, F64_CONVERT_I32_U, F64_LT, I32_ADD, I64_TRUNC_SAT_F64_S, RETURN } from "../wasm/opcodes.ts";
import type { Registers } from "./registers.ts";

const CONTEXT = 6;
const BYTES: ReadonlyMap<number, number> = new Map([
  [BPF_B, 1],
  [BPF_H, 2],
  [BPF_W, 4],
]);

/**
 * Writes the load of packet data that stems from classic BPF: from the packet of the context in r6, in network byte order,
 * into r0. What lies outside the packet ends the function with 0. `load` is the import that reads, or answers −1.
 */
export function writePacketLoad(registers: Registers, { opcode, src, imm }: Instruction, load: number): void {
  const { body } = registers;
  body.withLocal(F64, (value) => {
    registers.get32(CONTEXT).op(F64_CONVERT_I32_U);
    body.i32(imm);
    if ((opcode & 0xe0) === BPF_IND) registers.get32(src).op(I32_ADD);
    body
      .i32(BYTES.get(opcode & 0x18) as number)
      .call(load)
      .tee(value);
    body.f64Zero().op(F64_LT).if().i64(0).op(RETURN).end();
    body.get(value).opFc(I64_TRUNC_SAT_F64_S);
    registers.set(0);
  });
}

import type { Address } from "../../../../memory/address-space.ts";
import { F64_CONVERT_I32_U, I32, I32_ADD, I32_GE_S, I32_LOAD, I32_LT_U, I32_STORE, RETURN } from "../wasm/opcodes.ts";
import type { Registers } from "./registers.ts";

/** `MAX_TAIL_CALL_CNT`. */
const MOST_TAIL_CALLS = 33;

/**
 * Writes `bpf_tail_call`: the program that is found takes the place of the function that calls it, and of its frame.
 * Control comes back only when there is none at the index, or when there were too many: the count goes up only for a
 * program that is there. `arch/x86/net/bpf_jit_comp.c: emit_bpf_tail_call_indirect`, 6.18.
 */
export function writeTailCall(
  registers: Registers,
  { find, type, count }: { readonly find: number; readonly type: number; readonly count: Address },
): void {
  const { body } = registers;
  body.withLocal(I32, (target) => {
    body.i32(count).memory(I32_LOAD).i32(MOST_TAIL_CALLS).op(I32_LT_U).if();
    registers.get32(2).op(F64_CONVERT_I32_U);
    registers.get32(3).op(F64_CONVERT_I32_U);
    body.call(find).tee(target).i32(0).op(I32_GE_S).if();
    body.i32(count).i32(count).memory(I32_LOAD).i32(1).op(I32_ADD).memory(I32_STORE);
    registers.get32(1);
    registers.frame().get(target).callIndirect(type).op(RETURN).end().end();
  });
}

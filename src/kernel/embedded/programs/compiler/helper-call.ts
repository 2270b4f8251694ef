import type { Answer, HandOver, HelperFunction } from "../bpf-helpers/helper-function.ts";
import type { FunctionType } from "../wasm/function-body.ts";
import {
  DROP,
  F64,
  F64_CONVERT_I32_U,
  F64_CONVERT_I64_S,
  F64_CONVERT_I64_U,
  I32,
  I32_WRAP_I64,
  I64_LOAD,
  I64_SHR_U,
  I64_TRUNC_SAT_F64_S,
  type ValueType,
} from "../wasm/opcodes.ts";
import type { Registers } from "./registers.ts";

/** How a helper is imported: its map is among its arguments when it was not known before. */
export function importType({ takes, answers, callsBack }: HelperFunction, knowsMap: boolean): FunctionType {
  const params = takes.flatMap((handOver) => handedTypes(handOver, knowsMap));
  if (callsBack) params.push(F64);
  return { params, results: [answers === "s64" ? F64 : I32] };
}

function handedTypes(handOver: HandOver, knowsMap: boolean): ValueType[] {
  switch (handOver) {
    case "u32":
    case "u64":
    case "s64":
      return [F64];
    case "s32":
      return [I32];
    case "halves":
      return [F64, F64];
    case "map":
      return knowsMap ? [] : [F64];
    case "ignored":
      return [];
  }
}

/** Writes the call of an imported helper. Its answer goes into r0, 64 bits from the address `stored` where it leaves them there. */
export function writeHelperCall(
  registers: Registers,
  helper: HelperFunction,
  { index, knowsMap, stored }: { readonly index: number; readonly knowsMap: boolean; readonly stored: number },
): void {
  helper.takes.forEach((handOver, argument) => {
    if (handOver !== "map" || !knowsMap) writeHandOver(registers, argument + 1, handOver);
  });
  if (helper.callsBack) registers.calleeFrame().op(F64_CONVERT_I32_U);
  registers.body.call(index);
  writeAnswer(registers, helper.answers, stored);
}

function writeHandOver(registers: Registers, register: number, handOver: HandOver): void {
  switch (handOver) {
    case "u32":
    case "map":
      registers.get32(register).op(F64_CONVERT_I32_U);
      break;
    case "s32":
      registers.get32(register);
      break;
    case "u64":
      registers.get(register).op(F64_CONVERT_I64_U);
      break;
    case "s64":
      registers.get(register).op(F64_CONVERT_I64_S);
      break;
    case "halves":
      registers.get32(register).op(F64_CONVERT_I32_U);
      registers.get(register).i64(32).op(I64_SHR_U, I32_WRAP_I64, F64_CONVERT_I32_U);
      break;
    case "ignored":
      break;
  }
}

function writeAnswer(registers: Registers, answer: Answer, stored: number): void {
  const { body } = registers;
  switch (answer) {
    case "s32":
      return registers.setSigned32(0);
    case "u32":
      return registers.set32(0);
    case "s64":
      body.opFc(I64_TRUNC_SAT_F64_S);
      return registers.set(0);
    case "stored":
      body.op(DROP).i32(stored).memory(I64_LOAD);
      return registers.set(0);
  }
}

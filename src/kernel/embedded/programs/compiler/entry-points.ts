import type { Address } from "../../../../memory/address-space.ts";
import type { FunctionType } from "../wasm/function-body.ts";
import type { WasmModule } from "../wasm/module.ts";
import { I32, I32_STORE, I32_SUB, I32_WRAP_I64, I64, I64_EXTEND_I32_U } from "../wasm/opcodes.ts";

/** The names under which a program is exported: see `LinkedProgram`. */
export const RUN = "run";
export const ENTRY = "entry";

/** A program as another one calls it in its own place: the context and the frame, which give r0. */
export const ENTRY_TYPE: FunctionType = { params: [I32, I32], results: [I64] };

const RUN_TYPE: FunctionType = { params: [I32, I32, I32], results: [I32] };
const CALLBACK_TYPE: FunctionType = { params: [I32, I32, I32, I32, I32], results: [I32] };

/** Exports the program itself, whose first function has the index `main`, and answers the index of the export. */
export function writeEntry(module: WasmModule, main: number): number {
  const { index, body } = module.addFunction(ENTRY_TYPE);
  body.get(0).op(I64_EXTEND_I32_U).i64(0).i64(0).i64(0).i64(0).get(1).call(main);
  module.exportFunction(ENTRY, index);
  return index;
}

/** Exports the loop that runs a program so often: context, frame, times. Each run may make all its tail calls. */
export function writeRun(module: WasmModule, entry: number, tailCalls: Address): void {
  const { index, body } = module.addFunction(RUN_TYPE);
  const result = body.local(I32);
  const times = 2;
  body.loop();
  body.i32(tailCalls).i32(0).memory(I32_STORE);
  body.get(0).get(1).call(entry).op(I32_WRAP_I64).set(result);
  body.get(times).i32(1).op(I32_SUB).tee(times).brIf(0).end().get(result);
  module.exportFunction(RUN, index);
}

/** Exports a function of the program for helpers to call: four arguments of 32 bits, and its frame. */
export function writeCallback(module: WasmModule, name: string, target: number): void {
  const { index, body } = module.addFunction(CALLBACK_TYPE);
  for (const argument of [0, 1, 2, 3]) body.get(argument).op(I64_EXTEND_I32_U);
  body.i64(0).get(4).call(target).op(I32_WRAP_I64);
  module.exportFunction(name, index);
}

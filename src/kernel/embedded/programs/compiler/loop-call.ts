import { E2BIG, EINVAL } from "../../../../abi/errno.ts";
import type { FunctionType } from "../wasm/function-body.ts";
import type { WasmModule } from "../wasm/module.ts";
import {
  I32,
  I32_EQZ,
  I32_WRAP_I64,
  I64,
  I64_ADD,
  I64_EQ,
  I64_EQZ,
  I64_EXTEND_I32_U,
  I64_GT_U,
  I64_NE,
  RETURN,
} from "../wasm/opcodes.ts";

/** `BPF_MAX_LOOPS`. */
const MOST_LOOPS = 8 * 1024 * 1024;

/** How often, what is handed on, flags, and the frame of the function that is called. */
const LOOP_TYPE: FunctionType = { params: [I64, I64, I64, I32], results: [I64] };

/**
 * Writes `bpf_loop` over one function of the program, and answers its index: `kernel/bpf/bpf_iter.c: bpf_loop`, 6.18. The
 * number of rounds is of 32 bits.
 */
export function writeLoopFunction(module: WasmModule, callback: number): number {
  const { index, body } = module.addFunction(LOOP_TYPE);
  const [rounds, handedOn, flags, frame] = [0, 1, 2, 3];
  const round = body.local(I64);
  body.get(flags).op(I64_EQZ, I32_EQZ).if().i64(-EINVAL).op(RETURN).end();
  body.get(rounds).op(I32_WRAP_I64, I64_EXTEND_I32_U).tee(rounds);
  body.i64(MOST_LOOPS).op(I64_GT_U).if().i64(-E2BIG).op(RETURN).end();
  body.block().loop();
  body.get(round).get(rounds).op(I64_EQ).brIf(1);
  body.get(round).get(handedOn).i64(0).i64(0).i64(0).get(frame).call(callback);
  body.get(round).i64(1).op(I64_ADD).set(round);
  body.i64(0).op(I64_NE).brIf(1).br(0);
  body.end().end().get(round);
  return index;
}

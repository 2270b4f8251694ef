import type { FunctionBody } from "../wasm/function-body.ts";
import {
  I32,
  I32_AND,
  I32_OR,
  I32_ROTL,
  I32_SHL,
  I32_WRAP_I64,
  I64,
  I64_AND,
  I64_EXTEND_I32_U,
  I64_OR,
  I64_ROTL,
  I64_SHL,
  I64_SHR_U,
} from "../wasm/opcodes.ts";

/**
 * Replaces the 64 bits on the stack by their lower `bits`, 16, 32 or 64, with zeros above; with their bytes in the
 * opposite order when it `swaps`.
 */
export function swapBytes(body: FunctionBody, bits: number, swaps: boolean): void {
  if (!swaps) {
    if (bits === 16) body.i64(0xffff).op(I64_AND);
    if (bits === 32) body.op(I32_WRAP_I64, I64_EXTEND_I32_U);
    return;
  }
  if (bits === 64) return swap64(body);
  body.op(I32_WRAP_I64);
  if (bits === 16) body.i32(16).op(I32_SHL);
  swap32(body);
  body.op(I64_EXTEND_I32_U);
}

/** Each byte goes a whole number of bytes to the left in one of two rotations. */
function swap32(body: FunctionBody): void {
  body.withLocal(I32, (value) => {
    body.tee(value).i32(8).op(I32_ROTL).i32(0x00ff00ff).op(I32_AND);
    body.get(value).i32(24).op(I32_ROTL).i32(0xff00ff00).op(I32_AND, I32_OR);
  });
}

/** The bytes of each 16 bits, then the 16 bits of each 32, then the halves change places. */
function swap64(body: FunctionBody): void {
  body.withLocal(I64, (value) => {
    for (const [distance, mask] of [
      [8, 0x00ff00ff00ff00ffn],
      [16, 0x0000ffff0000ffffn],
    ] as const) {
      body.tee(value).i64(mask).op(I64_AND).i64(distance).op(I64_SHL);
      body.get(value).i64(distance).op(I64_SHR_U).i64(mask).op(I64_AND, I64_OR);
    }
    body.i64(32).op(I64_ROTL);
  });
}

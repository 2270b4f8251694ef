import { EACCES } from "../../../../abi/errno.ts";
import { describe, describeNumber } from "./describe.ts";
import { checkMapAccess, checkPacket, checkRegion, checkSpecialFields } from "./memory-access.ts";
import { markPrecise, type Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { clobberStack, helperReadsStack, type StackSpan, stackSpan, writeStack } from "./stack-access.ts";
import type { Verification } from "./verification.ts";

/** `BPF_MAX_VAR_SIZ`. */
const MAX_SIZE = 1n << 29n;

/** What a helper does with memory that it is given. */
export type MemoryUse =
  | "read"
  /** Writes it, and may read it before. */
  | "write"
  /** Writes all of it: what is there before does not matter. */
  | "fill";

/** Memory on the stack that the helper fills, which is done when all its arguments are checked. */
export interface Filled {
  readonly pointer: Register;
  readonly span: StackSpan;
}

/**
 * Checks that `size` bytes of memory are the program's to hand over: `check_helper_mem_access`, 6.18. Answers what is yet
 * to be filled.
 */
export function checkHelperMemory(
  v: Verification,
  name: string,
  pointer: Register,
  size: number,
  use: MemoryUse,
  isZeroAllowed: boolean,
): Filled | undefined {
  const isWrite = use !== "read";
  switch (pointer.kind) {
    case "packet":
    case "packet_meta":
      checkPacket(name, pointer, 0, size, isZeroAllowed);
      return undefined;
    case "map_key":
      if (isWrite) throw new Rejection(EACCES, `${name} cannot write into ${describe(pointer)}`);
      checkRegion(name, pointer, 0, size, pointer.map?.keySize ?? 0, "map key");
      return undefined;
    case "map_value":
      checkMapAccess(name, pointer, isWrite);
      checkRegion(name, pointer, 0, size, pointer.map?.valueSize ?? 0, "map value", isZeroAllowed);
      checkSpecialFields(name, pointer, 0, size);
      return undefined;
    case "mem":
      if (isWrite && pointer.isReadOnly) throw new Rejection(EACCES, `${name} cannot write into ${describe(pointer)}`);
      checkRegion(name, pointer, 0, size, pointer.extent, "memory", isZeroAllowed);
      return undefined;
    case "stack":
      return checkStackMemory(v, name, pointer, size, use, isZeroAllowed);
    default:
      if (isZeroAllowed && size === 0 && pointer.isNull) return undefined;
      throw new Rejection(
        EACCES,
        `${name} type=${pointer.kind} expected=fp, map_value, packet, mem: it is ${describe(pointer)}, no pointer to memory`,
      );
  }
}

function checkStackMemory(
  v: Verification,
  name: string,
  pointer: Register,
  size: number,
  use: MemoryUse,
  isZeroAllowed: boolean,
): Filled | undefined {
  if (size === 0 && !isZeroAllowed) throw new Rejection(EACCES, "invalid zero-sized read");
  const span = stackSpan(v, name, pointer, 0, size);
  if (use === "fill" && span.isFixed) return { pointer, span };
  helperReadsStack(v, pointer, span);
  if (use !== "read") clobberStack(v, pointer, span);
  return undefined;
}

/** The helper has filled memory on the stack: whatever was there is gone. */
export function fill(v: Verification, { pointer, span }: Filled): void {
  for (let offset = span.first; offset < span.end; offset++) {
    writeStack(v, pointer, { first: offset, end: offset + 1, isFixed: true }, 1, undefined);
  }
}

/** The size that goes with the memory in the register before: `check_mem_size_reg`, 6.18. */
export function checkSizedMemory(
  v: Verification,
  number: number,
  use: MemoryUse,
  isZeroAllowed: boolean,
): Filled | undefined {
  const size = v.registers[number] as Register;
  const { range } = size;
  const name = `R${number}`;
  const holds = (): string => `it is ${describeNumber(range)}`;
  if (range.smin < 0n) {
    throw new Rejection(
      EACCES,
      `${name} min value is negative, a size is not: ${holds()}; use an unsigned number or mask it with &=`,
    );
  }
  if (range.umin === 0n && !isZeroAllowed) {
    throw new Rejection(EACCES, `${name} invalid zero-sized read: ${holds()}, and the helper takes at least 1 byte`);
  }
  if (range.umax >= MAX_SIZE) {
    throw new Rejection(
      EACCES,
      `${name} unbounded memory access: ${holds()}; compare the size with a constant, or mask it, before`,
    );
  }
  const memory = v.registers[number - 1] as Register;
  const actual = use === "fill" && !range.isConstant ? "write" : use;
  const filled = checkHelperMemory(v, `R${number - 1}`, memory, Number(range.umax), actual, isZeroAllowed);
  markPrecise(size);
  return filled;
}

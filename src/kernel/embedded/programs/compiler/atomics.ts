import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_ADD,
  BPF_AND,
  BPF_CMPXCHG,
  BPF_FETCH,
  BPF_LOAD_ACQ,
  BPF_OR,
  BPF_STORE_REL,
  BPF_XCHG,
  BPF_XOR,
} from "../../../../isa/opcodes.ts";
import type { FunctionBody, Local } from "../wasm/function-body.ts";
import {
  ATOMIC_I64_ADD,
  ATOMIC_I64_ADD32,
  ATOMIC_I64_AND,
  ATOMIC_I64_AND32,
  ATOMIC_I64_CMPXCHG,
  ATOMIC_I64_CMPXCHG32,
  ATOMIC_I64_LOAD,
  ATOMIC_I64_LOAD8_U,
  ATOMIC_I64_LOAD16_U,
  ATOMIC_I64_LOAD32_U,
  ATOMIC_I64_OR,
  ATOMIC_I64_OR32,
  ATOMIC_I64_STORE,
  ATOMIC_I64_STORE8,
  ATOMIC_I64_STORE16,
  ATOMIC_I64_STORE32,
  ATOMIC_I64_XCHG,
  ATOMIC_I64_XCHG32,
  ATOMIC_I64_XOR,
  ATOMIC_I64_XOR32,
  DROP,
  I32_AND,
  I32_WRAP_I64,
  I64,
  I64_ADD,
  I64_AND,
  I64_EQ,
  I64_EXTEND_I32_U,
  I64_OR,
  I64_XOR,
} from "../wasm/opcodes.ts";
import type { Width } from "./memory-access.ts";
import type { Registers } from "./registers.ts";

/** An operation that writes what it makes of what is there and of the source register. */
interface Operation {
  /** The same on registers; `undefined` for an exchange, which takes the source register as it is. */
  readonly plain: number | undefined;
  /** The atomic of 64 and of 32 bits. */
  readonly atomic: readonly [number, number];
}

const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  [BPF_ADD, { plain: I64_ADD, atomic: [ATOMIC_I64_ADD, ATOMIC_I64_ADD32] }],
  [BPF_OR, { plain: I64_OR, atomic: [ATOMIC_I64_OR, ATOMIC_I64_OR32] }],
  [BPF_AND, { plain: I64_AND, atomic: [ATOMIC_I64_AND, ATOMIC_I64_AND32] }],
  [BPF_XOR, { plain: I64_XOR, atomic: [ATOMIC_I64_XOR, ATOMIC_I64_XOR32] }],
  [BPF_XCHG & ~BPF_FETCH, { plain: undefined, atomic: [ATOMIC_I64_XCHG, ATOMIC_I64_XCHG32] }],
]);

const ATOMIC_LOADS: Readonly<Record<number, number>> = {
  1: ATOMIC_I64_LOAD8_U,
  2: ATOMIC_I64_LOAD16_U,
  4: ATOMIC_I64_LOAD32_U,
  8: ATOMIC_I64_LOAD,
};
const ATOMIC_STORES: Readonly<Record<number, number>> = {
  1: ATOMIC_I64_STORE8,
  2: ATOMIC_I64_STORE16,
  4: ATOMIC_I64_STORE32,
  8: ATOMIC_I64_STORE,
};

/** What an atomic instruction works on. */
interface Target {
  /** The local that holds its address. */
  readonly address: Local;
  readonly width: Width;
  /** Whether others may access it at the same time. */
  readonly isShared: boolean;
}

/**
 * Writes an atomic instruction: RFC 9669, section 5.3, and the load-acquire and store-release of Linux. What nobody shares
 * needs no atomics. Those of WebAssembly trap at an address that is not aligned, which Linux allows on x64: there the
 * access is done in parts, as another thread may see.
 */
export function writeAtomic(registers: Registers, instruction: Instruction, target: Target): void {
  const { body } = registers;
  const { address, width, isShared } = target;
  const plain = (): void => writePlain(registers, instruction, target);
  const atomic = (): void => writeShared(registers, instruction, target);
  if (!isShared) return plain();
  if (width.bytes === 1) return atomic();
  body
    .get(address)
    .i32(width.bytes - 1)
    .op(I32_AND)
    .if();
  plain();
  body.else();
  atomic();
  body.end();
}

function writePlain(registers: Registers, { src, dst, imm }: Instruction, { address, width }: Target): void {
  const { body } = registers;
  const load = (): FunctionBody => body.get(address).memory(width.load);
  if (imm === BPF_LOAD_ACQ) {
    load();
    return registers.set(dst);
  }
  if (imm === BPF_STORE_REL) {
    body.get(address);
    registers.get(src).memory(width.store);
    return;
  }
  body.withLocal(I64, (old) => {
    load().set(old);
    if (imm === BPF_CMPXCHG) {
      expected(registers, width).get(old).op(I64_EQ).if().get(address);
      registers.get(src).memory(width.store).end().get(old);
      return registers.set(0);
    }
    const { plain } = operationOf(imm);
    body.get(address);
    if (plain !== undefined) body.get(old);
    registers.get(src);
    if (plain !== undefined) body.op(plain);
    body.memory(width.store);
    if ((imm & BPF_FETCH) === 0) return;
    body.get(old);
    registers.set(src);
  });
}

function writeShared(registers: Registers, { src, dst, imm }: Instruction, { address, width }: Target): void {
  const { body } = registers;
  const log2 = Math.log2(width.bytes);
  const index = width.bytes === 8 ? 0 : 1;
  body.get(address);
  if (imm === BPF_LOAD_ACQ) {
    body.atomic(ATOMIC_LOADS[width.bytes] as number, log2);
    return registers.set(dst);
  }
  if (imm === BPF_STORE_REL) {
    registers.get(src).atomic(ATOMIC_STORES[width.bytes] as number, log2);
    return;
  }
  if (imm === BPF_CMPXCHG) {
    expected(registers, width);
    registers.get(src).atomic(index === 0 ? ATOMIC_I64_CMPXCHG : ATOMIC_I64_CMPXCHG32, log2);
    return registers.set(0);
  }
  registers.get(src).atomic(operationOf(imm).atomic[index], log2);
  if ((imm & BPF_FETCH) === 0) body.op(DROP);
  else registers.set(src);
}

/** Pushes what a compare-and-exchange expects: r0, of which a narrower one sees the lower half. */
function expected(registers: Registers, { bytes }: Width): FunctionBody {
  const body = registers.get(0);
  return bytes === 8 ? body : body.op(I32_WRAP_I64, I64_EXTEND_I32_U);
}

function operationOf(imm: number): Operation {
  const operation = OPERATIONS.get(imm & ~BPF_FETCH);
  if (operation === undefined) throw new Error(`there is no atomic operation ${imm}`);
  return operation;
}

import { EACCES, EINVAL } from "../../../../abi/errno.ts";
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
import { describe } from "./describe.ts";
import { accessSize } from "./encoding.ts";
import { type Access, load, store } from "./memory-access.ts";
import { type Register, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

const READ_MODIFY_WRITE: ReadonlySet<number> = new Set([
  ...[BPF_ADD, BPF_AND, BPF_OR, BPF_XOR].flatMap((op) => [op, op | BPF_FETCH]),
  BPF_XCHG,
  BPF_CMPXCHG,
]);

/** An atomic instruction: `kernel/bpf/verifier.c: check_atomic`, 6.18. */
export function checkAtomic(v: Verification, instruction: Instruction): void {
  const { imm, opcode } = instruction;
  const size = accessSize(opcode);
  if (READ_MODIFY_WRITE.has(imm)) {
    if (size < 4) throw new Rejection(EINVAL, "invalid atomic operand size: an atomic is of 4 or 8 bytes");
    return checkReadModifyWrite(v, instruction, size);
  }
  if (imm === BPF_LOAD_ACQ) return checkLoadAcquire(v, instruction, size);
  if (imm === BPF_STORE_REL) return checkStoreRelease(v, instruction, size);
  throw new Rejection(EINVAL, `BPF_ATOMIC uses invalid atomic opcode ${(imm >>> 0).toString(16)}`);
}

function checkReadModifyWrite(v: Verification, { dst, src, offset, imm }: Instruction, size: number): void {
  v.read(src);
  v.read(dst);
  if (imm === BPF_CMPXCHG) v.read(0);
  checkPointer(dst, v.read(dst), "stores into");
  const target = imm === BPF_CMPXCHG ? 0 : (imm & BPF_FETCH) !== 0 ? src : undefined;
  // The old value comes before the store: a pointer in the same register is gone by then.
  if (target !== undefined) v.write(target, UNKNOWN_SCALAR);
  const pointer = v.read(dst);
  const access: Access = { name: `R${dst}`, pointer, offset, size, isWrite: false, isSigned: false, isStrict: true };
  const old = load(v, access);
  store(v, { ...access, isWrite: true }, undefined);
  if (target !== undefined) v.write(target, old);
}

function checkLoadAcquire(v: Verification, { dst, src, offset }: Instruction, size: number): void {
  const pointer = v.read(src);
  v.checkWritable(dst);
  const loaded = load(v, { name: `R${src}`, pointer, offset, size, isWrite: false, isSigned: false, isStrict: true });
  v.notePointer(pointer.kind);
  checkPointer(src, pointer, "loads from");
  v.write(dst, loaded);
}

function checkStoreRelease(v: Verification, { dst, src, offset }: Instruction, size: number): void {
  const register = v.read(src);
  const pointer = v.read(dst);
  const access: Access = { name: `R${dst}`, pointer, offset, size, isWrite: true, isSigned: false, isStrict: true };
  store(v, access, { register, number: src });
  v.notePointer(pointer.kind);
  checkPointer(dst, pointer, "stores into");
}

/** `atomic_ptr_type_ok`. */
function checkPointer(number: number, pointer: Register, what: string): void {
  const isRefused = pointer.kind === "ctx" || pointer.isPacket || pointer.kind === "sock";
  if (isRefused) {
    throw new Rejection(
      EACCES,
      `BPF_ATOMIC ${what} R${number} ${pointer.kind} is not allowed: it is ${describe(pointer)}; atomics work on the stack, in map values and in records`,
    );
  }
}

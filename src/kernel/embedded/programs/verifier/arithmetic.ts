import { EACCES, EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_ADD,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_DIV,
  BPF_END,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_X,
  BPF_XOR,
} from "../../../../isa/opcodes.ts";
import { describe } from "./describe.ts";
import { movePointer } from "./pointer-arithmetic.ts";
import { constant, type Range, signExtend, signExtendLow } from "./range.ts";
import { arithmetic, swapBytes } from "./range-arithmetic.ts";
import { markPrecise, number, operand, type Register, scalar, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

const OPERATORS = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "="];

/** Checks an arithmetic instruction and does it: `kernel/bpf/verifier.c: check_alu_op`, 6.18. */
export function checkArithmetic(v: Verification, instruction: Instruction): void {
  switch (instruction.opcode & 0xf0) {
    case BPF_END:
    case BPF_NEG:
      return checkUnary(v, instruction);
    case BPF_MOV:
      return checkMove(v, instruction);
    default:
      return checkBinary(v, instruction);
  }
}

function checkUnary(v: Verification, { opcode, dst, src, offset, imm }: Instruction): void {
  const isNegation = (opcode & 0xf0) === BPF_NEG;
  const is64 = (opcode & 7) === BPF_ALU64;
  const isValid = isNegation
    ? (opcode & BPF_X) === 0 && src === 0 && offset === 0 && imm === 0
    : src === 0 && offset === 0 && (imm === 16 || imm === 32 || imm === 64) && !(is64 && (opcode & BPF_X) !== 0);
  if (!isValid) {
    throw new Rejection(
      EINVAL,
      isNegation
        ? "BPF_NEG uses reserved fields: source, offset and immediate are 0"
        : "BPF_END uses reserved fields: the immediate is 16, 32 or 64, source and offset are 0",
    );
  }
  const register = v.read(dst);
  if (!register.isScalar) return v.write(dst, UNKNOWN_SCALAR);
  const { range } = register;
  const isSwap = is64 || (opcode & BPF_X) !== 0;
  const result = isNegation ? arithmetic(BPF_NEG, is64, range, range) : swapBytes(range, imm, isSwap);
  v.write(dst, scalar(result, register));
}

function checkMove(v: Verification, instruction: Instruction): void {
  const { opcode, dst, src, offset, imm } = instruction;
  const is64 = (opcode & 7) === BPF_ALU64;
  if ((opcode & BPF_X) === 0) {
    if (src !== 0 || offset !== 0)
      throw new Rejection(EINVAL, "BPF_MOV uses reserved fields: source and offset are 0 with an immediate");
    v.write(dst, number(is64 ? BigInt(imm) : BigInt(imm >>> 0)));
    return;
  }
  if (is64 && offset === 1) {
    throw new Rejection(
      EINVAL,
      "addr_space_cast insn can only be used in a program that has an associated arena, which the embedded kernel does not have",
    );
  }
  const isValid = imm === 0 && (offset === 0 || offset === 8 || offset === 16 || (is64 && offset === 32));
  if (!isValid)
    throw new Rejection(
      EINVAL,
      "BPF_MOV uses reserved fields: the offset is 0, or the bits to extend, and the immediate 0",
    );
  v.read(src);
  v.checkWritable(dst);
  if (is64) moveWhole(v, dst, src, offset);
  else moveLow(v, dst, src, offset);
}

function moveWhole(v: Verification, dst: number, src: number, bits: number): void {
  const source = v.registers[src] as Register;
  if (bits === 0) {
    v.write(dst, linkedCopy(v, src));
  } else if (!source.isScalar) {
    v.write(dst, UNKNOWN_SCALAR);
  } else {
    v.write(
      dst,
      extended(v, src, bits, (range) => signExtend(range, bits / 8)),
    );
  }
}

function moveLow(v: Verification, dst: number, src: number, bits: number): void {
  const source = v.registers[src] as Register;
  if (!source.isScalar) {
    v.write(dst, scalar(lowWord(UNKNOWN_SCALAR.range)));
  } else if (bits === 0) {
    const fits = source.range.width <= 32;
    const copy = fits ? linkedCopy(v, src) : source.copy();
    const moved = scalar(lowWord(source.range), copy);
    if (fits) takeLink(moved, copy);
    v.write(dst, moved);
  } else {
    v.write(
      dst,
      extended(v, src, bits, (range) => lowWord(signExtendLow(range, bits / 8))),
    );
  }
}

/** A move that extends the sign: when the sign cannot be set, the copy is still the same number as the source. */
function extended(v: Verification, src: number, bits: number, extend: (range: Range) => Range): Register {
  const source = v.registers[src] as Register;
  const isSame = source.range.umax < 1n << BigInt(bits - 1);
  const copy = isSame ? linkedCopy(v, src) : source;
  const result = scalar(extend(source.range), source);
  if (isSame) takeLink(result, copy);
  return result;
}

function takeLink(to: Register, from: Register): void {
  to.id = from.id;
  to.delta = from.delta;
  to.shift = from.shift;
}

/** The low word of a number, zero-extended. */
function lowWord(range: Range): Range {
  if (range.isConstant) return constant(range.value & 0xffff_ffffn);
  const word = range.copy();
  word.zeroExtend();
  return word.settle();
}

/**
 * A copy of a register that stays linked to it: what a branch tells of one it tells of both. The register itself gets the
 * id that both then have. `assign_scalar_id_before_mov`, 6.18.
 */
function linkedCopy(v: Verification, src: number): Register {
  const linked = withId(v, v.registers[src] as Register);
  v.registers[src] = linked;
  return linked.isScalar ? linked.copy() : linked;
}

/** The register with an id by which others can be linked to it. A constant needs none. */
export function withId(v: Verification, register: Register): Register {
  if (!register.isScalar || (register.id !== 0 && register.shift === 0)) return register;
  if (register.range.isConstant && register.shift === 0) return register;
  const linked = register.copy();
  linked.id = register.range.isConstant ? 0 : v.newId();
  linked.delta = 0;
  linked.shift = 0;
  return linked;
}

function checkBinary(v: Verification, instruction: Instruction): void {
  const { opcode, dst, src, offset, imm } = instruction;
  const op = opcode & 0xf0;
  const is64 = (opcode & 7) === BPF_ALU64;
  const isRegister = (opcode & BPF_X) !== 0;
  const isDivision = op === BPF_DIV || op === BPF_MOD;
  const isValid = (offset === 0 || (offset === 1 && isDivision)) && (isRegister ? imm === 0 : src === 0);
  if (!isValid) throw new Rejection(EINVAL, "BPF_ALU uses reserved fields: what the operation does not take is 0");
  if (isRegister) v.read(src);
  v.read(dst);
  if (!isRegister && isDivision && imm === 0)
    throw new Rejection(EINVAL, "div by zero: the divisor is the immediate 0");
  if (!isRegister && isShift(op) && (imm < 0 || imm >= (is64 ? 64 : 32))) {
    throw new Rejection(EINVAL, `invalid shift ${imm}: a shift is by 0 to ${is64 ? 63 : 31} bits`);
  }
  v.checkWritable(dst);
  const second = isRegister ? (v.registers[src] as Register) : operand(imm);
  v.write(dst, combined(v, instruction, v.registers[dst] as Register, second));
}

function isShift(op: number): boolean {
  return op === BPF_LSH || op === BPF_RSH || op === BPF_ARSH;
}

function combined(v: Verification, instruction: Instruction, a: Register, b: Register): Register {
  const { opcode, dst } = instruction;
  const op = opcode & 0xf0;
  const is64 = (opcode & 7) === BPF_ALU64;
  if (a.isScalar && b.isScalar) return addLink(op, is64, split(v, instruction, a, b), b);
  if (!a.isScalar && !b.isScalar) {
    if (op === BPF_SUB) return UNKNOWN_SCALAR;
    throw new Rejection(
      EACCES,
      `R${dst} pointer ${OPERATORS[op >> 4]} pointer prohibited: R${dst} is ${describe(a)}, the operand is ${describe(b)}; pointers can be subtracted, nothing else`,
    );
  }
  const [pointer, offset] = a.isScalar ? [b, a] : [a, b];
  markPrecise(offset);
  if (!is64) {
    if (op === BPF_SUB) return UNKNOWN_SCALAR;
    throw new Rejection(EACCES, `R${dst} 32-bit pointer arithmetic prohibited: a pointer takes all 64 bits`);
  }
  if (op === BPF_SUB && a.isScalar) {
    throw new Rejection(EACCES, `R${dst} tried to subtract pointer from scalar: R${dst} is ${describe(a)}`);
  }
  if (op !== BPF_ADD && op !== BPF_SUB) {
    const isBitwise = op === BPF_AND || op === BPF_OR || op === BPF_XOR;
    throw new Rejection(
      EACCES,
      `R${dst} ${isBitwise ? "bitwise operator" : "pointer arithmetic with"} ${OPERATORS[op >> 4]} ${isBitwise ? "on pointer" : "operator"} prohibited: R${dst} is ${describe(pointer)}; numbers can be added to it and subtracted`,
    );
  }
  return movePointer(v, dst, pointer, offset.range, op === BPF_SUB);
}

/**
 * All bits or none, as comparisons without a jump give it, is two numbers far apart: when it masks a constant each is
 * followed by itself. `maybe_fork_scalars`, 6.18.
 */
function split(v: Verification, { opcode, dst }: Instruction, a: Register, b: Register): Register {
  const op = opcode & 0xf0;
  if ((op !== BPF_AND && op !== BPF_OR) || !b.range.isConstant) return a;
  const is64 = a.range.smin === -1n && a.range.smax === 0n;
  if (!is64 && !(a.range.s32min === -1 && a.range.s32max === 0)) return a;
  const one = (value: -1 | 0): Register => {
    if (is64) return scalar(constant(BigInt(value)), a);
    const range = a.range.copy();
    range.set32(value);
    return scalar(range, a);
  };
  v.putOff(v.slot).frame.registers[dst] = one(0);
  return one(-1);
}

/** A number to which a constant was added is still linked to those that it was copied from, by the difference. */
function addLink(op: number, is64: boolean, a: Register, b: Register): Register {
  const result = scalar(arithmetic(op, is64, a.range, b.range), a, b);
  const isConstant = is64 ? b.range.isConstant : b.range.isLowConstant;
  if ((op !== BPF_ADD && op !== BPF_SUB) || a.id === 0 || a.shift !== 0 || !isConstant) return result;
  const value = is64 ? b.range.smin : BigInt.asIntN(32, b.range.value);
  const isSmall = value === BigInt.asIntN(32, value) && !(op === BPF_SUB && value === -(1n << 31n));
  if (!isSmall || (!is64 && a.range.umax > 0xffff_ffffn)) return result;
  result.id = a.id;
  result.shift = is64 ? 64 : 32;
  result.delta = Number(op === BPF_SUB ? -value : value);
  return result;
}

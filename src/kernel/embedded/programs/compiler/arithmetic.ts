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
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_RSH,
  BPF_SUB,
  BPF_X,
  BPF_XOR,
} from "../../../../isa/opcodes.ts";
import type { FunctionBody } from "../wasm/function-body.ts";
import {
  I32,
  I32_ADD,
  I32_AND,
  I32_DIV_S,
  I32_DIV_U,
  I32_EQ,
  I32_EQZ,
  I32_EXTEND8_S,
  I32_EXTEND16_S,
  I32_MUL,
  I32_OR,
  I32_REM_S,
  I32_REM_U,
  I32_SHL,
  I32_SHR_S,
  I32_SHR_U,
  I32_SUB,
  I32_XOR,
  I64,
  I64_ADD,
  I64_AND,
  I64_DIV_S,
  I64_DIV_U,
  I64_EQ,
  I64_EQZ,
  I64_EXTEND8_S,
  I64_EXTEND16_S,
  I64_EXTEND32_S,
  I64_MUL,
  I64_OR,
  I64_REM_S,
  I64_REM_U,
  I64_SHL,
  I64_SHR_S,
  I64_SHR_U,
  I64_SUB,
  I64_XOR,
} from "../wasm/opcodes.ts";
import { swapBytes } from "./byte-swap.ts";
import type { Registers } from "./registers.ts";

/** The opcodes of one width. */
interface Width {
  readonly type: typeof I32 | typeof I64;
  /** Those whose answer both sides agree on, by the operation. Shifts of WebAssembly mask their count as those of BPF do. */
  readonly plain: ReadonlyMap<number, number>;
  readonly sub: number;
  readonly eqz: number;
  readonly eq: number;
  readonly divide: { readonly unsigned: number; readonly signed: number };
  readonly remainder: { readonly unsigned: number; readonly signed: number };
}

const WIDTH32: Width = {
  type: I32,
  plain: new Map([
    [BPF_ADD, I32_ADD],
    [BPF_SUB, I32_SUB],
    [BPF_MUL, I32_MUL],
    [BPF_OR, I32_OR],
    [BPF_AND, I32_AND],
    [BPF_LSH, I32_SHL],
    [BPF_RSH, I32_SHR_U],
    [BPF_XOR, I32_XOR],
    [BPF_ARSH, I32_SHR_S],
  ]),
  sub: I32_SUB,
  eqz: I32_EQZ,
  eq: I32_EQ,
  divide: { unsigned: I32_DIV_U, signed: I32_DIV_S },
  remainder: { unsigned: I32_REM_U, signed: I32_REM_S },
};

const WIDTH64: Width = {
  type: I64,
  plain: new Map([
    [BPF_ADD, I64_ADD],
    [BPF_SUB, I64_SUB],
    [BPF_MUL, I64_MUL],
    [BPF_OR, I64_OR],
    [BPF_AND, I64_AND],
    [BPF_LSH, I64_SHL],
    [BPF_RSH, I64_SHR_U],
    [BPF_XOR, I64_XOR],
    [BPF_ARSH, I64_SHR_S],
  ]),
  sub: I64_SUB,
  eqz: I64_EQZ,
  eq: I64_EQ,
  divide: { unsigned: I64_DIV_U, signed: I64_DIV_S },
  remainder: { unsigned: I64_REM_U, signed: I64_REM_S },
};

/** Writes an instruction of the classes ALU and ALU64: RFC 9669, section 4.1. */
export function writeArithmetic(registers: Registers, instruction: Instruction): void {
  const { opcode, dst, src, offset, imm } = instruction;
  const { body } = registers;
  const is64 = (opcode & 0x07) === BPF_ALU64;
  const isMove = (opcode & 0xf0) === BPF_MOV && offset === 0;
  const plain = (is64 ? WIDTH64 : WIDTH32).plain.get(opcode & 0xf0);
  if (plain === undefined && !isMove) return new Arithmetic(registers, instruction).write();
  if (is64) {
    if (!isMove) registers.get(dst);
    if ((opcode & BPF_X) !== 0) registers.get(src);
    else body.i64(imm);
    if (plain !== undefined) body.op(plain);
    return registers.set(dst);
  }
  if (!isMove) registers.get32(dst);
  if ((opcode & BPF_X) !== 0) registers.get32(src);
  else body.i32(imm);
  if (plain !== undefined) body.op(plain);
  registers.set32(dst);
}

/** What takes more than one instruction, or a sign that goes on. */
class Arithmetic {
  readonly #registers: Registers;
  readonly #body: FunctionBody;
  readonly #instruction: Instruction;
  readonly #is64: boolean;
  readonly #width: Width;
  readonly #hasRegister: boolean;

  constructor(registers: Registers, instruction: Instruction) {
    this.#registers = registers;
    this.#body = registers.body;
    this.#instruction = instruction;
    this.#is64 = (instruction.opcode & 0x07) === BPF_ALU64;
    this.#width = this.#is64 ? WIDTH64 : WIDTH32;
    this.#hasRegister = (instruction.opcode & BPF_X) !== 0;
  }

  write(): void {
    const { opcode, dst, offset, imm } = this.#instruction;
    const operation = opcode & 0xf0;
    if (operation === BPF_NEG) {
      this.#constant(0);
      this.#dst();
      this.#body.op(this.#width.sub);
    } else if (operation === BPF_MOV) this.#move(offset);
    else if (operation === BPF_DIV) this.#divide(offset !== 0);
    else if (operation === BPF_MOD) this.#remainder(offset !== 0);
    else if (operation === BPF_END) {
      // In ALU the source bit says which order the bytes come to have; the memory's own is little-endian.
      const swaps = this.#is64 || this.#hasRegister;
      this.#registers.get(dst);
      swapBytes(this.#body, imm, swaps);
      this.#registers.set(dst);
      return;
    } else throw new Error(`there is no arithmetic with opcode ${opcode}`);
    this.#store();
  }

  #dst(): void {
    this.#register(this.#instruction.dst);
  }

  #register(register: number): void {
    if (this.#is64) this.#registers.get(register);
    else this.#registers.get32(register);
  }

  #operand(): void {
    if (this.#hasRegister) this.#register(this.#instruction.src);
    else this.#constant(this.#instruction.imm);
  }

  #constant(value: number): void {
    if (this.#is64) this.#body.i64(value);
    else this.#body.i32(value);
  }

  #store(): void {
    if (this.#is64) this.#registers.set(this.#instruction.dst);
    else this.#registers.set32(this.#instruction.dst);
  }

  #move(signBits: number): void {
    this.#operand();
    if (signBits === 8) this.#body.op(this.#is64 ? I64_EXTEND8_S : I32_EXTEND8_S);
    if (signBits === 16) this.#body.op(this.#is64 ? I64_EXTEND16_S : I32_EXTEND16_S);
    if (signBits === 32) this.#body.op(I64_EXTEND32_S);
  }

  /** By 0 gives 0. The least number by −1 gives itself, where WebAssembly would trap: by −1 is negation. */
  #divide(isSigned: boolean): void {
    const { type, divide, sub } = this.#width;
    const { imm } = this.#instruction;
    const opcode = isSigned ? divide.signed : divide.unsigned;
    const negate = (): void => {
      this.#constant(0);
      this.#dst();
      this.#body.op(sub);
    };
    const quotient = (): void => {
      this.#dst();
      this.#operand();
      this.#body.op(opcode);
    };
    if (!this.#hasRegister) {
      if (imm === 0) this.#constant(0);
      else if (imm === -1 && isSigned) negate();
      else quotient();
      return;
    }
    this.#operand();
    this.#body.op(this.#width.eqz).if(type);
    this.#constant(0);
    this.#body.else();
    if (isSigned) {
      this.#operand();
      this.#constant(-1);
      this.#body.op(this.#width.eq).if(type);
      negate();
      this.#body.else();
      quotient();
      this.#body.end();
    } else quotient();
    this.#body.end();
  }

  /** By 0 leaves what was there. */
  #remainder(isSigned: boolean): void {
    const { type, remainder } = this.#width;
    const opcode = isSigned ? remainder.signed : remainder.unsigned;
    if (!this.#hasRegister) {
      this.#dst();
      if (this.#instruction.imm === 0) return;
      this.#operand();
      this.#body.op(opcode);
      return;
    }
    this.#operand();
    this.#body.op(this.#width.eqz).if(type);
    this.#dst();
    this.#body.else();
    this.#dst();
    this.#operand();
    this.#body.op(opcode).end();
  }
}

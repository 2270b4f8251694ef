import { helperName } from "../abi/helpers.ts";
import { type Instruction, isWide } from "./instruction.ts";
import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOV,
  BPF_NEG,
  BPF_PSEUDO_CALL,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_X,
  BPF_XCHG,
} from "./opcodes.ts";

/** How what an instruction alone does not say is named. */
export interface DisassemblyNames {
  /** What a call calls, when it is no helper: the name of a kernel function. */
  call?(instruction: Instruction, slot: number): string | undefined;
  /** What a 64-bit immediate is: a map's name. Without it, or when it answers `undefined`, the immediate in hexadecimal. */
  immediate?(instruction: Instruction, value: bigint, slot: number): string | undefined;
}

const ARITHMETIC = ["+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", "neg", "%=", "^=", "=", "s>>=", "endian"];
const COMPARISONS = ["jmp", "==", ">", ">=", "&", "!=", "s>", "s>=", "call", "exit", "<", "<=", "s<", "s<="];
/** By `opcode & 0x18`. */
const WIDTHS = ["32", "16", "8", "64"];
const ATOMICS: Readonly<Record<number, string>> = { 0: "add", 64: "or", 80: "and", 160: "xor" };

/**
 * The text of a program, one line for each instruction: `3: (b7) r0 = 0`. The number counts slots, of which a 64-bit
 * immediate takes two. It is the text of the kernel's verifier and of `bpftool prog dump xlated`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decode, disassemble } from "mapiary";
 *
 * const bytes = Uint8Array.of(0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);
 * assert.equal(disassemble(decode(bytes)), "0: (b7) r0 = 2\n1: (95) exit");
 * ```
 *
 * Source: `kernel/bpf/disasm.c: print_bpf_insn`, 6.18.
 */
export function disassemble(program: readonly Instruction[], names: DisassemblyNames = {}): string {
  const lines: string[] = [];
  for (let slot = 0; slot < program.length; slot++) {
    lines.push(`${slot}: ${disassembleAt(program, slot, names)}`);
    if (isWide(program[slot] as Instruction)) slot++;
  }
  return lines.join("\n");
}

/** The text of the one instruction in a slot of a program: `(b7) r0 = 0`. */
export function disassembleAt(program: readonly Instruction[], slot: number, names: DisassemblyNames = {}): string {
  const instruction = program[slot] as Instruction;
  const text = textOf(program, slot, instruction, names);
  return text.startsWith("BUG_") ? text : `(${hex2(instruction.opcode)}) ${text}`;
}

function textOf(
  program: readonly Instruction[],
  slot: number,
  instruction: Instruction,
  names: DisassemblyNames,
): string {
  switch (instruction.opcode & 7) {
    case BPF_ALU:
    case BPF_ALU64:
      return arithmetic(instruction);
    case BPF_STX:
      return store(instruction);
    case BPF_ST:
      return storeImmediate(instruction);
    case BPF_LDX:
      return load(instruction);
    case BPF_LD:
      return specialLoad(program, slot, instruction, names);
    default:
      return jump(instruction, slot, names);
  }
}

function arithmetic({ opcode, dst, src, offset, imm }: Instruction): string {
  const isLong = (opcode & 7) === BPF_ALU64;
  const letter = isLong ? "r" : "w";
  const operation = opcode & 0xf0;
  if (operation === BPF_END) {
    const order = isLong ? "bswap" : (opcode & BPF_X) !== 0 ? "be" : "le";
    return `r${dst} = ${order}${imm} r${dst}`;
  }
  if (operation === BPF_NEG) return `${letter}${dst} = -${letter}${dst}`;
  if (operation === BPF_MOV && isLong && (opcode & BPF_X) !== 0) {
    if (offset === 1) return `r${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})`;
    if (offset === -1) return `r${dst} = &(void __percpu *)(r${src})`;
  }
  const operator = ARITHMETIC[operation >> 4] ?? "(null)";
  const isSigned = offset === 1 && (operator === "/=" || operator === "%=");
  const sign = isSigned ? "s" : "";
  if ((opcode & BPF_X) === 0) return `${letter}${dst} ${sign}${operator} ${imm}`;
  const isExtended = operation === BPF_MOV && (offset === 8 || offset === 16 || offset === 32);
  return `${letter}${dst} ${sign}${operator} ${isExtended ? `(s${offset})` : ""}${letter}${src}`;
}

function store(instruction: Instruction): string {
  const { opcode, dst, src, offset } = instruction;
  const mode = opcode & 0xe0;
  if (mode === BPF_MEM) return `*(${unsigned(opcode)} *)(r${dst} ${signed(offset)}) = r${src}`;
  return (mode === BPF_ATOMIC ? atomic(instruction) : undefined) ?? `BUG_${hex2(opcode)}`;
}

function atomic({ opcode, dst, src, offset, imm }: Instruction): string | undefined {
  const place = `(${unsigned(opcode)} *)(r${dst} ${signed(offset)})`;
  const prefix = (opcode & 0x18) === 0x18 ? "atomic64" : "atomic";
  const name = ATOMICS[imm & ~BPF_FETCH];
  if (name !== undefined && (imm & BPF_FETCH) === 0) return `lock *${place} ${ARITHMETIC[imm >> 4]} r${src}`;
  if (name !== undefined) return `r${src} = ${prefix}_fetch_${name}(${place}, r${src})`;
  switch (imm) {
    case BPF_CMPXCHG:
      return `r0 = ${prefix}_cmpxchg(${place}, r0, r${src})`;
    case BPF_XCHG:
      return `r${src} = ${prefix}_xchg(${place}, r${src})`;
    case BPF_LOAD_ACQ:
      return `r${dst} = load_acquire((${unsigned(opcode)} *)(r${src} ${signed(offset)}))`;
    case BPF_STORE_REL:
      return `store_release(${place}, r${src})`;
    default:
      return undefined;
  }
}

function storeImmediate({ opcode, dst, offset, imm }: Instruction): string {
  const mode = opcode & 0xe0;
  if (mode === BPF_MEM) return `*(${unsigned(opcode)} *)(r${dst} ${signed(offset)}) = ${imm}`;
  return mode === 0xc0 ? "nospec" : `BUG_st_${hex2(opcode)}`;
}

function load({ opcode, dst, src, offset }: Instruction): string {
  const mode = opcode & 0xe0;
  if (mode !== BPF_MEM && mode !== BPF_MEMSX) return `BUG_ldx_${hex2(opcode)}`;
  const type = mode === BPF_MEM ? unsigned(opcode) : `s${widthOf(opcode)}`;
  return `r${dst} = *(${type} *)(r${src} ${signed(offset)})`;
}

function specialLoad(
  program: readonly Instruction[],
  slot: number,
  instruction: Instruction,
  names: DisassemblyNames,
): string {
  const { opcode, dst, src, imm } = instruction;
  const mode = opcode & 0xe0;
  if (mode === BPF_ABS) return `r0 = *(${unsigned(opcode)} *)skb[${imm}]`;
  if (mode === BPF_IND) return `r0 = *(${unsigned(opcode)} *)skb[r${src} + ${imm}]`;
  if (!isWide(instruction)) return `BUG_ld_${hex2(opcode)}`;
  const value = immediateAt(program, slot);
  return `r${dst} = ${names.immediate?.(instruction, value, slot) ?? `0x${value.toString(16)}`}`;
}

/** The 64-bit immediate that begins in a slot, unsigned. */
function immediateAt(program: readonly Instruction[], slot: number): bigint {
  const low = BigInt((program[slot]?.imm ?? 0) >>> 0);
  return (BigInt((program[slot + 1]?.imm ?? 0) >>> 0) << 32n) | low;
}

function jump(instruction: Instruction, slot: number, names: DisassemblyNames): string {
  const { opcode, dst, src, offset, imm } = instruction;
  const isShort = (opcode & 7) === BPF_JMP32;
  const operation = opcode & 0xf0;
  if (operation === BPF_CALL) return call(instruction, slot, names);
  if (opcode === (BPF_JMP | BPF_JA)) return `goto pc${signed(offset)}`;
  if (opcode === (BPF_JMP | BPF_JCOND) && src === 0) return `may_goto pc${signed(offset)}`;
  if (opcode === (BPF_JMP32 | BPF_JA)) return `gotol pc${signed(imm)}`;
  if (opcode === (BPF_JMP | BPF_EXIT)) return "exit";
  const letter = isShort ? "w" : "r";
  const comparison = COMPARISONS[operation >> 4] ?? "(null)";
  const right = (opcode & BPF_X) === 0 ? `0x${(imm >>> 0).toString(16)}` : `${letter}${src}`;
  return `if ${letter}${dst} ${comparison} ${right} goto pc${signed(offset)}`;
}

function call(instruction: Instruction, slot: number, names: DisassemblyNames): string {
  const { src, imm } = instruction;
  if (src === BPF_PSEUDO_CALL) return `call pc${names.call?.(instruction, slot) ?? signed(imm)}`;
  const helper = src === 0 ? helperName(imm) : undefined;
  return `call ${helper ?? names.call?.(instruction, slot) ?? "unknown"}#${imm}`;
}

function widthOf(opcode: number): string {
  return WIDTHS[(opcode & 0x18) >> 3] as string;
}

function unsigned(opcode: number): string {
  return `u${widthOf(opcode)}`;
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

function hex2(value: number): string {
  return value.toString(16).padStart(2, "0");
}

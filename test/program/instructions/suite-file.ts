import { decode, type Instruction } from "mapiary";
import {
  BPF_ADD,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ARSH,
  BPF_ATOMIC,
  BPF_B,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_H,
  BPF_JA,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JLE,
  BPF_JLT,
  BPF_JMP,
  BPF_JMP32,
  BPF_JNE,
  BPF_JSET,
  BPF_JSGE,
  BPF_JSGT,
  BPF_JSLE,
  BPF_JSLT,
  BPF_LDX,
  BPF_LSH,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOD,
  BPF_MOV,
  BPF_MUL,
  BPF_NEG,
  BPF_OR,
  BPF_PSEUDO_CALL,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_SUB,
  BPF_W,
  BPF_X,
  BPF_XCHG,
  BPF_XOR,
  LD_IMM64,
} from "../../../src/isa/opcodes.ts";

/** A test of the public BPF conformance suite: a program, memory that it is given, and what it returns. */
export interface SuiteTest {
  readonly instructions: readonly Instruction[];
  /** What r1 points to, and r2 counts. */
  readonly memory: Uint8Array | undefined;
  /** What r0 is at the end; `undefined` for a program that must not be accepted. */
  readonly result: bigint | undefined;
}

const ARITHMETIC: Readonly<Record<string, number>> = {
  add: BPF_ADD,
  sub: BPF_SUB,
  mul: BPF_MUL,
  div: BPF_DIV,
  sdiv: BPF_DIV,
  or: BPF_OR,
  and: BPF_AND,
  lsh: BPF_LSH,
  rsh: BPF_RSH,
  neg: BPF_NEG,
  mod: BPF_MOD,
  smod: BPF_MOD,
  xor: BPF_XOR,
  mov: BPF_MOV,
  movsx: BPF_MOV,
  arsh: BPF_ARSH,
};
const JUMPS: Readonly<Record<string, number>> = {
  jeq: BPF_JEQ,
  jgt: BPF_JGT,
  jge: BPF_JGE,
  jset: BPF_JSET,
  jne: BPF_JNE,
  jsgt: BPF_JSGT,
  jsge: BPF_JSGE,
  jlt: BPF_JLT,
  jle: BPF_JLE,
  jslt: BPF_JSLT,
  jsle: BPF_JSLE,
};
const ATOMICS: Readonly<Record<string, number>> = {
  add: BPF_ADD,
  or: BPF_OR,
  and: BPF_AND,
  xor: BPF_XOR,
  xchg: BPF_XCHG,
  cmpxchg: BPF_CMPXCHG,
};
const WIDTHS: Readonly<Record<string, number>> = { b: BPF_B, h: BPF_H, w: BPF_W, dw: BPF_DW };

/** Reads a `.data` file: sections that begin with `-- asm`, `-- raw`, `-- mem`, `-- result` and `-- error`. */
export function readSuiteTest(text: string): SuiteTest {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const name = /^-- (.*)$/.exec(line)?.[1];
    if (name !== undefined) sections.set(name, (current = []));
    else current.push(line.replace(/#.*/, "").trim());
  }
  const words = (name: string): string[] =>
    (sections.get(name) ?? [])
      .join(" ")
      .split(/\s+/)
      .filter((word) => word !== "");
  const raw = words("raw").map(BigInt);
  const asm = sections.get("asm");
  const memory = sections.has("mem") ? Uint8Array.from(words("mem"), (byte) => Number.parseInt(byte, 16)) : undefined;
  return {
    instructions: asm === undefined ? decode(new Uint8Array(BigUint64Array.from(raw).buffer)) : assemble(asm),
    memory,
    result: sections.has("error") ? undefined : BigInt.asUintN(64, BigInt(words("result")[0] ?? 0)),
  };
}

function assemble(lines: readonly string[]): Instruction[] {
  const program: Instruction[] = [];
  const labels = new Map<string, number>();
  const jumps: { slot: number; label: string; field: "offset" | "imm" }[] = [];
  for (const line of lines) {
    if (line === "") continue;
    const label = /^(\w+):$/.exec(line)?.[1];
    if (label !== undefined) labels.set(label, program.length);
    else
      program.push(...instructionOf(line, (name, field) => jumps.push({ slot: program.length, label: name, field })));
  }
  // "exit" is the last instruction that is one, without being said.
  const exit = program.findLastIndex(({ opcode }) => opcode === (BPF_JMP | BPF_EXIT));
  for (const { slot, label, field } of jumps) {
    const target = labels.get(label) ?? (label === "exit" ? exit : undefined);
    if (target === undefined) throw new Error(`there is no label ${label}`);
    program[slot] = { ...(program[slot] as Instruction), [field]: target - slot - 1 };
  }
  return program;
}

function instructionOf(line: string, jumpTo: (label: string, field: "offset" | "imm") => void): Instruction[] {
  const [, mnemonic = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  const operands = rest.split(",").map((operand) => operand.trim());
  const [first = "", second = ""] = operands;
  const make = (fields: Partial<Instruction> & { opcode: number }): Instruction[] => [
    { dst: 0, src: 0, offset: 0, imm: 0, ...fields },
  ];
  const target = (text: string, field: "offset" | "imm"): number => {
    if (/^[+-]/.test(text)) return Number(text);
    jumpTo(text, field);
    return 0;
  };
  if (mnemonic === "exit") return make({ opcode: BPF_JMP | BPF_EXIT });
  if (mnemonic === "ja") return make({ opcode: BPF_JMP | BPF_JA, offset: target(first, "offset") });
  if (mnemonic === "ja32") return make({ opcode: BPF_JMP32 | BPF_JA, imm: target(first, "imm") });
  if (mnemonic === "lddw") {
    const value = BigInt.asUintN(64, BigInt(second));
    const low = Number(BigInt.asIntN(32, value));
    const high = Number(BigInt.asIntN(32, value >> 32n));
    return [...make({ opcode: LD_IMM64, dst: register(first), imm: low }), ...make({ opcode: 0, imm: high })];
  }
  if (mnemonic === "call") {
    const [mode = "", callee = ""] = first.split(/\s+/);
    if (mode === "local") return make({ opcode: BPF_JMP | BPF_CALL, src: BPF_PSEUDO_CALL, imm: target(callee, "imm") });
    // The suite's runner has functions of its own under some numbers; a kernel has its helpers there, which do as well.
    if (/^\d+$/.test(mode)) return make({ opcode: BPF_JMP | BPF_CALL, imm: Number(mode) });
    return make({ opcode: BPF_JMP | BPF_CALL | BPF_X, dst: register(mode) });
  }
  if (mnemonic === "lock") return make(atomicOf(rest));
  const swap = /^(be|le|b?swap)(16|32|64)$/.exec(mnemonic);
  if (swap !== null) {
    const kind = swap[1] === "be" ? BPF_ALU | BPF_X : swap[1] === "le" ? BPF_ALU : BPF_ALU64;
    return make({ opcode: kind | BPF_END, dst: register(first), imm: Number(swap[2]) });
  }
  const load = /^ldx(s?)(b|h|w|dw)$/.exec(mnemonic);
  if (load !== null) {
    const mode = load[1] === "s" ? BPF_MEMSX : BPF_MEM;
    const { base, offset } = placeOf(second);
    return make({
      opcode: BPF_LDX | mode | (WIDTHS[load[2] as string] as number),
      dst: register(first),
      src: base,
      offset,
    });
  }
  const store = /^st(x?)(b|h|w|dw)$/.exec(mnemonic);
  if (store !== null) {
    const { base, offset } = placeOf(first);
    const width = WIDTHS[store[2] as string] as number;
    const value = store[1] === "x" ? { src: register(second) } : { imm: immediate(second) };
    return make({ opcode: (store[1] === "x" ? BPF_STX : BPF_ST) | BPF_MEM | width, dst: base, offset, ...value });
  }
  const [, operation = "", half] = /^(.*?)(32|64)?$/.exec(mnemonic) ?? [];
  const value = second.startsWith("%") ? { src: register(second) } : { imm: second === "" ? 0 : immediate(second) };
  const form = second.startsWith("%") ? BPF_X : 0;
  const jump = JUMPS[operation];
  if (jump !== undefined) {
    const opcode = (half === "32" ? BPF_JMP32 : BPF_JMP) | jump | form;
    return make({ opcode, dst: register(first), ...value, offset: target(operands[2] ?? "", "offset") });
  }
  const [, plain = "", bits] = /^(movsx)(\d+)$/.exec(operation) ?? [undefined, operation, undefined];
  const code = ARITHMETIC[plain];
  if (code === undefined) throw new Error(`no instruction: ${line}`);
  const offset = bits !== undefined ? Number(bits) : plain === "sdiv" || plain === "smod" ? 1 : 0;
  const opcode = (half === "32" ? BPF_ALU : BPF_ALU64) | code | form;
  return make({ opcode, dst: register(first), offset, ...value });
}

function atomicOf(text: string): Partial<Instruction> & { opcode: number } {
  const [, fetch, operation = "", half, place = "", source = ""] =
    /^(fetch\s+)?([a-z]+)(32)?\s+(\[[^\]]*\])\s*,\s*(%r\d+)$/.exec(text) ?? [];
  const code = ATOMICS[operation];
  if (code === undefined) throw new Error(`no atomic instruction: ${text}`);
  const { base, offset } = placeOf(place);
  const imm = code | (fetch === undefined ? 0 : BPF_FETCH);
  return {
    opcode: BPF_STX | BPF_ATOMIC | (half === undefined ? BPF_DW : BPF_W),
    dst: base,
    src: register(source),
    offset,
    imm,
  };
}

function register(text: string): number {
  const number = /^%r(\d+)$/.exec(text)?.[1];
  if (number === undefined) throw new Error(`no register: ${text}`);
  return Number(number);
}

function immediate(text: string): number {
  return Number(text) | 0;
}

function placeOf(text: string): { readonly base: number; readonly offset: number } {
  const [, base = "", sign, digits = "0"] = /^\[(%r\d+)(?:\s*([+-])\s*(\w+))?\]$/.exec(text) ?? [];
  return { base: register(base), offset: sign === "-" ? -Number(digits) : Number(digits) };
}

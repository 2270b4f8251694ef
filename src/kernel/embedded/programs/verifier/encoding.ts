import { EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_ARSH,
  BPF_ATOMIC,
  BPF_B,
  BPF_CALL,
  BPF_DW,
  BPF_END,
  BPF_EXIT,
  BPF_H,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_JSLE,
  BPF_LD,
  BPF_LDX,
  BPF_MEM,
  BPF_MEMSX,
  BPF_NEG,
  BPF_PSEUDO_BTF_ID,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_PSEUDO_MAP_FD,
  BPF_PSEUDO_MAP_IDX,
  BPF_PSEUDO_MAP_IDX_VALUE,
  BPF_ST,
  BPF_STX,
  BPF_W,
  BPF_X,
  LD_IMM64,
} from "../../../../isa/opcodes.ts";
import { Rejection } from "./rejection.ts";

/** The opcodes that there are: `kernel/bpf/core.c: BPF_INSN_MAP`, 6.18. */
let opcodes: ReadonlySet<number> | undefined;

function isOpcode(opcode: number): boolean {
  opcodes ??= new Set([...arithmeticOpcodes(), ...jumpOpcodes(), ...memoryOpcodes()]);
  return opcodes.has(opcode);
}

function arithmeticOpcodes(): number[] {
  const opcodes: number[] = [BPF_ALU | BPF_END | BPF_X];
  for (const kind of [BPF_ALU, BPF_ALU64]) {
    for (let op = 0; op <= BPF_ARSH; op += 0x10) {
      opcodes.push(kind | op);
      if (op !== BPF_NEG) opcodes.push(kind | op | BPF_X);
    }
    opcodes.push(kind | BPF_END);
  }
  return opcodes;
}

function jumpOpcodes(): number[] {
  const opcodes: number[] = [
    BPF_JMP | BPF_CALL,
    BPF_JMP | BPF_EXIT,
    BPF_JMP | BPF_JCOND,
    BPF_JMP32 | BPF_JA,
    BPF_JMP | BPF_JA,
  ];
  for (const kind of [BPF_JMP, BPF_JMP32]) {
    for (let op = 0x10; op <= BPF_JSLE; op += 0x10) {
      if (op !== BPF_CALL && op !== BPF_EXIT) opcodes.push(kind | op, kind | op | BPF_X);
    }
  }
  return opcodes;
}

function memoryOpcodes(): number[] {
  const opcodes: number[] = [LD_IMM64];
  for (const width of [BPF_B, BPF_H, BPF_W, BPF_DW]) {
    opcodes.push(
      BPF_LDX | BPF_MEM | width,
      BPF_ST | BPF_MEM | width,
      BPF_STX | BPF_MEM | width,
      BPF_STX | BPF_ATOMIC | width,
    );
    if (width !== BPF_DW) opcodes.push(BPF_LDX | BPF_MEMSX | width, BPF_LD | BPF_ABS | width, BPF_LD | BPF_IND | width);
  }
  return opcodes;
}

/** Refuses what is no instruction, wherever it stands: `kernel/bpf/verifier.c: resolve_pseudo_ldimm64`, 6.18. */
export function checkEncoding(program: readonly Instruction[]): void {
  for (let slot = 0; slot < program.length; slot++) {
    const instruction = program[slot] as Instruction;
    if ((instruction.opcode & 7) === BPF_LDX && (instruction.imm !== 0 || !isLoadMode(instruction.opcode & 0xe0))) {
      throw new Rejection(EINVAL, `instruction ${slot}: a load leaves the immediate 0, and its mode is MEM or MEMSX`);
    }
    if (instruction.opcode === (BPF_JMP | BPF_CALL) && instruction.src === BPF_PSEUDO_KFUNC_CALL) {
      throw new Rejection(
        EINVAL,
        `instruction ${slot}: the embedded kernel has no kernel functions to call: ${instruction.imm} is one of the running kernel's`,
      );
    }
    if (instruction.opcode === LD_IMM64) {
      checkWide(instruction, program[slot + 1], slot);
      slot++;
    } else if (!isOpcode(instruction.opcode)) {
      throw new Rejection(
        EINVAL,
        `instruction ${slot}: unknown opcode ${instruction.opcode.toString(16).padStart(2, "0")}`,
      );
    }
  }
}

function isLoadMode(mode: number): boolean {
  return mode === BPF_MEM || mode === BPF_MEMSX;
}

function checkWide(first: Instruction, second: Instruction | undefined, slot: number): void {
  const isWhole =
    second !== undefined && second.opcode === 0 && second.dst === 0 && second.src === 0 && second.offset === 0;
  if (!isWhole) {
    throw new Rejection(
      EINVAL,
      `instruction ${slot}: invalid bpf_ld_imm64 insn: its second slot holds the upper word and nothing else`,
    );
  }
  if (first.src > BPF_PSEUDO_MAP_IDX_VALUE) {
    throw new Rejection(EINVAL, `instruction ${slot}: unrecognized bpf_ld_imm64 insn: source register ${first.src}`);
  }
  if (first.src === BPF_PSEUDO_BTF_ID) {
    throw new Rejection(
      EINVAL,
      `instruction ${slot}: variables and types of the kernel itself are not to be had on the embedded kernel`,
    );
  }
  if ((first.src === BPF_PSEUDO_MAP_FD || first.src === BPF_PSEUDO_MAP_IDX) && second.imm !== 0) {
    throw new Rejection(
      EINVAL,
      `instruction ${slot}: unrecognized bpf_ld_imm64 insn: a map's fd takes one word, the upper one is 0`,
    );
  }
}

/** Whether the instruction at `slot` ends a function: nothing follows it. */
export function endsPath({ opcode }: Instruction): boolean {
  return opcode === (BPF_JMP | BPF_EXIT) || opcode === (BPF_JMP | BPF_JA) || opcode === (BPF_JMP32 | BPF_JA);
}

/** Where a jump goes that is no call: its offset counts from the next slot, in the immediate when it is long. */
export function jumpTarget({ opcode, offset, imm }: Instruction, slot: number): number {
  return slot + 1 + (opcode === (BPF_JMP32 | BPF_JA) ? imm : offset);
}

/** Whether the instruction is a jump, conditional or not, that is neither a call nor the exit. */
export function isJump({ opcode }: Instruction): boolean {
  const kind = opcode & 7;
  if (kind === BPF_JMP32) return true;
  return kind === BPF_JMP && (opcode & 0xf0) !== BPF_CALL && (opcode & 0xf0) !== BPF_EXIT;
}

/** The bytes that a load or store moves. */
export function accessSize(opcode: number): number {
  switch (opcode & 0x18) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case BPF_W:
      return 4;
    default:
      return 8;
  }
}

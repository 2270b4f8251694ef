import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_EXIT,
  BPF_FETCH,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_X,
  LD_IMM64,
} from "../../../../isa/opcodes.ts";
import { helperProtos } from "../helper-protos.ts";
import { isJump, jumpTarget } from "./encoding.ts";

const CALLER_SAVED = 0b11_1111;
const ARGUMENTS = 0b11_1110;

/**
 * The registers, as bits, that some path from a slot on reads before it writes them. What is in the others tells two
 * states at that slot not apart. `kernel/bpf/verifier.c: compute_live_registers`, 6.18.
 */
export function liveRegisters(program: readonly Instruction[], goesBack: boolean): Uint16Array {
  const live = new Uint16Array(program.length);
  const uses = program.map((instruction) => usesOf(instruction));
  let isStable = false;
  while (!isStable) {
    isStable = true;
    for (let slot = program.length - 1; slot >= 0; slot--) {
      const { read, written } = uses[slot] as Uses;
      const before = read | (liveAfter(program, live, slot) & ~written);
      if (before === live[slot]) continue;
      live[slot] = before;
      // Where no jump leads back, all that follows an instruction stands behind it: one round is enough.
      if (goesBack) isStable = false;
    }
  }
  return live;
}

function liveAfter(program: readonly Instruction[], live: Uint16Array, slot: number): number {
  const instruction = program[slot] as Instruction;
  const { opcode } = instruction;
  if (opcode === (BPF_JMP | BPF_EXIT)) return 0;
  if ((opcode & 7) === BPF_ALU64 || !isJump(instruction)) return live[slot + (opcode === LD_IMM64 ? 2 : 1)] ?? 0;
  const taken = live[jumpTarget(instruction, slot)] ?? 0;
  const isUnconditional = opcode === (BPF_JMP | BPF_JA) || opcode === (BPF_JMP32 | BPF_JA);
  return isUnconditional ? taken : taken | (live[slot + 1] ?? 0);
}

interface Uses {
  readonly read: number;
  readonly written: number;
}

function usesOf({ opcode, dst, src, imm }: Instruction): Uses {
  const d = 1 << dst;
  const s = 1 << src;
  const isRegister = (opcode & BPF_X) !== 0;
  switch (opcode & 7) {
    case BPF_ALU:
    case BPF_ALU64:
      if ((opcode & 0xf0) === BPF_MOV) return { read: isRegister ? s : 0, written: d };
      return { read: isArithmeticOnOne(opcode) || !isRegister ? d : d | s, written: d };
    case BPF_LDX:
      return { read: s, written: d };
    case BPF_ST:
      return { read: d, written: 0 };
    case BPF_STX:
      return (opcode & 0xe0) === BPF_ATOMIC ? atomicUses(d, s, imm) : { read: d | s, written: 0 };
    case BPF_JMP:
    case BPF_JMP32:
      return opcode === (BPF_JMP | BPF_CALL) ? callUses(src, imm) : jumpUses(opcode, d, s);
    default:
      if (opcode === LD_IMM64) return { read: 0, written: d };
      return { read: (1 << 6) | ((opcode & 0xe0) === BPF_IND ? s : 0), written: CALLER_SAVED };
  }
}

/** Negation and byte swaps, whose source bit says something else. */
function isArithmeticOnOne(opcode: number): boolean {
  return (opcode & 0xf0) === 0x80 || (opcode & 0xf0) === 0xd0;
}

function atomicUses(d: number, s: number, imm: number): Uses {
  if (imm === BPF_LOAD_ACQ) return { read: s, written: d };
  if (imm === BPF_STORE_REL) return { read: d | s, written: 0 };
  if (imm === BPF_CMPXCHG) return { read: d | s | 1, written: 1 };
  return { read: d | s, written: (imm & BPF_FETCH) !== 0 ? s : 0 };
}

/** A helper reads as many registers as it takes arguments; of a function it is not known. `get_call_summary`. */
function callUses(src: number, imm: number): Uses {
  const proto = src === 0 ? helperProtos()[imm] : undefined;
  // What it takes depends on the program.
  const isVaried = proto?.name === "get_cgroup_classid";
  const count = isVaried ? undefined : proto?.parameters?.length;
  return { read: count === undefined ? ARGUMENTS : (2 << count) - 2, written: CALLER_SAVED };
}

function jumpUses(opcode: number, d: number, s: number): Uses {
  switch (opcode & 0xf0) {
    case BPF_JA:
    case BPF_JCOND:
      return { read: 0, written: 0 };
    case BPF_EXIT:
      return { read: 1, written: 0 };
    default:
      return { read: (opcode & BPF_X) !== 0 ? d | s : d, written: 0 };
  }
}

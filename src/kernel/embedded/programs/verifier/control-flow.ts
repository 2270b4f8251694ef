import { E2BIG, EINVAL } from "../../../../abi/errno.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
  LD_IMM64,
} from "../../../../isa/opcodes.ts";
import { endsPath, isJump, jumpTarget } from "./encoding.ts";
import { Rejection } from "./rejection.ts";

const MAX_SUBPROGRAMS = 256;

/** What a program's jumps and calls make of it. */
export interface ControlFlow {
  /** Where functions begin, ascending; the first is 0. */
  readonly starts: readonly number[];
  /** 1 where states are kept and compared: at jumps and where they lead. */
  readonly isPrunePoint: Uint8Array;
  /** Whether some jump leads back, or to itself. */
  readonly goesBack: boolean;
}

/**
 * Divides a program into functions and checks that every path stays in its function and every instruction lies on one.
 * Loops are fine. `kernel/bpf/verifier.c: add_subprog_and_kfunc, check_subprogs, check_cfg`, 6.18.
 */
export function checkControlFlow(program: readonly Instruction[]): ControlFlow {
  const starts = functionStarts(program);
  const goesBack = checkJumps(program, starts);
  const isPrunePoint = new Uint8Array(program.length);
  checkReachable(program, isPrunePoint);
  return { starts, isPrunePoint, goesBack };
}

/** The function that a slot calls or takes the address of, by its first slot. */
export function calledFunction(instruction: Instruction, slot: number): number | undefined {
  const { opcode, src, imm } = instruction;
  if (opcode === (BPF_JMP | BPF_CALL) && src === BPF_PSEUDO_CALL) return slot + imm + 1;
  if (opcode === LD_IMM64 && src === BPF_PSEUDO_FUNC) return slot + imm + 1;
  return undefined;
}

function functionStarts(program: readonly Instruction[]): number[] {
  const starts = new Set([0]);
  program.forEach((instruction, slot) => {
    if (instruction.src === 0) return;
    const start = calledFunction(instruction, slot);
    if (start === undefined) return;
    if (start < 0 || start >= program.length) {
      throw new Rejection(
        EINVAL,
        `instruction ${slot}: call to invalid destination ${start}: the program has ${program.length} slots`,
      );
    }
    starts.add(start);
  });
  if (starts.size > MAX_SUBPROGRAMS) throw new Rejection(E2BIG, `too many subprograms: at most ${MAX_SUBPROGRAMS}`);
  return [...starts].sort((a, b) => a - b);
}

/** Answers whether some jump leads back. */
function checkJumps(program: readonly Instruction[], starts: readonly number[]): boolean {
  let goesBack = false;
  starts.forEach((start, index) => {
    const end = starts[index + 1] ?? program.length;
    for (let slot = start; slot < end; slot++) {
      const instruction = program[slot] as Instruction;
      if (isJump(instruction)) {
        const target = jumpTarget(instruction, slot);
        if (target <= slot) goesBack = true;
        if (target < start || target >= end) {
          throw new Rejection(
            EINVAL,
            `jump out of range from instruction ${slot} to ${target}: its function goes from ${start} to ${end - 1}`,
          );
        }
      }
      if (slot === end - 1 && !endsPath(instruction)) {
        throw new Rejection(EINVAL, `instruction ${slot}: the last instruction of a function is an exit or a jump`);
      }
    }
  });
  return goesBack;
}

function checkReachable(program: readonly Instruction[], isPrunePoint: Uint8Array): void {
  const isSeen = new Uint8Array(program.length);
  const pending = [0];
  const visit = (slot: number): void => {
    if (slot >= program.length) throw new Rejection(EINVAL, `no instruction follows ${slot - 1}: jump out of range`);
    if (isSeen[slot] === 0) {
      isSeen[slot] = 1;
      pending.push(slot);
    }
  };
  isSeen[0] = 1;
  for (let slot = pending.pop(); slot !== undefined; slot = pending.pop()) {
    const instruction = program[slot] as Instruction;
    const callee = instruction.src === 0 ? undefined : calledFunction(instruction, slot);
    if (callee !== undefined) visit(callee);
    if (isJump(instruction)) {
      const target = jumpTarget(instruction, slot);
      isPrunePoint[target] = 1;
      visit(target);
      if (!isUnconditional(instruction)) {
        isPrunePoint[slot] = 1;
        visit(slot + 1);
      }
    } else if (instruction.opcode !== (BPF_JMP | BPF_EXIT)) {
      visit(slot + (instruction.opcode === LD_IMM64 ? 2 : 1));
    }
  }
  for (let slot = 0; slot < program.length; slot++) {
    const isWide = (program[slot] as Instruction).opcode === LD_IMM64;
    if (isSeen[slot] === 0)
      throw new Rejection(EINVAL, `unreachable insn ${slot}: no path leads to instruction ${slot}`);
    if (isWide && isSeen[++slot] === 1) {
      throw new Rejection(EINVAL, `jump into the middle of ldimm64 insn ${slot}: a 64-bit immediate takes two slots`);
    }
  }
}

function isUnconditional({ opcode }: Instruction): boolean {
  return opcode === (BPF_JMP | BPF_JA) || opcode === (BPF_JMP32 | BPF_JA);
}

/** Whether the instruction is `may_goto`, a jump that the kernel takes after long enough. */
export function isMayGoto({ opcode }: Instruction): boolean {
  return opcode === (BPF_JMP | BPF_JCOND);
}

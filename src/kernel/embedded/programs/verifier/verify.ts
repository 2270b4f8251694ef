import { E2BIG, EINVAL } from "../../../../abi/errno.ts";
import { BPF_F_SLEEPABLE } from "../../../../abi/prog-flags.ts";
import { BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_SYSCALL } from "../../../../abi/prog-types.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_PSEUDO_CALL,
  BPF_ST,
  BPF_STX,
  LD_IMM64,
} from "../../../../isa/opcodes.ts";
import { helperProtos } from "../helper-protos.ts";
import type { ProgramSource, Subprogram, Verdict, VerifiedProgram } from "../verified-program.ts";
import { checkArithmetic } from "./arithmetic.ts";
import { checkAtomic } from "./atomic.ts";
import { contextFields } from "./context-fields.ts";
import { calledFunction, checkControlFlow, isMayGoto } from "./control-flow.ts";
import { checkEncoding, jumpTarget } from "./encoding.ts";
import { checkExit } from "./exit.ts";
import { checkFunctionCall, globalFrame } from "./function-call.ts";
import { checkHelperCall } from "./helper-call.ts";
import { checkConditionalJump } from "./jump.ts";
import { liveRegisters } from "./live-registers.ts";
import { checkMayGoto } from "./may-goto.ts";
import { checkLoad, checkStore } from "./memory-access.ts";
import { checkPacketLoad } from "./packet-load.ts";
import { SeenStates } from "./pruning.ts";
import { pointer } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { checkStackDepth } from "./stack-depth.ts";
import { Frame, State } from "./state.ts";
import { Trace } from "./trace.ts";
import { Verification } from "./verification.ts";
import { checkMapImmediates, checkWideImmediate } from "./wide-immediate.ts";

/** `BPF_COMPLEXITY_LIMIT_INSNS`: instructions checked, over all paths. */
const MAX_PROCESSED = 1_000_000;

/**
 * Decides whether a program may run: whether on every path it reads only what was written, stays in the memory that is
 * its own, keeps to what its helpers take, gives back what it gets, and comes to an end. It decides as Linux does for a
 * caller with every capability (`kernel/bpf/verifier.c: bpf_check`, 6.18), and never accepts what Linux refuses for one of
 * these reasons.
 *
 * `logLevel` is that of BPF_PROG_LOAD: at 1 the log of a refused program holds the path that led to the refusal, at 2 it
 * holds every path; the refusal itself stands at its end.
 */
export function verify(source: ProgramSource, logLevel: number): Verdict {
  const trace = new Trace(source, logLevel);
  let v: Verification | undefined;
  try {
    checkSupported(source);
    checkEncoding(source.instructions);
    const flow = checkControlFlow(source.instructions);
    v = new Verification(source, flow, liveRegisters(source.instructions, flow.goesBack), trace);
    checkMapImmediates(v);
    prepare(v);
    followAll(v, new State([programFrame()]), 0);
    checkGlobals(v);
    checkStackDepth(v);
    trace.forgetPath();
    return { result: verified(v), log: `${trace.text}${summary(v)}` };
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return {
      result: { errno: -error.errno },
      log: `${trace.text}${error.message}\n${v === undefined ? "" : summary(v)}`,
    };
  }
}

function checkSupported({ type, expectedAttachType, flags }: ProgramSource): void {
  const isSleepable = (flags & BPF_F_SLEEPABLE) !== 0;
  if (type === BPF_PROG_TYPE_SYSCALL && !isSleepable) {
    throw new Rejection(EINVAL, "Syscall programs can only be sleepable: load them with BPF_F_SLEEPABLE");
  }
  if (isSleepable && type !== BPF_PROG_TYPE_SYSCALL && type !== BPF_PROG_TYPE_KPROBE) {
    throw new Rejection(
      EINVAL,
      "Only fentry/fexit/fmod_ret, lsm, iter, uprobe, and struct_ops programs can be sleepable: load it without BPF_F_SLEEPABLE",
    );
  }
  if (contextFields(type, expectedAttachType) !== undefined) return;
  throw new Rejection(
    EINVAL,
    `the embedded kernel does not verify programs of type ${type}: what their context holds is a part of the running kernel`,
  );
}

function programFrame(): Frame {
  const frame = new Frame(0, -1, 0, "entry");
  frame.registers[1] = pointer("ctx");
  return frame;
}

/** Where states are always kept, and which functions move the packet. */
function prepare(v: Verification): void {
  const protos = helperProtos();
  v.program.forEach((instruction, slot) => {
    const isHelper = instruction.opcode === (BPF_JMP | BPF_CALL) && instruction.src === 0;
    const proto = isHelper ? protos[instruction.imm] : undefined;
    const callsBack = proto?.parameters?.includes("callback") === true && proto.name !== "timer_set_callback";
    if (callsBack) v.callsBack[slot] = 1;
    if (callsBack || isMayGoto(instruction)) {
      v.isForced[slot] = 1;
      v.flow.isPrunePoint[slot] = 1;
    }
    const isTailCall = proto?.name === "tail_call";
    if (isTailCall || isPacketLoad(instruction)) noteAbnormalReturn(v, slot, isTailCall);
    if (proto?.changesPacket) v.changesPacket[functionOf(v, slot)] = 1;
  });
  let isStable = !v.changesPacket.includes(1);
  while (!isStable) {
    isStable = true;
    v.program.forEach((instruction, slot) => {
      const callee = calledFunction(instruction, slot);
      if (callee === undefined || v.changesPacket[v.functionAt(callee)] !== 1) return;
      const caller = functionOf(v, slot);
      if (v.changesPacket[caller] === 0) {
        v.changesPacket[caller] = 1;
        isStable = false;
      }
    });
  }
}

/** What may end the program in the middle of a function, whose caller then goes on with a number that is none of its own. */
function noteAbnormalReturn(v: Verification, slot: number, isTailCall: boolean): void {
  const index = functionOf(v, slot);
  const facts = v.functions[index];
  if (facts !== undefined && isTailCall) facts.hasTailCall = true;
  if (index === 0) return;
  const what = isTailCall ? "tail_call" : "LD_ABS";
  const declared = v.source.functions?.find(({ start }) => start === facts?.start);
  if (declared === undefined) {
    throw new Rejection(EINVAL, `${what} is not allowed in subprogs without BTF: instruction ${slot} is in one`);
  }
  if (declared.returnsVoid) {
    throw new Rejection(EINVAL, `${what} is only allowed in functions that return 'int': ${declared.name} does not`);
  }
}

function isPacketLoad({ opcode }: Instruction): boolean {
  return (opcode & 7) === BPF_LD && opcode !== LD_IMM64 && opcode !== 0;
}

function functionOf(v: Verification, slot: number): number {
  let index = 0;
  v.flow.starts.forEach((start, at) => {
    if (start <= slot) index = at;
  });
  return index;
}

/** Verifies each global function that is called, for whatever its parameters allow. */
function checkGlobals(v: Verification): void {
  const done = new Set<number>();
  for (;;) {
    const index = [...v.calledGlobals].find((candidate) => !done.has(candidate));
    if (index === undefined) return;
    done.add(index);
    const declared = v.source.functions?.find(({ start }) => start === v.flow.starts[index]);
    if (declared !== undefined) followAll(v, new State([globalFrame(index, declared)]), declared.start);
  }
}

/** Follows every path from a state to its end. */
function followAll(v: Verification, state: State, slot: number): void {
  const seen = new SeenStates(v);
  v.state = state;
  v.slot = slot;
  v.trace.startPath(-1, slot);
  do {
    followPath(v, seen);
  } while (v.nextPath((kept) => seen.complete(kept)));
}

function followPath(v: Verification, seen: SeenStates): void {
  const { program } = v;
  for (;;) {
    const { slot } = v;
    const instruction = program[slot];
    if (instruction === undefined)
      throw new Rejection(EINVAL, `invalid insn idx ${slot}: the program has ${program.length} slots`);
    if (++v.processed > MAX_PROCESSED) {
      throw new Rejection(
        E2BIG,
        `BPF program is too large. Processed ${v.processed} insn: its paths together take more than ${MAX_PROCESSED} steps to check; bound its loops more tightly`,
      );
    }
    if (v.flow.isPrunePoint[slot] === 1 && seen.isCovered(v)) return;
    v.reached[slot] = 1;
    v.trace.instruction(slot, v.frame);
    if (step(v, instruction)) return;
  }
}

/** Checks one instruction and goes to the next; answers whether the path is at its end. */
function step(v: Verification, instruction: Instruction): boolean {
  const { opcode } = instruction;
  switch (opcode & 7) {
    case BPF_ALU:
    case BPF_ALU64:
      checkArithmetic(v, instruction);
      break;
    case BPF_LDX:
      checkLoad(v, instruction);
      break;
    case BPF_STX:
      if ((opcode & 0xe0) === BPF_ATOMIC) checkAtomic(v, instruction);
      else checkStore(v, instruction, true);
      break;
    case BPF_ST:
      checkStore(v, instruction, false);
      break;
    case BPF_JMP:
    case BPF_JMP32:
      v.jumps++;
      return jump(v, instruction);
    default:
      if (opcode !== LD_IMM64) {
        checkPacketLoad(v, instruction);
        break;
      }
      checkWideImmediate(v, instruction);
      v.slot++;
  }
  v.slot++;
  return false;
}

function jump(v: Verification, instruction: Instruction): boolean {
  const { opcode } = instruction;
  switch (opcode & 0xf0) {
    case BPF_CALL:
      call(v, instruction);
      return false;
    case BPF_EXIT:
      checkReserved(
        instruction,
        "BPF_EXIT",
        instruction.src === 0 && instruction.imm === 0 && opcode === (BPF_JMP | BPF_EXIT),
      );
      return checkExit(v);
    case BPF_JA: {
      const isLong = opcode === (BPF_JMP32 | BPF_JA);
      const isValid =
        instruction.src === 0 && instruction.dst === 0 && (isLong ? instruction.offset : instruction.imm) === 0;
      checkReserved(instruction, "BPF_JA", isValid);
      v.slot = jumpTarget(instruction, v.slot);
      return false;
    }
    default:
      if (isMayGoto(instruction)) checkMayGoto(v, instruction);
      else checkConditionalJump(v, instruction);
      return false;
  }
}

function checkReserved({ dst, opcode }: Instruction, name: string, isValid: boolean): void {
  const isZero = name === "BPF_JA" || dst === 0;
  if (isValid && isZero && (opcode & 8) === 0) return;
  throw new Rejection(EINVAL, `${name} uses reserved fields: what it does not take is 0`);
}

function call(v: Verification, { opcode, dst, src, offset, imm }: Instruction): void {
  const isValid = opcode === (BPF_JMP | BPF_CALL) && dst === 0 && offset === 0 && src <= BPF_PSEUDO_CALL;
  if (!isValid) throw new Rejection(EINVAL, "BPF_CALL uses reserved fields: destination and offset are 0");
  if (src === BPF_PSEUDO_CALL) return checkFunctionCall(v, v.slot + imm + 1);
  const { slot } = v;
  const frames = v.state.frames.length;
  checkHelperCall(v, imm);
  // A tail call in a function goes on with what follows the call of the function.
  if (v.slot === slot && v.state.frames.length === frames) v.slot++;
}

function verified(v: Verification): VerifiedProgram {
  const subprograms: Subprogram[] = v.functions.map(({ start, end, stackDepth, isCallback }) => ({
    start,
    end,
    stackDepth: Math.ceil(stackDepth / 8) * 8,
    isCallback,
  }));
  const { source, reached, calls, maxContextOffset, processed } = v;
  return { source, subprograms, reachable: reached, calls, maxContextOffset, visited: processed };
}

function summary(v: Verification): string {
  return `processed ${v.processed} insns (limit ${MAX_PROCESSED})\n`;
}

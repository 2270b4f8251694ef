import { E2BIG, EACCES } from "../../../../abi/errno.ts";
import {
  BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_PERF_EVENT,
  BPF_PROG_TYPE_RAW_TRACEPOINT,
  BPF_PROG_TYPE_TRACEPOINT,
} from "../../../../abi/prog-types.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import { BPF_CALL, BPF_JMP } from "../../../../isa/opcodes.ts";
import { calledFunction } from "./control-flow.ts";
import { Rejection } from "./rejection.ts";
import { MAX_STACK } from "./stack.ts";
import type { Verification } from "./verification.ts";

const MAX_FRAMES = 8;
/** What the functions before one that ends in a tail call may use: `check_max_stack_depth_subprog`. */
const MAX_BEFORE_TAIL_CALL = 256;
/** `BPF_PRIV_STACK_MIN_SIZE`. */
const PRIVATE_FROM = 64;

const PRIVATE_STACK_TYPES: ReadonlySet<number> = new Set([
  BPF_PROG_TYPE_KPROBE,
  BPF_PROG_TYPE_TRACEPOINT,
  BPF_PROG_TYPE_PERF_EVENT,
  BPF_PROG_TYPE_RAW_TRACEPOINT,
]);

/** Refuses functions that together use too much stack, along any chain of calls: `check_max_stack_depth`, 6.18. */
export function checkStackDepth(v: Verification): void {
  const hasTailCall = v.functions.some((facts) => facts.hasTailCall);
  const hasPrivateStack = !hasTailCall && PRIVATE_STACK_TYPES.has(v.source.type);
  const calls = v.functions.map((facts) => callsOf(v, facts.start, facts.end));
  for (let root = v.functions.length - 1; root >= 0; root--) {
    if (root === 0 || v.functions[root]?.isAsyncCallback) follow(v, calls, root, 0, 0, hasPrivateStack && root === 0);
  }
}

interface Call {
  readonly callee: number;
  readonly isDirect: boolean;
}

function callsOf(v: Verification, start: number, end: number): Call[] {
  const calls: Call[] = [];
  for (let slot = start; slot < end; slot++) {
    const instruction = v.program[slot] as Instruction;
    const callee = calledFunction(instruction, slot);
    if (callee !== undefined)
      calls.push({ callee: v.functionAt(callee), isDirect: instruction.opcode === (BPF_JMP | BPF_CALL) });
  }
  return calls;
}

function follow(
  v: Verification,
  calls: readonly Call[][],
  index: number,
  before: number,
  frames: number,
  isPrivate: boolean,
): void {
  const facts = v.functions[index];
  if (facts === undefined) return;
  if (index !== 0 && facts.hasTailCall && before >= MAX_BEFORE_TAIL_CALL) {
    throw new Rejection(
      EACCES,
      `tail_calls are not allowed when call stack of previous frames is ${before} bytes. Too large: at most ${MAX_BEFORE_TAIL_CALL - 1}`,
    );
  }
  const own = Math.ceil(Math.max(Math.ceil(facts.stackDepth / 8) * 8, 0) / 16) * 16;
  const isApart = isPrivate && own >= PRIVATE_FROM;
  const depth = isApart ? before : before + own;
  if (depth > MAX_STACK) {
    throw new Rejection(
      EACCES,
      `combined stack size of ${frames + 1} calls is ${depth}. Too large: at most ${MAX_STACK} bytes`,
    );
  }
  for (const { callee, isDirect } of calls[index] ?? []) {
    if (v.functions[callee]?.isAsyncCallback && !isDirect) continue;
    if (frames + 1 >= MAX_FRAMES)
      throw new Rejection(E2BIG, `the call stack of ${frames + 1} frames is too deep: at most ${MAX_FRAMES}`);
    follow(v, calls, callee, depth, frames + 1, isPrivate);
  }
}

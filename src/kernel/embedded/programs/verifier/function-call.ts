import { E2BIG, EACCES, EINVAL } from "../../../../abi/errno.ts";
import type { DeclaredFunction } from "../verified-program.ts";
import { describe } from "./describe.ts";
import { checkHelperMemory } from "./helper-memory.ts";
import { widen } from "./loops.ts";
import { forgetPacket } from "./references.ts";
import { markPrecise, pointer, type Register, UNINIT, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { Frame, type State } from "./state.ts";
import type { Verification } from "./verification.ts";

/** `MAX_CALL_FRAMES`. */
const MAX_FRAMES = 8;

/** A call of a function of the program: `kernel/bpf/verifier.c: check_func_call`, 6.18. */
export function checkFunctionCall(v: Verification, start: number): void {
  const index = v.functionAt(start);
  const declared = v.source.functions?.find((candidate) => candidate.start === start);
  if (declared?.isGlobal) return checkGlobalCall(v, declared, index);
  const caller = v.frame;
  enter(v.state, new Frame(v.state.frames.length, v.slot, index, "call"));
  const callee = v.frame;
  for (let number = 1; number <= 5; number++) callee.registers[number] = caller.registers[number] as Register;
  caller.registers.fill(UNINIT, 0, 6);
  v.slot = start;
}

/** Adds a frame to a state; refuses a call too many. */
export function enter(state: State, frame: Frame): void {
  if (state.frames.length >= MAX_FRAMES) {
    throw new Rejection(
      E2BIG,
      `the call stack of ${state.frames.length + 1} frames is too deep: at most ${MAX_FRAMES} functions are under way at one time, and none calls itself`,
    );
  }
  state.frames.push(frame);
}

/** A global function is verified for itself: here only what it is given is checked, and its answer is some number. */
function checkGlobalCall(v: Verification, declared: DeclaredFunction, index: number): void {
  if (v.state.lock !== undefined) {
    throw new Rejection(
      EINVAL,
      "global function calls are not allowed while holding a lock: use a static function instead",
    );
  }
  if (declared.parameters === undefined) {
    throw new Rejection(
      EINVAL,
      `Caller passes invalid args into func#${index} ('${declared.name}'): a parameter of this type is not supported; make the function static`,
    );
  }
  declared.parameters.forEach((parameter, position) => {
    const number = position + 1;
    const register = v.read(number);
    const name = `R${number}`;
    const refuse = (wanted: string): never => {
      throw new Rejection(
        EINVAL,
        `Caller passes invalid args into func#${index} ('${declared.name}'): ${name} is ${describe(register)}, and the function takes ${wanted}`,
      );
    };
    if (parameter.kind === "scalar") {
      if (!register.isScalar) refuse("a number");
    } else if (parameter.kind === "ctx") {
      if (register.kind !== "ctx" || register.place !== 0) refuse("the context");
    } else {
      checkMemoryArgument(v, name, register, parameter.size, parameter.isNullable, refuse);
    }
  });
  if (v.changesPacket[index] === 1) forgetPacket(v);
  v.calledGlobals.add(index);
  v.forgetCallerSaved();
  v.registers[0] = UNKNOWN_SCALAR;
  v.slot++;
}

function checkMemoryArgument(
  v: Verification,
  name: string,
  register: Register,
  size: number,
  isNullable: boolean,
  refuse: (wanted: string) => never,
): void {
  if (register.isNull && isNullable) return;
  if (register.isNull || (register.isNullable && !isNullable)) refuse("memory that is not NULL");
  const known = register.copy();
  known.isNullable = false;
  try {
    checkHelperMemory(v, name, known, size, "read", true);
    checkHelperMemory(v, name, known, size, "write", true);
  } catch (error) {
    throw error instanceof Rejection ? error.as(EINVAL) : error;
  }
}

/** A function returns to its caller, or a callback to the helper that called it: `prepare_func_exit`, 6.18. */
export function returnFromFunction(v: Verification): void {
  const callee = v.frame;
  const answer = callee.registers[0] as Register;
  if (answer.kind === "stack") throw new Rejection(EINVAL, "cannot return stack pointer to the caller");
  if (callee.kind === "callback") checkCallbackAnswer(answer, callee, "At callback return");
  v.state.frames.pop();
  if (callee.kind === "callback") {
    v.slot = callee.callSite;
    widen(v);
  } else {
    v.registers[0] = answer;
    v.slot = callee.callSite + 1;
  }
}

/** What a callback may answer. */
export function checkCallbackAnswer(answer: Register, frame: Frame, when: string): void {
  if (!answer.isScalar) throw new Rejection(EACCES, `R0 not a scalar value: ${when} it is ${describe(answer)}`);
  markPrecise(answer);
  if (answer.range.smin >= frame.returnMin && answer.range.smax <= frame.returnMax) return;
  const wanted =
    frame.returnMin === frame.returnMax ? `${frame.returnMin}` : `${frame.returnMin} or ${frame.returnMax}`;
  throw new Rejection(EINVAL, `${when} the register R0 has ${describe(answer)}: it should have been ${wanted}`);
}

/** The frame of a global function that is verified by itself. */
export function globalFrame(index: number, declared: DeclaredFunction): Frame {
  const frame = new Frame(0, -1, index, "entry");
  declared.parameters?.forEach((parameter, position) => {
    frame.registers[position + 1] = parameterRegister(parameter, position + 1);
  });
  return frame;
}

function parameterRegister(parameter: NonNullable<DeclaredFunction["parameters"]>[number], id: number): Register {
  if (parameter.kind === "scalar") return UNKNOWN_SCALAR;
  if (parameter.kind === "ctx") return pointer("ctx");
  const memory = pointer("mem");
  memory.extent = parameter.size;
  memory.isNullable = parameter.isNullable;
  memory.id = parameter.isNullable ? id : 0;
  return memory;
}

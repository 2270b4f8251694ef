import type { Instruction } from "../../../../isa/instruction.ts";
import { isWide } from "../../../../isa/instruction.ts";
import {
  BPF_ABS,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_EXIT,
  BPF_IND,
  BPF_JMP,
  BPF_LD,
  BPF_LDX,
  BPF_PSEUDO_CALL,
  BPF_ST,
  BPF_STX,
} from "../../../../isa/opcodes.ts";
import type { Subprogram } from "../verified-program.ts";
import type { FunctionBody, Local } from "../wasm/function-body.ts";
import { I32, I32_ADD, I32_GE_U, RETURN } from "../wasm/opcodes.ts";
import { writeArithmetic } from "./arithmetic.ts";
import { writeCondition } from "./condition.ts";
import { flowGraph, isConditional, isMayGoto } from "./flow-graph.ts";
import { MemoryAccess } from "./memory-access.ts";
import type { ProgramCompiler } from "./program-compiler.ts";
import { makeReducible } from "./reducible.ts";
import { Registers } from "./registers.ts";
import { writeStructured } from "./structure.ts";

/** `BPF_MAX_LOOPS`. */
const MOST_MAY_GOTO = 8 * 1024 * 1024;

/** Compiles one function of a program. */
export class FunctionCompiler {
  readonly #program: ProgramCompiler;
  readonly #body: FunctionBody;
  readonly #registers: Registers;
  readonly #access: MemoryAccess;
  #mayGotos: Local | undefined;

  constructor(program: ProgramCompiler, body: FunctionBody) {
    this.#program = program;
    this.#body = body;
    this.#registers = new Registers(body);
    this.#access = new MemoryAccess(this.#registers, program.accessMode);
  }

  compile(subprogram: Subprogram): void {
    const { source, reachable } = this.#program.verified;
    const nodes = flowGraph(source.instructions, subprogram, reachable);
    makeReducible(nodes);
    writeStructured(this.#body, nodes, this);
  }

  block(start: number, end: number, hasCondition: boolean): void {
    const { instructions } = this.#program.verified.source;
    for (let slot = start; slot < end; slot++) {
      const instruction = instructions[slot] as Instruction;
      if (isConditional(instruction)) {
        if (hasCondition) this.#condition(instruction);
      } else this.#instruction(instruction, slot);
      if (isWide(instruction)) slot++;
    }
  }

  #instruction(instruction: Instruction, slot: number): void {
    const { opcode } = instruction;
    switch (opcode & 0x07) {
      case BPF_ALU:
      case BPF_ALU64:
        return writeArithmetic(this.#registers, instruction);
      case BPF_LDX:
        return this.#access.load(instruction, slot);
      case BPF_ST:
        return this.#access.store(instruction, slot);
      case BPF_STX:
        if ((opcode & 0xe0) === BPF_ATOMIC) return this.#access.atomic(instruction, slot);
        return this.#access.store(instruction, slot);
      case BPF_LD:
        return this.#immediateOrPacket(instruction, slot);
      default:
        return this.#jump(instruction, slot);
    }
  }

  #immediateOrPacket(instruction: Instruction, slot: number): void {
    const mode = instruction.opcode & 0xe0;
    if (mode === BPF_ABS || mode === BPF_IND) return this.#program.writePacketLoad(this.#registers, instruction);
    this.#body.i64(this.#program.immediate(slot));
    this.#registers.set(instruction.dst);
  }

  /** A jump without a condition is the edge of the flow graph. */
  #jump({ opcode, src, imm }: Instruction, slot: number): void {
    const operation = opcode & 0xf0;
    if (operation === BPF_EXIT) this.#registers.get(0).op(RETURN);
    if (operation !== BPF_CALL || (opcode & 0x07) !== BPF_JMP) return;
    if (src === BPF_PSEUDO_CALL) this.#callFunction(slot + 1 + imm);
    else if (src === 0) this.#program.writeHelperCall(this.#registers, slot, imm);
    else throw new Error(`slot ${slot} calls a kernel function, which the verifier let through`);
  }

  #callFunction(start: number): void {
    for (let register = 1; register <= 5; register++) this.#registers.get(register);
    this.#registers.calleeFrame().call(this.#program.functionAt(start));
    this.#registers.set(0);
  }

  #condition(instruction: Instruction): void {
    if (!isMayGoto(instruction)) return writeCondition(this.#registers, instruction);
    this.#mayGotos ??= this.#body.local(I32);
    const count = this.#mayGotos;
    this.#body
      .get(count)
      .i32(1)
      .op(I32_ADD)
      .tee(count)
      .i32(this.#program.target.mayGotoRounds ?? MOST_MAY_GOTO)
      .op(I32_GE_U);
  }
}

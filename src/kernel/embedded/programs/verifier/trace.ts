import { disassembleAt } from "../../../../isa/disassemble.ts";
import type { Instruction } from "../../../../isa/instruction.ts";
import type { ProgramSource } from "../verified-program.ts";
import { describe } from "./describe.ts";
import type { Frame } from "./state.ts";

/** The bits of `log_level`. */
const BPF_LOG_LEVEL1 = 1;
const BPF_LOG_LEVEL2 = 2;
/** Lines of the path that led to a refusal. */
const KEPT_LINES = 400;

/**
 * What the verifier goes through, for the log: at level 1 the path that was refused, at level 2 every path. The last
 * lines matter; those long before are dropped.
 */
export class Trace {
  readonly #source: ProgramSource;
  readonly #keepsAll: boolean;
  #lines: string[] = [];
  #lastLine: string | undefined;
  readonly isOn: boolean;

  constructor(source: ProgramSource, level: number) {
    this.#source = source;
    this.isOn = (level & (BPF_LOG_LEVEL1 | BPF_LOG_LEVEL2)) !== 0;
    this.#keepsAll = (level & BPF_LOG_LEVEL2) !== 0;
  }

  /** A path begins, or goes on at a branch that was put off. */
  startPath(from: number, to: number): void {
    if (!this.isOn) return;
    if (!this.#keepsAll) this.#lines = [];
    this.#lastLine = undefined;
    if (from >= 0) this.add(`from ${from} to ${to}:`);
  }

  /** An instruction, before it is checked. */
  instruction(slot: number, frame: Frame): void {
    if (!this.isOn) return;
    const line = this.#source.lineOf?.(slot);
    if (line !== undefined && line !== this.#lastLine) this.add(`; ${line}`);
    this.#lastLine = line;
    const registers = registersOf(this.#source.instructions[slot] as Instruction)
      .filter((number) => frame.registers[number]?.kind !== "uninit")
      .map((number) => `R${number} is ${describe(frame.registers[number]!)}`);
    this.add(
      `${slot}: ${disassembleAt(this.#source.instructions, slot)}${registers.length > 0 ? `  ; ${registers.join(", ")}` : ""}`,
    );
  }

  add(line: string): void {
    this.#lines.push(line);
    if (!this.#keepsAll && this.#lines.length > 2 * KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES);
  }

  /** The lines so far, each ended. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  /** What was found out at the end: without level 2, the path that led there is of no interest when all is well. */
  forgetPath(): void {
    if (!this.#keepsAll) this.#lines = [];
  }
}

/** The registers that an instruction names. */
function registersOf({ opcode, dst, src }: Instruction): number[] {
  const kind = opcode & 7;
  if (kind === 5 && (opcode & 0xf0) === 0x80) return [1, 2, 3, 4, 5];
  if (kind === 5 && (opcode & 0xf0) === 0x90) return [0];
  const usesSource = kind === 1 || kind === 3 || ((opcode & 8) !== 0 && kind >= 4);
  const usesDestination = kind !== 1 && kind !== 0 && !((kind === 4 || kind === 7) && (opcode & 0xf0) === 0xb0);
  const numbers = new Set([...(usesDestination ? [dst] : []), ...(usesSource ? [src] : [])]);
  return [...numbers].filter((number) => number <= 10);
}

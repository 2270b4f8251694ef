import { Assembler, type Instruction } from "mapiary";
import type { ProgramMeasure } from "./program-measures.ts";

/** Rounds of the loop in one run: as many as make what surrounds it small. */
export const ROUNDS_PER_RUN = 1000;

/** A program that does nothing but calculate, each operation with what the one before it gave. */
export function arithmeticProgram(measure: ProgramMeasure): Instruction[] {
  const program = new Assembler().load("u32", "r6", "r1", 0).mov("r0", 1).mov("r7", 0).label("next");
  if (measure === "arithmetic-64") {
    program
      .mul("r0", 31)
      .add("r0", "r6")
      .mov("r2", "r0")
      .rsh("r2", 13)
      .xor("r0", "r2")
      .mov("r3", "r0")
      .lsh("r3", 7)
      .xor("r0", "r3")
      .add("r0", "r7")
      .and("r0", -8)
      .add("r7", 1)
      .jlt("r7", ROUNDS_PER_RUN, "next");
  } else {
    program
      .mul("w0", 31)
      .add("w0", "w6")
      .mov("w2", "w0")
      .rsh("w2", 13)
      .xor("w0", "w2")
      .mov("w3", "w0")
      .lsh("w3", 7)
      .xor("w0", "w3")
      .div("w0", 3)
      .add("w0", "w7")
      .and("w0", -8)
      .add("w7", 1)
      .jlt("w7", ROUNDS_PER_RUN, "next");
  }
  return program.exit().assemble();
}

import { Assembler, type Bpf, BpfError, u64 } from "mapiary";
import type { SuiteTest } from "./suite-file.ts";

/** The least that a kernel runs an XDP program on. */
const LEAST_PACKET = 64;

/**
 * What r0 is when a test's program has run on a kernel; the error's code when it was refused. The program is a function
 * that is called with the memory – a packet – and its size: a kernel gives all 64 bits of r0 to whoever calls.
 */
export function runSuiteTest(bpf: Bpf, { instructions, memory }: SuiteTest): bigint | string {
  using results = bpf.createMap({ type: "array", name: "results", value: u64, maxEntries: 1 });
  const size = memory?.length ?? 0;
  const asm = new Assembler();
  if (memory === undefined) {
    asm.mov("r1", 0);
  } else {
    asm.load("u32", "r3", "r1", 4).load("u32", "r1", "r1", 0).mov("r2", "r1").add("r2", size).jgt("r2", "r3", "out");
  }
  asm.mov("r2", size).callFunction("test").loadMapValue("r1", results).store("u64", "r1", 0, "r0");
  asm.label("out").mov("r0", 2).exit().label("test");
  for (const instruction of instructions) asm.raw(instruction);
  try {
    using program = bpf.loadProgram({ type: "xdp", name: "suite", instructions: asm.assemble() });
    const data = new Uint8Array(Math.max(LEAST_PACKET, size));
    data.set(memory ?? []);
    program.run({ data });
  } catch (error) {
    if (error instanceof BpfError) return error.code;
    throw error;
  }
  return results.get(0) ?? 0n;
}

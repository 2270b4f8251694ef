/**
 * Programs that nothing has verified, for tests of what comes behind the verifier: Linux accepts every program that they
 * load, or the test has made sure of it by itself.
 */

import { type Instruction, isWide } from "../../src/isa/instruction.ts";
import {
  BPF_CALL,
  BPF_EXIT,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_FUNC,
} from "../../src/isa/opcodes.ts";
import type { EmbeddedOptions } from "../../src/kernel/embedded/embedded-kernel.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import type { EmbeddedMap } from "../../src/kernel/embedded/map-ops.ts";
import type {
  ProgramSource,
  Subprogram,
  Verdict,
  VerifiedCall,
} from "../../src/kernel/embedded/programs/verified-program.ts";
import { Sys } from "../../src/sys/sys.ts";

/** The commands of an embedded kernel that loads whatever it is given. */
export function trustingSys(options: EmbeddedOptions = {}): Sys {
  return new Sys(new EmbeddedKernel(options, undefined, { verify: trust }));
}

/** Takes a program for verified: finds out where its functions are, what is reached, and the maps of its calls. */
export function trust(source: ProgramSource): Verdict {
  const { instructions } = source;
  const callbacks = new Set<number>();
  const starts = new Set([0]);
  const reachable = new Uint8Array(instructions.length);
  const work = [0];
  for (let slot = work.pop(); slot !== undefined; slot = work.pop()) {
    const instruction = instructions[slot];
    if (instruction === undefined || reachable[slot] === 1) continue;
    reachable[slot] = 1;
    if (isWide(instruction)) {
      reachable[slot + 1] = 1;
      if (instruction.src === BPF_PSEUDO_FUNC) callbacks.add(slot + 1 + instruction.imm);
    }
    if (isCall(instruction) && instruction.src === BPF_PSEUDO_CALL) starts.add(slot + 1 + instruction.imm);
    work.push(...starts, ...callbacks, ...following(instruction, slot));
  }
  for (const start of callbacks) starts.add(start);
  const sorted = [...starts].sort((a, b) => a - b);
  const subprograms = sorted.map(
    (start, index): Subprogram => ({
      start,
      end: sorted[index + 1] ?? instructions.length,
      stackDepth: 512,
      isCallback: callbacks.has(start),
    }),
  );
  const seen = { reachable, calls: findCalls(source), maxContextOffset: 0, visited: instructions.length };
  return { result: { source, subprograms, ...seen }, log: "" };
}

function isCall({ opcode }: Instruction): boolean {
  return opcode === (BPF_JMP | BPF_CALL);
}

function following(instruction: Instruction, slot: number): number[] {
  const { opcode, offset, imm } = instruction;
  const klass = opcode & 7;
  const operation = opcode & 0xf0;
  const next = slot + (isWide(instruction) ? 2 : 1);
  if ((klass !== BPF_JMP && klass !== BPF_JMP32) || operation === BPF_CALL) return [next];
  if (operation === BPF_EXIT) return [];
  if (operation === BPF_JA) return [slot + 1 + (klass === BPF_JMP32 ? imm : offset)];
  return [next, slot + 1 + offset];
}

/** What registers hold is followed along straight lines only, which is where programs of tests load their maps. */
function findCalls({ instructions, maps }: ProgramSource): Map<number, VerifiedCall> {
  const calls = new Map<number, VerifiedCall>();
  let held = new Map<number, EmbeddedMap | number>();
  instructions.forEach((instruction, slot) => {
    if (isWide(instruction)) {
      const map = maps.get(slot);
      if (map !== undefined) held.set(instruction.dst, map);
      if (instruction.src === BPF_PSEUDO_FUNC) held.set(instruction.dst, slot + 1 + instruction.imm);
    }
    if (!isCall(instruction)) return;
    const values = [1, 2, 3, 4, 5].map((register) => held.get(register));
    const callback = values.find((value) => typeof value === "number");
    const map = values.find((value) => typeof value === "object");
    if (instruction.src === 0) calls.set(slot, { map, callback });
    held = new Map();
  });
  return calls;
}

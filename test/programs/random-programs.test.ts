/**
 * The verifier of the embedded kernel against that of Linux on random programs, sound and broken: it accepts nothing that
 * Linux refuses, and nearly all that Linux accepts. `--runs` asks for more programs, `--seed` for the same ones again.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { E2BIG } from "../../src/abi/errno.ts";
import { disassemble } from "../../src/isa/disassemble.ts";
import type { Instruction } from "../../src/isa/instruction.ts";
import { BPF_JA, BPF_JMP, LD_IMM64 } from "../../src/isa/opcodes.ts";
import { onLinux } from "../kernels.ts";
import { callsOwnHelper, MAPS, ProgramWriter } from "./random-program.ts";
import { EmbeddedVerifier, LinuxVerifier, type TestProgram } from "./verdict.ts";

const PROGRAMS = Number(process.env["MAPIARY_RUNS"] ?? 300);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
/** Of what Linux accepts, so much at least is accepted here. */
const SHARE = 0.97;

const NOTHING: Instruction = { opcode: BPF_JMP | BPF_JA, dst: 0, src: 0, offset: 0, imm: 0 };

/** The program with as many instructions as possible replaced by jumps to the next one, so that `fails` still holds. */
function shrunk(program: TestProgram, fails: (program: TestProgram) => boolean): TestProgram {
  let smallest = program;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (let slot = 0; slot < smallest.insns.length; slot++) {
      const before = smallest.insns[slot] as Instruction;
      const isWide = before.opcode === LD_IMM64;
      if (before.opcode === NOTHING.opcode && before.offset === 0) continue;
      const insns = smallest.insns.map((insn, at) => (at === slot || (isWide && at === slot + 1) ? NOTHING : insn));
      if (!fails({ ...smallest, insns })) continue;
      smallest = { ...smallest, insns };
      isSmaller = true;
    }
  }
  return smallest;
}

onLinux(() =>
  describe("random programs", () => {
    const linux = new LinuxVerifier(MAPS);
    const embedded = new EmbeddedVerifier(MAPS);

    const isUnsound = (program: TestProgram): boolean => {
      const verdict = linux.load(program).result;
      return verdict < 0 && verdict !== -E2BIG && embedded.load(program).result === 0;
    };

    // A prog_array belongs to the type of the first program that used it, and programs of other types are refused.
    const isAcceptedAfresh = (program: TestProgram): boolean => {
      const verifier = new LinuxVerifier(MAPS);
      const { result } = verifier.load(program);
      verifier.release();
      return result === 0;
    };

    function explain(seed: number): string {
      const program = shrunk(new ProgramWriter(seed).write(), isUnsound);
      const text = disassemble(program.insns).replace(/^\d+: \(05\) goto pc\+0\n/gm, "");
      return `seed ${seed}, type ${program.type}: Linux refuses what is accepted here\n${text}\n${linux.load(program, 1).log}`;
    }

    test(`${PROGRAMS} programs find the same judgement`, (t) => {
      let accepted = 0;
      let both = 0;
      let tooLarge = 0;
      const refused: number[] = [];
      for (let seed = SEED; seed < SEED + PROGRAMS; seed++) {
        const program = new ProgramWriter(seed).write();
        if (callsOwnHelper(program)) continue;
        const { result } = linux.load(program);
        // A loop that Linux gives up after a million steps would only cost as many here.
        if (result === -E2BIG) {
          tooLarge++;
          continue;
        }
        const isAccepted = embedded.load(program).result === 0;
        if (result === 0) accepted++;
        if (result === 0 && isAccepted) both++;
        if (result === 0 && !isAccepted) refused.push(seed);
        if (result < 0 && isAccepted && !isAcceptedAfresh(program)) assert.fail(explain(seed));
      }
      const share = accepted === 0 ? 1 : both / accepted;
      t.diagnostic(`from seed ${SEED}: Linux accepts ${accepted} and gives up ${tooLarge} of ${PROGRAMS}`);
      t.diagnostic(
        `${both} of them, ${(100 * share).toFixed(2)} %, are accepted here; refused: ${refused.slice(0, 10).join(" ") || "none"}`,
      );
      assert.ok(
        share >= SHARE,
        `${(100 * share).toFixed(2)} % is less than ${100 * SHARE} %: seeds ${refused.slice(0, 20).join(" ")}`,
      );
    });
  }),
);

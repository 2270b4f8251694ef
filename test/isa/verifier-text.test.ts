/**
 * The disassembler's text is the text of the running kernel's verifier: each instruction is the first of a program that
 * is loaded with a log, in which the verifier prints an instruction before it judges it.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, disassemble, type Instruction } from "mapiary";
import { helperName } from "../../src/abi/helpers.ts";
import {
  BPF_ADD,
  BPF_ALU64,
  BPF_AND,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_EXIT,
  BPF_FETCH,
  BPF_JMP,
  BPF_LOAD_ACQ,
  BPF_MOV,
  BPF_OR,
  BPF_STORE_REL,
  BPF_XCHG,
  BPF_XOR,
  LD_IMM64,
} from "../../src/isa/opcodes.ts";
import { onLinux } from "../kernels.ts";
import { fc } from "../seeded.ts";

const RUNS = Math.max(6000, Number(process.env["MAPIARY_RUNS"] ?? 0));
const LOG_LEVEL = 2;
const NOTHING: Instruction = { opcode: BPF_ALU64 | BPF_MOV, dst: 0, src: 0, offset: 0, imm: 0 };
const EXIT: Instruction = { ...NOTHING, opcode: BPF_JMP | BPF_EXIT };
const OFFSETS = [0, 0, 0, 1, 2, 8, 16, 32, -1, -4];
const ATOMIC_IMMEDIATES = [BPF_ADD, BPF_OR, BPF_AND, BPF_XOR].flatMap((op) => [op, op | BPF_FETCH]);
const IMMEDIATES = [
  ...[0, 1, -1, 2, 16, 32, 64, 0x10000, 0x7fffffff, -0x80000000],
  ...ATOMIC_IMMEDIATES,
  ...[BPF_XCHG, BPF_CMPXCHG, BPF_LOAD_ACQ, BPF_STORE_REL],
];

const operands = fc.record({
  dst: fc.nat(10),
  src: fc.nat(10),
  offset: fc.oneof(fc.constantFrom(...OFFSETS), fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 })),
  imm: fc.oneof(fc.constantFrom(...IMMEDIATES), fc.integer()),
});

/** The first instruction in the log of a program that begins with these, `undefined` when the verifier came to none. */
function verifierText(bpf: Bpf, first: readonly Instruction[]): string | undefined {
  const logBuf = new Uint8Array(1 << 16);
  const rest = Array.from({ length: 34 }, () => NOTHING);
  const insns = [...first, ...rest, EXIT];
  const fd = bpf.sys.progLoad({ type: "socket_filter", license: "GPL", insns, logLevel: LOG_LEVEL, logBuf });
  if (fd >= 0) bpf.sys.close(fd);
  const log = new TextDecoder().decode(logBuf.subarray(0, logBuf.indexOf(0)));
  return /^(0: (?:\(|BUG).*?)(?: +; .*)?$/m.exec(log)?.[1];
}

function firstLine(first: readonly Instruction[]): string {
  return disassemble(first).split("\n")[0] as string;
}

onLinux(({ open }) => {
  describe("the text of the verifier", () => {
    test("is ours for instructions of every opcode", () => {
      using bpf = open();
      const printed = new Set<number>();
      const opcodes = Array.from({ length: 256 }, (_, opcode) => opcode);
      fc.assert(
        fc.property(fc.constantFrom(...opcodes), operands, fc.constantFrom(...IMMEDIATES), (opcode, rest, high) => {
          const isWide = opcode === LD_IMM64;
          const instruction = { opcode, ...rest, src: isWide ? 0 : rest.src };
          const first = isWide ? [instruction, { ...NOTHING, opcode: 0, imm: high }] : [instruction];
          const text = verifierText(bpf, first);
          if (text === undefined) return;
          printed.add(opcode);
          assert.equal(firstLine(first), text);
        }),
        { numRuns: RUNS },
      );
      assert.ok(printed.size > 100, `only ${printed.size} opcodes were printed`);
    });

    test("names every helper as we do", () => {
      using bpf = open();
      for (let number = 1; number <= 211; number++) {
        const call = [{ ...NOTHING, opcode: BPF_JMP | BPF_CALL, imm: number }];
        assert.equal(verifierText(bpf, call), `0: (85) call ${helperName(number)}#${number}`);
      }
      // 212 and 213 are helpers of the embedded kernel alone.
      const beyond = [{ ...NOTHING, opcode: BPF_JMP | BPF_CALL, imm: 214 }];
      assert.equal(verifierText(bpf, beyond), firstLine(beyond));
    });
  });
});

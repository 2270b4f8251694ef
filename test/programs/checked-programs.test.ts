/** Random programs, valid and broken: those that the verifier lets through never touch a byte that is not theirs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BPF_PROG_TYPE_RAW_TRACEPOINT } from "../../src/abi/prog-types.ts";
import { BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE, LD_IMM64 } from "../../src/isa/opcodes.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { AccessError } from "../../src/kernel/embedded/programs/access-check.ts";
import { Sys } from "../../src/sys/sys.ts";
import { MAPS, ProgramWriter } from "./random-program.ts";
import { trust } from "./trusted.ts";
import { makeMaps } from "./verdict.ts";

const RUNS = Number(process.env["MAPIARY_RUNS"] ?? 200);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);

test(`of ${RUNS} random programs those that are accepted keep to what is theirs (seed ${SEED})`, () => {
  const kernel = new EmbeddedKernel({ possibleCpus: 2 }, undefined, { checks: true });
  const sys = new Sys(kernel);
  const fds = makeMaps(sys, MAPS);
  let accepted = 0;
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const { type, expectedAttachType, flags, insns } = new ProgramWriter(seed).write();
    const withFds = insns.map((instruction) => {
      const { opcode, src, imm } = instruction;
      const isMap = opcode === LD_IMM64 && (src === BPF_PSEUDO_MAP_FD || src === BPF_PSEUDO_MAP_VALUE);
      return isMap ? { ...instruction, imm: fds[imm] ?? -1 } : instruction;
    });
    const fd = sys.progLoad({ type, expectedAttachType, flags, insns: withFds, license: "GPL" });
    if (fd < 0) continue;
    accepted++;
    for (const size of [14, 64, 200]) {
      if (type === BPF_PROG_TYPE_RAW_TRACEPOINT) sys.progTestRun(fd, { ctxIn: new Uint8Array(96) });
      else sys.progTestRun(fd, { dataIn: new Uint8Array(size).fill(seed) });
    }
    sys.close(fd);
  }
  kernel.release();
  assert.ok(accepted > RUNS / 10, `${accepted} programs are accepted, which is too few to show anything`);
});

test("a program that reaches for what is not its own is caught by the checks", () => {
  const sys = new Sys(new EmbeddedKernel({}, undefined, { checks: true, verify: trust }));
  const insns = [
    { opcode: 0xb7, dst: 1, src: 0, offset: 0, imm: 64 },
    { opcode: 0x79, dst: 0, src: 1, offset: 0, imm: 0 },
    { opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 },
  ];
  const fd = sys.progLoad({ type: "xdp", insns, license: "GPL" });
  assert.throws(() => sys.progTestRun(fd, { dataIn: new Uint8Array(64) }), AccessError);
});

/** Random programs, valid and broken: those that the verifier lets through never touch a byte that is not theirs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BPF_PROG_TYPE_RAW_TRACEPOINT } from "../../src/abi/prog-types.ts";
import { Assembler } from "../../src/isa/assembler.ts";
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
  // One round does what the others do: millions of them, each access checked, would take minutes.
  const kernel = new EmbeddedKernel({ possibleCpus: 2 }, undefined, { checks: true, mayGotoRounds: 500 });
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

test("a program that leaves the memory is stopped, and the kernel goes on", () => {
  const sys = new Sys(new EmbeddedKernel({}, undefined, { verify: trust }));
  const load = (code: Assembler): number => sys.progLoad({ type: "xdp", insns: code.assemble(), license: "GPL" });
  const run = { dataIn: new Uint8Array(64), retval: 0 };
  const beyond = new Assembler().loadImmediate("r1", 0xffff_ff00n).load("u64", "r0", "r1", 0x7fff).exit();
  assert.throws(() => sys.progTestRun(load(beyond), run), /was stopped \(.*\), though the verifier/);
  assert.equal(sys.progTestRun(load(new Assembler().mov("r0", 2).exit()), run), 0);
  assert.equal(run.retval, 2);
});

test("a pointer that is moved back comes to its value again by the offset of an access", () => {
  const kernel = new EmbeddedKernel({}, undefined, { checks: true });
  const sys = new Sys(kernel);
  const maps = Array.from({ length: 8 }, () =>
    sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1 }),
  );
  for (const map of maps) {
    const code = new Assembler().loadMapValue("r1", map).add("r1", -0x7fff).store("u8", "r1", 0x7fff, 7);
    code.load("u8", "r0", "r1", 0x7fff).exit();
    const fd = sys.progLoad({ type: "xdp", insns: code.assemble(), license: "GPL" });
    const run = { dataIn: new Uint8Array(64), retval: 0 };
    assert.equal(sys.progTestRun(fd, run), 0);
    assert.equal(run.retval, 7);
  }
  kernel.release();
});

test("the rounds of a function's may_goto count together: a second one has none left", () => {
  const kernel = new EmbeddedKernel({}, undefined, { mayGotoRounds: 500 });
  const sys = new Sys(kernel);
  const code = new Assembler().mov("r6", 0);
  code.label("first").mayGoto("second").jump("first");
  code.label("second").mayGoto("out").add("r6", 1).jump("second");
  const fd = sys.progLoad({ type: "xdp", insns: code.label("out").mov("r0", "r6").exit().assemble(), license: "GPL" });
  const run = { dataIn: new Uint8Array(64), retval: -1 };
  assert.equal(sys.progTestRun(fd, run), 0);
  assert.equal(run.retval, 0);
  kernel.release();
});

/** Programs that take each other's place, on every kernel. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler, type Bpf, type ProgTypeName } from "mapiary";
import { onEveryKernel } from "../kernels.ts";
import { functionInfo } from "../programs/functions.ts";

const EINVAL = -22;
const ENOENT = -2;
const E2BIG = -7;
const PACKET = new Uint8Array(64);

function key(index: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(index).buffer);
}

function progArray({ sys }: Bpf, maxEntries = 4): number {
  return sys.mapCreate({ type: "prog_array", keySize: 4, valueSize: 4, maxEntries });
}

function load({ sys }: Bpf, code: Assembler, type: ProgTypeName = "socket_filter"): number {
  const insns = code.assemble();
  const starts = insns.flatMap(({ opcode, src, imm }, slot) => (opcode === 0x85 && src === 1 ? [slot + 1 + imm] : []));
  const functions = starts.length > 0 ? functionInfo(sys, [0, ...starts]) : {};
  const fd = sys.progLoad({ type, insns, license: "GPL", ...functions });
  assert.ok(fd >= 0, `the program is refused with ${fd}`);
  return fd;
}

function run({ sys }: Bpf, fd: number): number {
  const options = { dataIn: PACKET, retval: 0 };
  assert.equal(sys.progTestRun(fd, options), 0);
  return options.retval;
}

/** Calls the program at an index, and returns a number of its own when there is none. */
function callThe(map: number, index: number, otherwise: number): Assembler {
  return new Assembler().loadMap("r2", map).mov("r3", index).call("bpf_tail_call").mov("r0", otherwise).exit();
}

onEveryKernel((kernel) => {
  describe("a tail call", () => {
    test("ends in the program that is called, and returns what it returns", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const target = load(bpf, new Assembler().mov("r0", 42).exit());
      assert.equal(bpf.sys.mapUpdateElem(map, key(1), key(target)), 0);
      assert.equal(run(bpf, load(bpf, callThe(map, 1, 7))), 42);
    });

    test("comes back where there is no program, or no such index", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      for (const index of [0, 3, 4, -1]) assert.equal(run(bpf, load(bpf, callThe(map, index, 7))), 7);
    });

    test("sees what is put in and taken out while the program is loaded", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const caller = load(bpf, callThe(map, 0, 7));
      assert.equal(run(bpf, caller), 7);
      for (const result of [1, 2]) {
        const target = load(bpf, new Assembler().mov("r0", result).exit());
        bpf.sys.mapUpdateElem(map, key(0), key(target));
        bpf.sys.close(target);
        assert.equal(run(bpf, caller), result);
      }
      assert.equal(bpf.sys.mapDeleteElem(map, key(0)), 0);
      assert.equal(run(bpf, caller), 7);
      assert.equal(bpf.sys.mapDeleteElem(map, key(0)), ENOENT);
    });

    test("may be made 33 times in a run", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const counter = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1 });
      const code = new Assembler()
        .mov("r6", "r1")
        .loadMapValue("r7", counter)
        .load("u64", "r0", "r7", 0)
        .add("r0", 1)
        .store("u64", "r7", 0, "r0")
        .mov("r1", "r6")
        .loadMap("r2", map)
        .mov("r3", 0)
        .call("bpf_tail_call")
        .load("u64", "r0", "r7", 0)
        .exit();
      const program = load(bpf, code);
      bpf.sys.mapUpdateElem(map, key(0), key(program));
      assert.equal(run(bpf, program), 34);
      assert.equal(run(bpf, program), 68, "each run has calls of its own");
      assert.equal(bpf.sys.mapDeleteElem(map, key(0)), 0);
    });

    test("in a function of the program takes the place of that function", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const target = load(bpf, new Assembler().mov("r0", 40).exit());
      bpf.sys.mapUpdateElem(map, key(0), key(target));
      const code = new Assembler()
        .mov("r6", 2)
        .callFunction("call")
        .add("r0", "r6")
        .exit()
        .label("call")
        .loadMap("r2", map)
        .mov("r3", 0)
        .call("bpf_tail_call")
        .mov("r0", 1)
        .exit();
      assert.equal(run(bpf, load(bpf, code)), 42);
      bpf.sys.mapDeleteElem(map, key(0));
      assert.equal(run(bpf, load(bpf, code)), 3);
    });

    test("leaves the stack of whoever called the function as it was", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const target = new Assembler();
      for (let offset = -512; offset < 0; offset += 8) target.store("u64", "r10", offset, -1);
      bpf.sys.mapUpdateElem(map, key(0), key(load(bpf, target.mov("r0", 0).exit())));
      const code = new Assembler()
        .store("u64", "r10", -8, 1234)
        .callFunction("call")
        .load("u64", "r0", "r10", -8)
        .exit()
        .label("call")
        .loadMap("r2", map)
        .mov("r3", 0)
        .call("bpf_tail_call")
        .mov("r0", 1)
        .exit();
      assert.equal(run(bpf, load(bpf, code)), 1234);
      bpf.sys.mapDeleteElem(map, key(0));
    });
  });

  describe("a prog_array", () => {
    test("gives the id of a program in exchange for its fd", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const program = load(bpf, new Assembler().mov("r0", 1).exit());
      const value = new Uint8Array(4);
      assert.equal(bpf.sys.mapLookupElem(map, key(0), value), ENOENT);
      bpf.sys.mapUpdateElem(map, key(0), key(program));
      assert.equal(bpf.sys.mapLookupElem(map, key(0), value), 0);
      const info = bpf.sys.progGetInfoByFd(program);
      assert.ok(typeof info === "object");
      assert.equal(new DataView(value.buffer).getUint32(0, true), info.id);
    });

    test("takes programs of one type, by their fds, at the indexes that it has", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const filter = load(bpf, new Assembler().mov("r0", 1).exit());
      const xdp = load(bpf, new Assembler().mov("r0", 1).exit(), "xdp");
      assert.equal(bpf.sys.mapUpdateElem(map, key(0), key(filter)), 0);
      assert.equal(bpf.sys.mapUpdateElem(map, key(1), key(xdp)), EINVAL);
      assert.equal(bpf.sys.mapUpdateElem(map, key(1), key(map)), EINVAL);
      assert.equal(bpf.sys.mapUpdateElem(map, key(4), key(filter)), E2BIG);
      assert.equal(bpf.sys.mapUpdateElem(map, key(1), key(filter), 1), EINVAL);
      const insns = callThe(map, 0, 0).assemble();
      assert.equal(bpf.sys.progLoad({ type: "xdp", insns, license: "GPL" }), EINVAL);
    });

    test("keeps its programs as long as someone has it open, and no longer", () => {
      using bpf = kernel.open();
      const map = progArray(bpf);
      const caller = load(bpf, callThe(map, 0, 7));
      const target = load(bpf, new Assembler().mov("r0", 42).exit());
      bpf.sys.mapUpdateElem(map, key(0), key(target));
      bpf.sys.close(target);
      assert.equal(run(bpf, caller), 42);
      bpf.sys.close(map);
      // Linux lets them go a moment later.
      const end = Date.now() + 5000;
      while (run(bpf, caller) !== 7 && Date.now() < end);
      assert.equal(run(bpf, caller), 7);
    });
  });
}, "prog_array");

/** What programs may do with locks, timers and pointers in the values of maps that they find in maps of maps. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler, type Bpf } from "mapiary";
import { EACCES, EINVAL } from "../../src/abi/errno.ts";
import { valueTypes } from "../differential/value-types.ts";
import { onEveryKernel } from "../kernels.ts";

const { bytes: TYPES, all } = valueTypes();
const KEY = new Uint8Array(4);
/** Where the lock lies in "locked in the middle". */
const LOCK = 12;

function mapOf({ sys }: Bpf, value: string): { fd: number; size: number } {
  const { id, size } = all.find(({ name }) => name === value) as (typeof all)[number];
  const btfFd = sys.btfLoad(TYPES);
  const types = { btfFd, btfKeyTypeId: 1, btfValueTypeId: id };
  const fd = sys.mapCreate({ type: "hash", keySize: 4, valueSize: size, maxEntries: 4, ...types });
  sys.close(btfFd);
  assert.ok(fd >= 0, `${fd}`);
  return { fd, size };
}

/** Loads a program that has a map of a map of maps in r9 and a value of it in r6, and answers 7 if it finds them: −errno, or what it answers. */
function run(bpf: Bpf, value: string, body: (code: Assembler) => Assembler): number {
  const { sys } = bpf;
  const { fd: inner, size } = mapOf(bpf, value);
  const outer = sys.mapCreate({ type: "array_of_maps", keySize: 4, valueSize: 4, maxEntries: 1, innerMapFd: inner });
  assert.equal(sys.mapUpdateElem(inner, KEY, new Uint8Array(size)), 0);
  assert.equal(sys.mapUpdateElem(outer, KEY, new Uint8Array(Int32Array.of(inner).buffer)), 0);
  const code = new Assembler()
    .store("u32", "r10", -4, 0)
    .loadMap("r1", outer)
    .mov("r2", "r10")
    .add("r2", -4)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .mov("r9", "r0")
    .mov("r1", "r0")
    .mov("r2", "r10")
    .add("r2", -4)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .mov("r6", "r0");
  const insns = body(code).mov("r0", 7).exit().label("none").mov("r0", 0).exit().assemble();
  const fd = sys.progLoad({ type: "sched_cls", insns, license: "GPL" });
  if (fd < 0) return fd;
  const options = { dataIn: new Uint8Array(64), retval: 0 };
  assert.equal(sys.progTestRun(fd, options), 0);
  return options.retval;
}

function lockAt(code: Assembler, offset: number): Assembler {
  const point = (): Assembler => code.mov("r1", "r6").add("r1", offset);
  point().call("bpf_spin_lock");
  return point().call("bpf_spin_unlock");
}

onEveryKernel((kernel) => {
  describe("a value of a map in a map of maps", () => {
    const answer = (value: string, body: (code: Assembler) => Assembler): number => {
      using bpf = kernel.open();
      return run(bpf, value, body);
    };

    test("has data that programs read and write", () => {
      assert.equal(
        answer("locked in the middle", (code) => code.store("u32", "r6", 0, 5)),
        7,
      );
    });

    test("has locks, timers and pointers that they cannot write as data, nor read the first two", () => {
      assert.equal(
        answer("locked in the middle", (code) => code.store("u32", "r6", LOCK, 5)),
        -EACCES,
      );
      assert.equal(
        answer("locked in the middle", (code) => code.load("u32", "r1", "r6", LOCK)),
        -EACCES,
      );
      assert.equal(
        answer("timer and number", (code) => code.store("u32", "r6", 0, 5)),
        -EACCES,
      );
      assert.equal(
        answer("kptr", (code) => code.store("u64", "r6", 0, 5)),
        -EACCES,
      );
    });

    test("has a lock that they take, where it is", () => {
      assert.equal(
        answer("locked in the middle", (code) => lockAt(code, LOCK)),
        7,
      );
      assert.equal(
        answer("locked in the middle", (code) => lockAt(code, 0)),
        -EINVAL,
      );
    });

    test("has a timer of its own map", () => {
      const init = (code: Assembler): Assembler =>
        code.mov("r1", "r6").mov("r2", "r9").mov("r3", 1).call("bpf_timer_init");
      assert.equal(answer("timer and number", init), 7);
    });
  });
});

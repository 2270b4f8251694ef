/** What Linux has for user space alone, as helpers of the embedded kernel. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler, type Bpf, embedded } from "mapiary";
import { linux } from "mapiary/linux";
import { onLinux } from "../kernels.ts";

const EINVAL = -22;
const KEY = -4;
const NEXT = -8;

function hashOf(bpf: Bpf, keys: readonly number[], type: "hash" | "lru_hash" | "percpu_hash" = "hash"): number {
  const map = bpf.sys.mapCreate({ type, keySize: 4, valueSize: 8, maxEntries: 16 });
  for (const key of keys) {
    const value = new Uint8Array(BigUint64Array.of(BigInt(key) * 10n).buffer);
    bpf.sys.mapUpdateElem(map, new Uint8Array(Uint32Array.of(key).buffer), value);
  }
  return map;
}

function take(map: number, key: number): Assembler {
  return new Assembler()
    .store("u32", "r10", KEY, key)
    .mov("r2", "r10")
    .add("r2", KEY)
    .loadMap("r1", map)
    .call("bpf_map_lookup_and_delete_elem")
    .jeq("r0", 0, "missing")
    .load("u64", "r0", "r0", 0)
    .exit()
    .label("missing")
    .mov("r0", 7)
    .exit();
}

/** Adds up to 20 keys of a map, from the first on. */
function sumOfKeys(map: number): Assembler {
  const code = new Assembler().mov("r6", 0).mov("r7", 20).mov("r2", 0);
  code.label("next").mov("r3", "r10").add("r3", NEXT).loadMap("r1", map).call("bpf_map_get_next_key");
  code.jne("r0", 0, "end").load("u32", "r1", "r10", NEXT).add("r6", "r1").store("u32", "r10", KEY, "r1");
  code.mov("r2", "r10").add("r2", KEY).sub("r7", 1).jne("r7", 0, "next");
  return code.label("end").mov("r0", "r6").exit();
}

function run(bpf: Bpf, code: Assembler): number {
  const fd = bpf.sys.progLoad({ type: "xdp", insns: code.assemble(), license: "GPL" });
  assert.ok(fd >= 0, `the program is refused with ${fd}`);
  const options = { dataIn: new Uint8Array(64), retval: 0 };
  assert.equal(bpf.sys.progTestRun(fd, options), 0);
  return options.retval;
}

describe("a program on the embedded kernel", () => {
  test("takes what is in a hash", () => {
    for (const type of ["hash", "lru_hash", "percpu_hash"] as const) {
      using bpf = embedded();
      const map = hashOf(bpf, [5, 6], type);
      assert.equal(run(bpf, take(map, 5)), 50);
      assert.equal(run(bpf, take(map, 5)), 7);
      assert.equal(run(bpf, sumOfKeys(map)), 6);
    }
  });

  test("goes from key to key", () => {
    using bpf = embedded();
    assert.equal(run(bpf, sumOfKeys(hashOf(bpf, [1, 2, 3, 40]))), 46);
    assert.equal(run(bpf, sumOfKeys(hashOf(bpf, []))), 0);
    const array = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 5 });
    assert.equal(run(bpf, sumOfKeys(array)), 10);
  });

  test("cannot take from an array, and needs a key to be written to", () => {
    using bpf = embedded();
    const array = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 5 });
    const load = (code: Assembler): number => bpf.sys.progLoad({ type: "xdp", insns: code.assemble(), license: "GPL" });
    assert.equal(load(take(array, 1)), EINVAL);
    const nowhere = new Assembler().loadMap("r1", array).mov("r2", 0).mov("r3", 0).call("bpf_map_get_next_key");
    assert.ok(load(nowhere.mov("r0", 0).exit()) < 0);
  });
});

onLinux(() => {
  test("Linux refuses a program that takes or asks for the next key", () => {
    using bpf = linux();
    const map = hashOf(bpf, [5]);
    for (const code of [take(map, 5), sumOfKeys(map)]) {
      const logBuf = new Uint8Array(4096);
      const options = { type: "xdp", insns: code.assemble(), license: "GPL", logLevel: 1, logBuf } as const;
      assert.equal(bpf.sys.progLoad(options), EINVAL);
      assert.match(new TextDecoder().decode(logBuf), /invalid func unknown#21[23]/);
    }
  });
});

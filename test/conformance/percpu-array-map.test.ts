/** The typed per-CPU array map, and the bytes that its values are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, bytes, enumOf, type PercpuArrayMap, u32, u64 } from "mapiary";
import { onEveryKernel, type TestKernel } from "../kernels.ts";

function open(kernel: TestKernel): Bpf {
  return kernel.open({ possibleCpus: 3 });
}

function createMap(bpf: Bpf, maxEntries = 4): PercpuArrayMap<number, bigint> {
  return bpf.createMap({ type: "percpu_array", name: "typed", value: u64, maxEntries });
}

/** As many values as there are CPUs, each another. */
function values(bpf: Bpf, first: bigint): bigint[] {
  return Array.from({ length: bpf.possibleCpus }, (_, cpu) => first + BigInt(cpu));
}

function zeros(bpf: Bpf): bigint[] {
  return Array.from({ length: bpf.possibleCpus }, () => 0n);
}

onEveryKernel((kernel) => {
  describe("a per-CPU array", () => {
    test("has every index from the beginning, zero for each CPU", () => {
      using bpf = open(kernel);
      const map = createMap(bpf, 2);
      assert.deepEqual(
        [...map],
        [
          [0, zeros(bpf)],
          [1, zeros(bpf)],
        ],
      );
      assert.equal(map.get(2), undefined);
    });

    test("gives and takes a value for each possible CPU", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      map.set(1, values(bpf, 10n)).set(3, values(bpf, 30n), "exist");
      assert.deepEqual(map.get(1), values(bpf, 10n));
      assert.deepEqual([...map.values()], [zeros(bpf), values(bpf, 10n), zeros(bpf), values(bpf, 30n)]);
      assert.throws(() => map.set(1, []), RangeError);
      assert.deepEqual(map.get(1), values(bpf, 10n));
    });

    test("is set in batches", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      const entries = [0, 1, 2, 3].map((index) => [index, values(bpf, BigInt(index))] as const);
      assert.equal(map.setMany(entries), 4);
      assert.deepEqual([...map], entries);
      assert.deepEqual(map.lookupBatch(3).entries, entries.slice(0, 3));
    });

    test("is E2BIG past its end, and EEXIST to add to", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      assert.throws(() => map.set(4, values(bpf, 1n)), { code: "E2BIG" });
      assert.throws(() => map.set(1, values(bpf, 1n), "noexist"), { code: "EEXIST" });
    });

    test("may be named by an enum", () => {
      using bpf = open(kernel);
      const counter = enumOf({ seen: 0, dropped: 1 });
      const map = bpf.createMap({ type: "percpu_array", key: counter, value: u32, maxEntries: 2 });
      const ones = Array.from({ length: bpf.possibleCpus }, () => 1);
      map.set("dropped", ones);
      assert.deepEqual(map.get("dropped"), ones);
    });

    test("keeps a slot rounded up to 8 bytes for each CPU, all of it", () => {
      using bpf = open(kernel);
      const { fd } = bpf.createMap({ type: "percpu_array", value: bytes(5), maxEntries: 2 });
      const value = Uint8Array.from({ length: 8 * bpf.possibleCpus }, (_, at) => at + 1);
      assert.equal(bpf.sys.mapUpdateElem(fd, u32.encode(1), value), 0);
      const found = new Uint8Array(value.length);
      assert.equal(bpf.sys.mapLookupElem(fd, u32.encode(1), found), 0);
      assert.deepEqual(found, value);
      assert.equal(bpf.sys.mapLookupElem(fd, u32.encode(0), found), 0);
      assert.deepEqual(found, new Uint8Array(value.length));
    });

    test("has nothing to delete", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      for (const method of ["delete", "take", "deleteMany", "drain", "clear"]) assert.ok(!(method in map), method);
      assert.equal(bpf.sys.mapDeleteElem(map.fd, u32.encode(0)), -22);
    });
  });

  describe("a per-CPU array is created", () => {
    const create = (bpf: Bpf, size: number, flags: readonly ("mmapable" | "numa_node" | "inner_map")[] = []) =>
      bpf.createMap({ type: "percpu_array", value: bytes(size), maxEntries: 1, flags });

    test("with values of at most 32 KiB", () => {
      using bpf = open(kernel);
      create(bpf, 32768);
      assert.throws(() => create(bpf, 32769), { code: "E2BIG" });
    });

    test("never to be mapped, on a NUMA node, or with a size of its own inside another map", () => {
      using bpf = open(kernel);
      for (const flag of ["mmapable", "numa_node", "inner_map"] as const) {
        assert.throws(() => create(bpf, 8, [flag]), { code: "EINVAL" });
      }
    });
  });
});

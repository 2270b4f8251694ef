/** The typed per-CPU hash map, and the bytes that its values are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, bytes, type PercpuHashMap, u8, u32, u64 } from "mapiary";
import { onEveryKernel, type TestKernel } from "../kernels.ts";

function open(kernel: TestKernel): Bpf {
  return kernel.open({ possibleCpus: 3 });
}

function createMap(bpf: Bpf, maxEntries = 16): PercpuHashMap<number, number> {
  return bpf.createMap({ type: "percpu_hash", name: "typed", key: u32, value: u32, maxEntries });
}

/** As many values as there are CPUs, each another. */
function values(bpf: Bpf, first: number): number[] {
  return Array.from({ length: bpf.possibleCpus }, (_, cpu) => first + cpu);
}

function refused(code: string, command: string): Record<string, unknown> {
  return { name: "BpfError", code, command, syscall: "bpf", map: "typed" };
}

onEveryKernel((kernel) => {
  describe("the values of a per-CPU hash", () => {
    test("are one for each possible CPU", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      assert.equal(map.get(1), undefined);
      assert.equal(map.set(1, values(bpf, 10)), map);
      assert.deepEqual(map.get(1), values(bpf, 10));
      assert.equal(map.has(1), true);
      map.set(1, values(bpf, 20), "exist");
      assert.deepEqual(map.get(1), values(bpf, 20));
    });

    test("are never more or fewer", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      const expected = { name: "RangeError", message: new RegExp(`expected ${bpf.possibleCpus} values, one for each`) };
      assert.throws(() => map.set(1, []), expected);
      assert.throws(() => map.set(1, [...values(bpf, 1), 1]), expected);
      assert.throws(() => map.setMany([[1, []]]), expected);
      assert.equal(map.count(), 0);
    });

    test("are checked one by one", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      assert.throws(() => map.set(1, [-1, ...values(bpf, 1).slice(1)]), /element \[0\]: u32: -1 is out of range/);
      assert.equal(map.has(1), false);
    });

    test("come with iteration, take and drain, and go with delete", () => {
      using bpf = open(kernel);
      const map = createMap(bpf);
      const entries = [1, 2, 3, 4].map((key) => [key, values(bpf, key * 10)] as const);
      assert.equal(map.setMany(entries), 4);
      assert.deepEqual([...map].toSorted(byKey), entries);
      assert.deepEqual([...map.values()].toSorted(), entries.map(([, each]) => each).toSorted());
      assert.deepEqual(map.take(1), values(bpf, 10));
      assert.equal(map.take(1), undefined);
      assert.equal(map.delete(2), true);
      assert.equal(map.delete(2), false);
      assert.deepEqual(map.drain().toSorted(byKey), entries.slice(2));
      assert.equal(map.count(), 0);
    });

    test("survive beside many others", () => {
      using bpf = open(kernel);
      const map = createMap(bpf, 2000);
      const entries = Array.from({ length: 2000 }, (_, key) => [key, values(bpf, key)] as const);
      map.setMany(entries);
      assert.deepEqual([...map].toSorted(byKey), entries);
    });
  });

  test("a full per-CPU hash is E2BIG", () => {
    using bpf = open(kernel);
    const map = createMap(bpf, 2);
    map.set(1, values(bpf, 1)).set(2, values(bpf, 2));
    assert.throws(() => map.set(3, values(bpf, 3)), refused("E2BIG", "BPF_MAP_UPDATE_ELEM"));
    map.set(2, values(bpf, 4));
    map.delete(1);
    map.set(3, values(bpf, 3));
    assert.deepEqual(map.get(2), values(bpf, 4));
  });

  test("an update honours its flag", () => {
    using bpf = open(kernel);
    const map = createMap(bpf);
    assert.throws(() => map.set(1, values(bpf, 1), "exist"), refused("ENOENT", "BPF_MAP_UPDATE_ELEM"));
    map.set(1, values(bpf, 1), "noexist");
    assert.throws(() => map.set(1, values(bpf, 2), "noexist"), refused("EEXIST", "BPF_MAP_UPDATE_ELEM"));
    assert.deepEqual(map.get(1), values(bpf, 1));
  });

  test("valueSize is one CPU's, and layouts are checked against it", () => {
    using bpf = open(kernel);
    const map = createMap(bpf);
    assert.equal(map.valueSize, 4);
    assert.equal(map.info().valueSize, 4);
    map.set(7, values(bpf, 70));
    using same = bpf.mapById(map.id, { type: "percpu_hash", key: u32, value: u32 });
    assert.deepEqual(same.get(7), values(bpf, 70));
    assert.throws(() => bpf.mapById(map.id, { type: "percpu_hash", key: u32, value: u64 }), TypeError);
    using typed = bpf.mapById(map.id, { type: "percpu_hash" });
    assert.deepEqual(typed.get(7), values(bpf, 70));
    using raw = bpf.mapById(map.id, { type: "percpu_hash", key: bytes(4), value: bytes(4) });
    assert.deepEqual(
      raw.get(u32.encode(7)),
      values(bpf, 70).map((value) => u32.encode(value)),
    );
  });

  describe("what user space reads and writes", () => {
    const SLOT = 16;

    function createSlots(bpf: Bpf, flags: readonly "no_prealloc"[]): number {
      return bpf.createMap({ type: "percpu_hash", key: u32, value: bytes(9), maxEntries: 4, flags }).fd;
    }

    for (const flags of [[], ["no_prealloc"]] as const) {
      test(`is a slot rounded up to 8 bytes for each CPU, all of it kept${flags.join()}`, () => {
        using bpf = open(kernel);
        const fd = createSlots(bpf, flags);
        const key = u32.encode(1);
        const value = Uint8Array.from({ length: SLOT * bpf.possibleCpus }, (_, at) => at + 1);
        assert.equal(bpf.sys.mapUpdateElem(fd, key, value), 0);
        const found = new Uint8Array(value.length);
        assert.equal(bpf.sys.mapLookupElem(fd, key, found), 0);
        assert.deepEqual(found, value);
        assert.equal(bpf.sys.mapLookupAndDeleteElem(fd, key, found.fill(0)), 0);
        assert.deepEqual(found, value);
      });
    }

    test("lies one value after another in a batch", () => {
      using bpf = open(kernel);
      const fd = createSlots(bpf, []);
      const keys = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);
      const all = Uint8Array.from({ length: 2 * SLOT * bpf.possibleCpus }, (_, at) => at + 1);
      const count = Uint32Array.of(2);
      assert.equal(bpf.sys.mapUpdateBatch(fd, keys, all, count), 0);
      const one = new Uint8Array(SLOT * bpf.possibleCpus);
      assert.equal(bpf.sys.mapLookupElem(fd, u32.encode(2), one), 0);
      assert.deepEqual(one, all.slice(one.length));
    });
  });

  describe("a per-CPU hash is created", () => {
    const create = (bpf: Bpf, size: number, flags?: readonly ("numa_node" | "no_common_lru")[] | number) =>
      bpf.createMap({ type: "percpu_hash", key: u32, value: bytes(size), maxEntries: 1, ...(flags && { flags }) });

    test("with values of at most 32 KiB", () => {
      using bpf = open(kernel);
      create(bpf, 32768);
      assert.throws(() => create(bpf, 32769), { code: "E2BIG" });
    });

    test("on no NUMA node, and with no list to evict from", () => {
      using bpf = open(kernel);
      assert.throws(() => create(bpf, 8, ["numa_node"]), { code: "EINVAL" });
      assert.throws(() => create(bpf, 8, ["no_common_lru"]), { code: "EINVAL" });
    });

    test("and frozen as any other", () => {
      using bpf = open(kernel);
      const map = bpf.createMap({ type: "percpu_hash", name: "typed", key: u8, value: u8, maxEntries: 1 });
      map.freeze();
      assert.throws(() => map.set(1, values(bpf, 1)), refused("EPERM", "BPF_MAP_UPDATE_ELEM"));
    });
  });
});

function byKey(one: readonly [number, unknown], other: readonly [number, unknown]): number {
  return one[0] - other[0];
}

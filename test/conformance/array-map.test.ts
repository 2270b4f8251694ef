/** The typed array map: every method of its public face. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, enumOf, u32, u64 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";

function createMap(bpf: Bpf, maxEntries = 4) {
  return bpf.createMap({ type: "array", name: "typed", value: u64, maxEntries });
}

function refused(code: string, command: string): Record<string, unknown> {
  return { name: "BpfError", code, command, syscall: "bpf", map: "typed" };
}

onEveryKernel((kernel) => {
  describe("get, has and set", () => {
    test("every index is there from the beginning and zero", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(map.get(0), 0n);
      assert.equal(map.get(3), 0n);
      assert.equal(map.has(3), true);
      assert.deepEqual(
        [...map],
        [
          [0, 0n],
          [1, 0n],
          [2, 0n],
          [3, 0n],
        ],
      );
    });

    test("an index past the end is undefined, and E2BIG to set", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      for (const index of [4, 5, 2 ** 32 - 1]) {
        assert.equal(map.get(index), undefined);
        assert.equal(map.has(index), false);
        assert.throws(() => map.set(index, 1n), refused("E2BIG", "BPF_MAP_UPDATE_ELEM"));
      }
    });

    test("set replaces a value, and answers the map", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(map.set(2, 20n).set(2, 21n, "exist"), map);
      assert.equal(map.get(2), 21n);
      assert.throws(() => map.set(2, 22n, "noexist"), refused("EEXIST", "BPF_MAP_UPDATE_ELEM"));
      assert.deepEqual([...map.values()], [0n, 0n, 21n, 0n]);
    });

    test("an index or a value that does not fit throws and does nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.throws(() => map.set(-1, 1n), RangeError);
      assert.throws(() => map.get(0.5), RangeError);
      assert.throws(() => map.set(0, -1n), RangeError);
      assert.deepEqual([...map.values()], [0n, 0n, 0n, 0n]);
    });
  });

  describe("setMany", () => {
    test("sets every entry, and answers how many", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(
        map.setMany([
          [3, 30n],
          [0, 1n],
        ]),
        2,
      );
      assert.deepEqual([...map.values()], [1n, 0n, 0n, 30n]);
    });

    test("with an index past the end is E2BIG, and the error says how many were written", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      const entries = [
        [0, 1n],
        [1, 2n],
        [4, 3n],
        [2, 4n],
      ] as const;
      assert.throws(() => map.setMany(entries), { ...refused("E2BIG", "BPF_MAP_UPDATE_BATCH"), count: 2 });
      assert.deepEqual([...map.values()], [1n, 2n, 0n, 0n]);
    });

    test("with a value that does not fit writes nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.throws(
        () =>
          map.setMany([
            [0, 1n],
            [1, 1n << 64n],
          ]),
        RangeError,
      );
      assert.deepEqual([...map.values()], [0n, 0n, 0n, 0n]);
    });
  });

  describe("iteration", () => {
    test("goes by index", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 3);
      map.set(1, 10n);
      assert.deepEqual([...map.keys()], [0, 1, 2]);
      assert.deepEqual([...map.values()], [0n, 10n, 0n]);
      assert.deepEqual([...map.entries()], [...map]);
      const seen: [number, bigint][] = [];
      map.forEach((value, index) => {
        seen.push([index, value]);
      });
      assert.deepEqual(seen, [...map]);
      assert.equal(map.count(), 3);
    });

    test("nextKey counts up", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 3);
      assert.equal(map.nextKey(), 0);
      assert.equal(map.nextKey(0), 1);
      assert.equal(map.nextKey(2), undefined);
      assert.equal(map.nextKey(3), 0);
    });

    test("lookupBatch answers as many as asked for, and a cursor that finds the end", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 4);
      const first = map.lookupBatch(3);
      assert.deepEqual(
        first.entries.map(([index]) => index),
        [0, 1, 2],
      );
      const second = map.lookupBatch(1, first.cursor);
      assert.deepEqual(
        second.entries.map(([index]) => index),
        [3],
      );
      const third = map.lookupBatch(1, second.cursor);
      assert.deepEqual(third, { entries: [], cursor: undefined });
    });
  });

  test("keys may be named by an enum", () => {
    using bpf = kernel.open();
    const counter = enumOf({ seen: 0, dropped: 1 });
    const map = bpf.createMap({ type: "array", key: counter, value: u64, maxEntries: 2 });
    map.set("dropped", 7n);
    assert.deepEqual(
      [...map],
      [
        ["seen", 0n],
        ["dropped", 7n],
      ],
    );
    assert.equal(map.get("seen"), 0n);
  });

  test("a frozen one is read as before, and EPERM for whatever writes", () => {
    using bpf = kernel.open();
    const map = createMap(bpf);
    map.set(1, 10n);
    map.freeze();
    assert.throws(() => map.set(1, 1n), refused("EPERM", "BPF_MAP_UPDATE_ELEM"));
    assert.throws(() => map.setMany([[1, 1n]]), { ...refused("EPERM", "BPF_MAP_UPDATE_BATCH"), count: 0 });
    assert.equal(map.get(1), 10n);
  });

  test("there is nothing to delete, so there are no methods for it", () => {
    using bpf = kernel.open();
    const map = createMap(bpf);
    for (const method of ["delete", "take", "deleteMany", "drain", "clear"]) assert.ok(!(method in map), method);
  });

  test("keys of another size than four bytes are EINVAL", () => {
    using bpf = kernel.open();
    assert.throws(() => bpf.createMap({ type: "array", name: "typed", key: u64, value: u32, maxEntries: 4 }), {
      code: "EINVAL",
      command: "BPF_MAP_CREATE",
    });
  });
});

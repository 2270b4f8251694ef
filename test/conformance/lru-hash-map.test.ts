/** The LRU hash maps: what every kernel keeps to, and what the embedded kernel promises beyond that. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, bytes, embedded, type LruHashMap, u8, u32, u64 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";

function createMap(bpf: Bpf, maxEntries: number, flags: readonly "no_common_lru"[] = []): LruHashMap<number, number> {
  return bpf.createMap({ type: "lru_hash", name: "typed", key: u32, value: u32, maxEntries, flags });
}

/** One value for each possible CPU. */
function onAllCpus(bpf: Bpf, value: number): number[] {
  return Array.from({ length: bpf.possibleCpus }, () => value);
}

onEveryKernel((kernel) => {
  describe("an LRU hash", () => {
    test("is a hash as long as there is room", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 64);
      assert.throws(() => map.set(1, 10, "exist"), { code: "ENOENT" });
      map.set(1, 10, "noexist").set(2, 20);
      assert.throws(() => map.set(1, 11, "noexist"), { code: "EEXIST" });
      map.set(1, 12);
      assert.deepEqual([map.get(1), map.get(2), map.get(3)], [12, 20, undefined]);
      assert.equal(map.take(2), 20);
      assert.equal(map.delete(2), false);
      assert.deepEqual(map.drain(), [[1, 12]]);
      assert.equal(
        map.setMany([
          [4, 40],
          [5, 50],
        ]),
        2,
      );
      assert.equal(map.count(), 2);
    });

    for (const flags of [[], ["no_common_lru"]] as const) {
      for (const maxEntries of [1, 2, 5, 100, 1000]) {
        test(`of ${maxEntries} is never full, and never larger${flags.map((flag) => ` with ${flag}`).join("")}`, () => {
          using bpf = kernel.open();
          const map = createMap(bpf, maxEntries, flags);
          for (let key = 0; key < 4 * maxEntries + 10; key++) {
            map.set(key, key + 1);
            assert.equal(map.get(key), key + 1, "the newest is there");
          }
          const count = map.count();
          assert.ok(count >= 1 && count <= map.maxEntries, `${count} entries`);
          for (const [key, value] of map) assert.equal(value, key + 1);
        });
      }
    }

    test("keeps what is set again and again", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 1024);
      for (let key = 1000; key < 20_000; key++) {
        map.set(key, key);
        map.set(key % 10, key);
      }
      for (let hot = 0; hot < 10; hot++) assert.equal(map.get(hot), 19_990 + hot);
    });

    test("does not keep what is only looked up", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 256);
      const old = 256;
      for (let key = 0; key < old; key++) map.set(key, key);
      for (let key = old; key < 10 * old; key++) {
        map.set(key, key);
        if (key % 32 === 0) for (let seen = 0; seen < old; seen++) map.has(seen);
      }
      let left = 0;
      for (let seen = 0; seen < old; seen++) if (map.has(seen)) left++;
      // What the CPUs of Linux keep at hand is at most half of a map this small.
      assert.ok(left <= old / 2, `${left} of ${old} are left`);
    });

    test("has room again once entries are deleted", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, 64);
      for (let round = 0; round < 50; round++) {
        for (let key = 0; key < 20; key++) map.set(round * 20 + key, key, "noexist");
        for (let key = 0; key < 20; key++) assert.equal(map.take(round * 20 + key), key);
      }
      assert.equal(map.count(), 0);
    });

    test("with lists of each CPU's own holds the same number for each", () => {
      using bpf = kernel.open({ possibleCpus: 4 });
      const { possibleCpus } = bpf;
      const map = createMap(bpf, possibleCpus * 10 + 1, ["no_common_lru"]);
      assert.equal(map.maxEntries, possibleCpus === 1 ? 11 : possibleCpus * 11);
    });

    test("is always allocated at the beginning", () => {
      using bpf = kernel.open();
      const spec = { key: u32, value: u32, maxEntries: 4, flags: ["no_prealloc"] } as const;
      assert.throws(() => bpf.createMap({ type: "lru_hash", ...spec }), { code: "ENOTSUPP" });
      assert.throws(() => bpf.createMap({ type: "lru_percpu_hash", ...spec }), { code: "ENOTSUPP" });
    });
  });

  describe("an LRU hash with a value for each CPU", () => {
    test("is never full, and gives and takes all values at once", () => {
      using bpf = kernel.open({ possibleCpus: 3 });
      const map = bpf.createMap({ type: "lru_percpu_hash", key: u32, value: u8, maxEntries: 50 });
      for (let key = 0; key < 250; key++) {
        map.set(key, onAllCpus(bpf, key));
        assert.deepEqual(map.get(key), onAllCpus(bpf, key));
      }
      assert.ok(map.count() <= 50);
      for (const [key, values] of map) assert.deepEqual(values, onAllCpus(bpf, key));
      assert.throws(() => map.set(1, []), RangeError);
      assert.equal(map.valueSize, 1);
    });

    test("keeps what is set again and again", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "lru_percpu_hash", key: u32, value: u32, maxEntries: 1024 });
      for (let key = 1000; key < 5000; key++) {
        map.set(key, onAllCpus(bpf, key));
        map.set(key % 10, onAllCpus(bpf, key));
      }
      for (let hot = 0; hot < 10; hot++) assert.deepEqual(map.get(hot), onAllCpus(bpf, 4990 + hot));
    });

    test("has values of at most 32 KiB, and no NUMA node", () => {
      using bpf = kernel.open();
      const spec = { type: "lru_percpu_hash", key: u32, maxEntries: 1 } as const;
      bpf.createMap({ ...spec, value: bytes(32768) });
      assert.throws(() => bpf.createMap({ ...spec, value: bytes(32769) }), { code: "E2BIG" });
      assert.throws(() => bpf.createMap({ ...spec, value: u64, flags: ["numa_node"] }), { code: "EINVAL" });
    });
  });
});

describe("an LRU hash of the embedded kernel", () => {
  function filled(bpf: Bpf, keys: number): LruHashMap<number, number> {
    const map = createMap(bpf, keys);
    for (let key = 0; key < keys; key++) map.set(key, key);
    return map;
  }

  function keysOf(map: LruHashMap<number, number>): number[] {
    return [...map.keys()].toSorted((one, other) => one - other);
  }

  test("evicts one entry for one new key, and only when it is full", () => {
    using bpf = embedded();
    const map = filled(bpf, 100);
    assert.equal(map.count(), 100);
    for (let key = 100; key < 250; key++) {
      map.set(key, key);
      assert.equal(map.count(), 100);
    }
  });

  test("evicts the oldest when none was used again", () => {
    using bpf = embedded();
    const map = filled(bpf, 4);
    map.set(4, 4).set(5, 5);
    assert.deepEqual(keysOf(map), [2, 3, 4, 5]);
    map.set(6, 6).set(7, 7).set(8, 8);
    assert.deepEqual(keysOf(map), [5, 6, 7, 8]);
  });

  test("passes over what was set since it last came by", () => {
    using bpf = embedded();
    const map = filled(bpf, 4);
    map.set(0, 1).set(2, 1);
    map.set(4, 4).set(5, 5);
    assert.deepEqual(keysOf(map), [0, 2, 4, 5]);
    map.set(6, 6);
    assert.deepEqual(keysOf(map), [2, 4, 5, 6]);
  });

  test("evicts something even when all were set again", () => {
    using bpf = embedded();
    const map = filled(bpf, 3);
    for (let key = 0; key < 3; key++) map.set(key, 1);
    map.set(3, 3);
    assert.deepEqual(keysOf(map), [1, 2, 3]);
  });

  test("evicts nothing for a set that fails or overwrites", () => {
    using bpf = embedded();
    const map = filled(bpf, 3);
    assert.throws(() => map.set(0, 1, "noexist"), { code: "EEXIST" });
    assert.throws(() => map.set(9, 1, "exist"), { code: "ENOENT" });
    map.set(1, 1, "exist");
    assert.deepEqual(keysOf(map), [0, 1, 2]);
  });

  test("does not take a new entry in the place of a deleted one for an old one", () => {
    using bpf = embedded();
    const map = filled(bpf, 4);
    map.delete(0);
    map.set(10, 10).set(11, 11);
    assert.deepEqual(keysOf(map), [2, 3, 10, 11]);
  });
});

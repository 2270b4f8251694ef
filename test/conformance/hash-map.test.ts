/** The typed hash map: every method of its public face. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, BpfError, type HashMap, i32, u8, u16, u32, u64 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";

/** A hash of `u32` to `u64` that holds these entries. */
function createMap(bpf: Bpf, entries: readonly (readonly [number, bigint])[] = [], maxEntries = 16) {
  const map = bpf.createMap({ type: "hash", name: "typed", key: u32, value: u64, maxEntries });
  for (const [key, value] of entries) map.set(key, value);
  return map;
}

function sorted<K extends number, V>(entries: Iterable<readonly [K, V]>): (readonly [K, V])[] {
  return [...entries].sort(([a], [b]) => a - b);
}

const THREE = [
  [1, 10n],
  [2, 20n],
  [3, 30n],
] as const;

/** What a BpfError must say. */
function refused(code: string, command: string): Record<string, unknown> {
  return { name: "BpfError", code, command, syscall: "bpf", map: "typed" };
}

onEveryKernel((kernel) => {
  describe("get, has and set", () => {
    test("a key that was set is there with its value, any other is undefined", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(map.get(5), undefined);
      assert.equal(map.has(5), false);
      map.set(5, 100n);
      assert.equal(map.get(5), 100n);
      assert.equal(map.has(5), true);
      assert.equal(map.get(6), undefined);
      assert.equal(map.has(6), false);
    });

    test("set replaces a value, and answers the map", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(map.set(5, 100n).set(5, 200n).set(6, 300n), map);
      assert.equal(map.get(5), 200n);
      assert.equal(map.get(6), 300n);
    });

    test('set with "noexist" is EEXIST for a key that is there', () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      map.set(5, 100n, "noexist");
      assert.throws(() => map.set(5, 200n, "noexist"), refused("EEXIST", "BPF_MAP_UPDATE_ELEM"));
      assert.equal(map.get(5), 100n);
    });

    test('set with "exist" is ENOENT for a key that is not there', () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.throws(() => map.set(5, 100n, "exist"), refused("ENOENT", "BPF_MAP_UPDATE_ELEM"));
      map.set(5, 100n);
      map.set(5, 200n, "exist");
      assert.equal(map.get(5), 200n);
    });

    test('set with "any" does either, and a flag does not stay for the next set', () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      map.set(5, 100n, "any");
      map.set(5, 200n, "exist");
      map.set(6, 300n);
      map.set(7, 400n, "noexist");
      map.set(7, 500n);
      assert.equal(map.get(7), 500n);
    });

    test("set with another flag throws and sets nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      // @ts-expect-error: an update is "any", "noexist" or "exist"
      assert.throws(() => map.set(5, 100n, "always"), /"always"/);
      assert.equal(map.has(5), false);
    });

    test("a set into a full map is E2BIG, but for keys that are there", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE, 3);
      assert.throws(() => map.set(4, 40n), refused("E2BIG", "BPF_MAP_UPDATE_ELEM"));
      map.set(3, 31n);
      assert.deepEqual(sorted(map), [
        [1, 10n],
        [2, 20n],
        [3, 31n],
      ]);
    });

    test("a key that does not fit its layout throws and does nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      for (const key of [-1, 2 ** 32, 1.5, Number.NaN]) {
        assert.throws(() => map.set(key, 1n), RangeError);
        assert.throws(() => map.get(key), RangeError);
        assert.throws(() => map.has(key), RangeError);
        assert.throws(() => map.delete(key), RangeError);
        assert.throws(() => map.take(key), RangeError);
        assert.throws(() => map.nextKey(key), RangeError);
      }
      // @ts-expect-error: a key is a number
      assert.throws(() => map.set("1", 1n), TypeError);
      assert.deepEqual(sorted(map), THREE);
    });

    test("a value that does not fit its layout throws and does nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.throws(() => map.set(1, -1n), RangeError);
      assert.throws(() => map.set(4, 1n << 64n), RangeError);
      // @ts-expect-error: a value is a bigint
      assert.throws(() => map.set(1, "x"), TypeError);
      assert.deepEqual(sorted(map), THREE);
    });
  });

  describe("delete and take", () => {
    test("delete answers whether the key was there", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.equal(map.delete(2), true);
      assert.equal(map.delete(2), false);
      assert.equal(map.get(2), undefined);
      assert.equal(map.count(), 2);
    });

    test("take answers the value and deletes the key", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.equal(map.take(2), 20n);
      assert.equal(map.take(2), undefined);
      assert.equal(map.has(2), false);
      assert.equal(map.count(), 2);
    });

    test("deleteMany answers how many were there, wherever the missing ones are", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.equal(map.deleteMany([9, 1, 8, 7, 3, 6]), 2);
      assert.deepEqual(sorted(map), [[2, 20n]]);
      assert.equal(map.deleteMany([1, 3, 9]), 0);
      assert.equal(map.deleteMany([]), 0);
    });

    test("deleteMany of a key twice deletes it once", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.equal(map.deleteMany([1, 1, 2, 1]), 2);
      assert.deepEqual(sorted(map), [[3, 30n]]);
    });

    test("deleteMany takes any iterable, the map's own keys too", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.equal(map.deleteMany(new Set([1])), 1);
      assert.equal(map.deleteMany(map.keys()), 2);
      assert.equal(map.count(), 0);
    });

    test("deleteMany with a key that does not fit its layout deletes nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.throws(() => map.deleteMany([1, 2, -1]), RangeError);
      assert.deepEqual(sorted(map), THREE);
    });

    test("drain takes every entry out and answers it", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      const inOrder = [...map];
      assert.deepEqual(map.drain(), inOrder);
      assert.equal(map.count(), 0);
      assert.deepEqual(map.drain(), []);
    });

    test("clear deletes every entry, and makes room", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE, 3);
      map.clear();
      assert.equal(map.count(), 0);
      assert.deepEqual([...map], []);
      map.clear();
      for (const [key, value] of THREE) map.set(key + 100, value);
      assert.equal(map.count(), 3);
    });

    test("drain and clear take thousands out", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, [], 5000);
      const entries = Array.from({ length: 5000 }, (_, key) => [key, BigInt(key)] as const);
      map.setMany(entries);
      assert.deepEqual(sorted(map.drain()), entries);
      map.setMany(entries);
      map.clear();
      assert.equal(map.count(), 0);
    });
  });

  describe("setMany", () => {
    test("sets every entry, and answers how many", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(map.setMany(THREE), 3);
      assert.deepEqual(sorted(map), THREE);
      assert.equal(map.setMany([]), 0);
    });

    test("takes any iterable: a Map, a generator, another map", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      map.setMany(new Map(THREE));
      const other = createMap(bpf);
      other.setMany(map);
      assert.deepEqual(sorted(other), THREE);
      other.setMany(
        (function* () {
          yield [4, 40n] as const;
        })(),
      );
      assert.equal(other.get(4), 40n);
    });

    test("of the same key twice leaves the last value", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(
        map.setMany([
          [1, 1n],
          [2, 2n],
          [1, 3n],
        ]),
        3,
      );
      assert.equal(map.get(1), 3n);
      assert.equal(map.count(), 2);
    });

    test("with a key or a value that does not fit its layout writes nothing, wherever it is", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      for (const at of [0, 1, 5]) {
        const entries = Array.from({ length: 6 }, (_, i) => [i + 1, 7n] as [number, bigint]);
        assert.throws(() => map.setMany(entries.with(at, [2 ** 32, 7n])), RangeError);
        assert.throws(() => map.setMany(entries.with(at, [1, -7n])), RangeError);
        assert.throws(() => map.setMany(entries.with(at, ["1", 7n] as unknown as [number, bigint])), TypeError);
      }
      assert.deepEqual(sorted(map), THREE);
    });

    test("of an iterable that throws writes nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      const failing = (function* (): Generator<[number, bigint]> {
        yield [1, 7n];
        throw new Error("no more");
      })();
      assert.throws(() => map.setMany(failing), /no more/);
      assert.deepEqual(sorted(map), THREE);
    });

    test("into a map that is too small is E2BIG, and the error says how many were written", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, [], 3);
      const entries = Array.from({ length: 10 }, (_, key) => [key, BigInt(key)] as const);
      assert.throws(() => map.setMany(entries), { ...refused("E2BIG", "BPF_MAP_UPDATE_BATCH"), count: 3 });
      assert.deepEqual(sorted(map), entries.slice(0, 3));
      assert.throws(() => map.setMany(entries.slice(2)), { code: "E2BIG", count: 1 });
    });
  });

  describe("iteration", () => {
    test("goes by entries, keys, values and forEach in one order", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      const entries = [...map];
      assert.deepEqual(sorted(entries), THREE);
      assert.deepEqual([...map.entries()], entries);
      assert.deepEqual(
        [...map.keys()],
        entries.map(([key]) => key),
      );
      assert.deepEqual(
        [...map.values()],
        entries.map(([, value]) => value),
      );
      const seen: [number, bigint, HashMap<number, bigint>][] = [];
      map.forEach((value, key, same) => {
        seen.push([key, value, same]);
      });
      assert.deepEqual(
        seen,
        entries.map(([key, value]) => [key, value, map]),
      );
    });

    test("of an empty map ends at once", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.deepEqual([...map], []);
      assert.deepEqual([...map.keys()], []);
      assert.deepEqual([...map.values()], []);
      assert.equal(map.count(), 0);
      assert.equal(map.nextKey(), undefined);
    });

    test("count counts", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.equal(map.count(), 3);
      map.delete(1);
      assert.equal(map.count(), 2);
    });

    test("nextKey goes through the keys as iteration does", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      const keys: number[] = [];
      for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) keys.push(key);
      assert.deepEqual(keys, [...map.keys()]);
      assert.equal(map.nextKey(1000), keys[0]);
    });

    test("makes a Map", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.deepEqual(new Map(map), new Map([...map]));
      assert.equal(new Map(map).get(2), 20n);
    });
  });

  describe("lookupBatch", () => {
    test("answers a batch and the cursor of the next, undefined at the end", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, [], 100);
      map.setMany(Array.from({ length: 100 }, (_, key) => [key, BigInt(key)] as const));
      const entries: [number, bigint][] = [];
      let cursor: Uint8Array | undefined;
      do {
        const batch = map.lookupBatch(20, cursor);
        assert.ok(batch.entries.length <= 20);
        entries.push(...batch.entries);
        cursor = batch.cursor;
      } while (cursor !== undefined);
      assert.deepEqual(entries, [...map]);
      assert.equal(entries.length, 100);
    });

    test("whose count is less than a bucket holds is ENOSPC", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({
        type: "hash",
        name: "typed",
        key: u32,
        value: u32,
        maxEntries: 64,
        flags: ["zero_seed"],
      });
      map.setMany(Array.from({ length: 64 }, (_, key) => [key, key] as const));
      const codes = new Set<string>();
      for (let bucket = 0; bucket < 64; bucket++) {
        try {
          const { entries } = map.lookupBatch(1, u32.encode(bucket));
          assert.ok(entries.length <= 1);
        } catch (error) {
          assert.ok(error instanceof BpfError);
          assert.equal(error.command, "BPF_MAP_LOOKUP_BATCH");
          codes.add(error.code);
        }
      }
      assert.deepEqual([...codes], ["ENOSPC"]);
    });

    test("of no number of entries is a RangeError", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      for (const count of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.throws(() => map.lookupBatch(count), RangeError);
      }
    });

    test("of a cursor that is too short is EFAULT", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      assert.throws(() => map.lookupBatch(10, new Uint8Array(3)), refused("EFAULT", "BPF_MAP_LOOKUP_BATCH"));
    });
  });

  describe("a frozen map", () => {
    test("is read as before, and EPERM for whatever writes", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      map.freeze();
      assert.equal(map.get(1), 10n);
      assert.deepEqual(sorted(map), THREE);
      assert.throws(() => map.set(1, 1n), refused("EPERM", "BPF_MAP_UPDATE_ELEM"));
      assert.throws(() => map.delete(1), refused("EPERM", "BPF_MAP_DELETE_ELEM"));
      assert.throws(() => map.take(1), refused("EPERM", "BPF_MAP_LOOKUP_AND_DELETE_ELEM"));
      assert.throws(() => map.clear(), refused("EPERM", "BPF_MAP_LOOKUP_AND_DELETE_BATCH"));
      assert.throws(() => map.drain(), refused("EPERM", "BPF_MAP_LOOKUP_AND_DELETE_BATCH"));
      assert.throws(() => map.freeze(), refused("EPERM", "BPF_MAP_FREEZE"));
      assert.deepEqual(sorted(map), THREE);
    });

    test("is EPERM for setMany and deleteMany, which did nothing", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      map.freeze();
      assert.throws(() => map.setMany(THREE), { ...refused("EPERM", "BPF_MAP_UPDATE_BATCH"), count: 0 });
      assert.throws(() => map.deleteMany([1, 2]), { ...refused("EPERM", "BPF_MAP_DELETE_BATCH"), count: 0 });
    });
  });

  describe("what a map says of itself", () => {
    test("is what it was made of", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.equal(map.type, "hash");
      assert.equal(map.name, "typed");
      assert.equal(map.maxEntries, 16);
      assert.equal(map.keySize, 4);
      assert.equal(map.valueSize, 8);
      assert.equal(map.key, u32);
      assert.equal(map.value, u64);
      assert.ok(map.fd >= 3);
      assert.ok(map.id >= 1);
      assert.equal(map.info().id, map.id);
      assert.equal(map.info().type, "hash");
    });

    test("is the map that bpf.sys knows by its fd", () => {
      using bpf = kernel.open();
      const map = createMap(bpf, THREE);
      const value = new Uint8Array(8);
      assert.equal(bpf.sys.mapLookupElem(map.fd, u32.encode(2), value), 0);
      assert.equal(u64.decode(value), 20n);
    });

    test("has a name of at most 15 bytes, or none", () => {
      using bpf = kernel.open();
      const spec = { type: "hash", key: u8, value: u16, maxEntries: 1 } as const;
      assert.equal(bpf.createMap({ ...spec, name: "abcdefghijklmnopqrstuvwxyz" }).name, "abcdefghijklmno");
      assert.equal(bpf.createMap(spec).name, "");
    });
  });

  describe("creation", () => {
    test("takes flags by name or as bits", () => {
      using bpf = kernel.open();
      const spec = { type: "hash", key: u32, value: i32, maxEntries: 4 } as const;
      const named = bpf.createMap({ ...spec, flags: ["no_prealloc", "zero_seed"] });
      const bits = bpf.createMap({ ...spec, flags: named.info().mapFlags });
      assert.notEqual(named.info().mapFlags, 0);
      assert.equal(bits.info().mapFlags, named.info().mapFlags);
      assert.equal(bpf.createMap(spec).info().mapFlags, 0);
      // @ts-expect-error: a flag is one of Linux's
      assert.throws(() => bpf.createMap({ ...spec, flags: ["prealloc"] }), TypeError);
    });

    test("that the kernel refuses throws, and leaves no map", () => {
      using bpf = kernel.open();
      const spec = { type: "hash", name: "typed", key: u32, value: u32 } as const;
      assert.throws(() => bpf.createMap({ ...spec, maxEntries: 0 }), refused("EINVAL", "BPF_MAP_CREATE"));
      assert.throws(() => bpf.createMap({ ...spec, maxEntries: 2 ** 31 }), refused("E2BIG", "BPF_MAP_CREATE"));
      assert.throws(() => bpf.createMap({ ...spec, maxEntries: 1, flags: ["mmapable"] }), { code: "EINVAL" });
      assert.throws(() => bpf.createMap({ ...spec, maxEntries: 1, name: "a b" }), { code: "EINVAL", map: "a b" });
    });
  });
});

/** Iteration: nothing is lost, nothing comes twice, whatever the size and whatever happens to the map meanwhile. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, bytes, type HashMap, u32 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";

/** A hash in which every key below `entries` has ten times itself. */
function createHash(bpf: Bpf, entries: number, maxEntries: number = Math.max(entries, 1)): HashMap<number, number> {
  const map = bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries });
  map.setMany(Array.from({ length: entries }, (_, key) => [key, key * 10] as const));
  return map;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

function sorted(keys: Iterable<number>): number[] {
  return [...keys].sort((a, b) => a - b);
}

/** The sizes around which batches begin and end: 64 entries at first, then 256, 1,024, 4,096. */
const SIZES = [
  0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 319, 320, 321, 1023, 1024, 1025, 1343,
  1344, 1345, 4095, 4096, 4097, 5439, 5440, 5441,
];

onEveryKernel((kernel) => {
  test("a hash of any size comes whole", () => {
    using bpf = kernel.open();
    for (const size of SIZES) {
      using map = createHash(bpf, size);
      assert.deepEqual(sorted(map.keys()), upTo(size), `${size} entries`);
      for (const [key, value] of map) assert.equal(value, key * 10);
      assert.equal([...map.values()].length, size);
      assert.equal(map.count(), size);
    }
  });

  test("an array of any size comes whole and in order", () => {
    using bpf = kernel.open();
    for (const size of SIZES.slice(1)) {
      using map = bpf.createMap({ type: "array", value: u32, maxEntries: size });
      map.setMany(upTo(size).map((index) => [index, index * 10] as const));
      const entries = [...map];
      assert.deepEqual(
        entries,
        upTo(size).map((index) => [index, index * 10]),
        `${size} entries`,
      );
      assert.equal(map.count(), size);
    }
  });

  test("a hash that is nearly empty comes whole, however many buckets it has", () => {
    using bpf = kernel.open();
    using map = createHash(bpf, 3, 50_000);
    assert.deepEqual(sorted(map.keys()), [0, 1, 2]);
    map.clear();
    assert.deepEqual([...map], []);
  });

  test("entries that are larger than a batch come one by one", () => {
    using bpf = kernel.open();
    const value = bytes(400_000);
    using hash = bpf.createMap({ type: "hash", key: u32, value, maxEntries: 5 });
    using array = bpf.createMap({ type: "array", value, maxEntries: 5 });
    for (const key of upTo(5)) {
      hash.set(key, new Uint8Array(400_000).fill(key));
      array.set(key, new Uint8Array(400_000).fill(key));
    }
    for (const map of [hash, array]) {
      assert.deepEqual(sorted(map.keys()), upTo(5));
      for (const [key, found] of map) assert.ok(found.every((byte) => byte === key));
    }
    assert.equal(hash.drain().length, 5);
  });

  describe("an iterator", () => {
    test("reads the map when it is first asked, not when it is made", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, 0, 4);
      const keys = map.keys();
      map.set(1, 10);
      assert.deepEqual([...keys], [1]);
    });

    test("that has ended stays so", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, 1, 4);
      const entries = map[Symbol.iterator]();
      assert.deepEqual(entries.next(), { done: false, value: [0, 0] });
      assert.deepEqual(entries.next(), { done: true, value: undefined });
      map.set(1, 10);
      assert.deepEqual(entries.next(), { done: true, value: undefined });
      assert.deepEqual([...entries], []);
    });

    test("that a loop breaks off has ended, and the map goes on", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, 1000);
      const entries = map.entries();
      let seen = 0;
      for (const _ of entries) if (++seen === 100) break;
      assert.equal(seen, 100);
      assert.deepEqual(entries.next(), { done: true, value: undefined });
      assert.equal([...map].length, 1000);
      map.set(0, 7);
      assert.equal(map.get(0), 7);
    });

    test("is its own iterable, and destructuring takes only what it needs", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, 1000);
      const keys = map.keys();
      assert.equal(keys[Symbol.iterator](), keys);
      const [first, second] = map.keys();
      assert.deepEqual([first, second], [...map.keys()].slice(0, 2));
    });
  });

  describe("nested iteration", () => {
    test("of one map sees every pair", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, 150);
      const pairs = new Set<number>();
      for (const [outer, value] of map) {
        assert.equal(value, outer * 10);
        for (const [inner] of map) pairs.add(outer * 1000 + inner);
      }
      assert.equal(pairs.size, 150 * 150);
    });

    test("of two maps, with lookups and updates between, mixes nothing up", () => {
      using bpf = kernel.open();
      using one = createHash(bpf, 300);
      using two = bpf.createMap({ type: "array", value: u32, maxEntries: 200 });
      let steps = 0;
      for (const [key, value] of one) {
        assert.equal(value, key * 10);
        if (key % 50 === 0) for (const [index] of two) two.set(index, (two.get(index) as number) + 1);
        assert.equal(one.get(key), key * 10);
        steps++;
      }
      assert.equal(steps, 300);
      assert.deepEqual(
        [...two.values()],
        upTo(200).map(() => 6),
      );
    });

    test("goes on while another map is drained, counted, filled and read in batches", () => {
      using bpf = kernel.open();
      using one = createHash(bpf, 500);
      using two = createHash(bpf, 0, 500);
      const keys: number[] = [];
      for (const [key, value] of one) {
        keys.push(key);
        assert.equal(value, key * 10);
        if (key % 100 !== 0) continue;
        two.setMany(one);
        assert.equal(two.count(), 500);
        two.lookupBatch(400);
        assert.equal(two.drain().length, 500);
      }
      assert.deepEqual(sorted(keys), upTo(500));
    });
  });

  describe("a map that changes during iteration", () => {
    const SIZE = 700;

    /** Iterates over every entry and answers the keys; none comes twice. */
    const iterate = (map: HashMap<number, number>, step: (key: number, index: number) => void): number[] => {
      const keys: number[] = [];
      for (const [key] of map) {
        step(key, keys.length);
        keys.push(key);
        assert.ok(keys.length <= 10 * SIZE, "the iteration does not end");
      }
      assert.equal(new Set(keys).size, keys.length, "a key came twice");
      return keys;
    };

    test("by deleting the current key still comes whole", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE);
      const keys = iterate(map, (key) => assert.ok(map.delete(key)));
      assert.deepEqual(sorted(keys), upTo(SIZE));
      assert.equal(map.count(), 0);
    });

    test("by overwriting every entry still comes whole, each key once", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE);
      const keys = iterate(map, () => {
        for (let key = 0; key < SIZE; key += 7) map.set(key, 1);
      });
      assert.deepEqual(sorted(keys), upTo(SIZE));
    });

    test("by overwriting the current key still comes whole, each key once", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE);
      const keys = iterate(map, (key) => map.set(key, key + 1));
      assert.deepEqual(sorted(keys), upTo(SIZE));
      for (const [key, value] of map) assert.equal(value, key + 1);
    });

    test("by deleting all the others ends", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE);
      const keys = iterate(map, (key, index) => {
        if (index === 0) map.deleteMany(upTo(SIZE).filter((other) => other !== key));
      });
      assert.ok(keys.length >= 1 && keys.length <= SIZE);
      assert.deepEqual([...map.keys()], [keys[0]]);
    });

    test("by clearing it ends", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE);
      const keys = iterate(map, () => map.clear());
      assert.ok(keys.length >= 1 && keys.length <= SIZE);
    });

    test("by inserting has what was there throughout, and perhaps what is new", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE, 4 * SIZE);
      const keys = iterate(map, (_, index) => {
        if (index < 2 * SIZE) map.set(SIZE + index, 0);
      });
      assert.deepEqual(
        sorted(keys).filter((key) => key < SIZE),
        upTo(SIZE),
      );
    });

    test("by deleting and inserting has what was there throughout", () => {
      using bpf = kernel.open();
      using map = createHash(bpf, SIZE, 4 * SIZE);
      const keys = iterate(map, (_, index) => {
        map.delete(2 * index);
        map.set(SIZE + index, 0);
      });
      const stayed = upTo(SIZE).filter((key) => map.has(key));
      assert.ok(stayed.every((key) => keys.includes(key)));
    });

    test("and is an array has every index once", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", value: u32, maxEntries: SIZE });
      const indexes: number[] = [];
      for (const [index] of map) {
        indexes.push(index);
        map.set((index * 7) % SIZE, index);
      }
      assert.deepEqual(indexes, upTo(SIZE));
    });

    test("and is closed throws at the next batch", () => {
      using bpf = kernel.open();
      const map = createHash(bpf, SIZE);
      const entries = map.entries();
      entries.next();
      map.close();
      assert.throws(() => [...entries], { name: "BpfError", code: "EBADF" });
    });
  });
});

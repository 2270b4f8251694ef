/** Slices: millions of entries, and an event loop that goes on. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, type BpfError, cidr, type HashMap, u32 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";

const ENTRIES = 1000;

function createHash(bpf: Bpf, maxEntries = ENTRIES): HashMap<number, number> {
  return bpf.createMap({ type: "hash", name: "hits", key: u32, value: u32, maxEntries });
}

function pairs(count: number, first = 0): [number, number][] {
  return Array.from({ length: count }, (_, n) => [first + n, n]);
}

function fullHash(bpf: Bpf): HashMap<number, number> {
  const map = createHash(bpf);
  map.setMany(pairs(ENTRIES));
  return map;
}

async function* later<T>(items: Iterable<T>): AsyncIterableIterator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

/** Counts the turns of the event loop until `work` is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isDone = true;
  return turns;
}

async function collect<T>(slices: AsyncIterable<T[]>): Promise<T[][]> {
  const all: T[][] = [];
  for await (const slice of slices) all.push(slice);
  return all;
}

onEveryKernel((kernel) => {
  describe("the slices of a map", () => {
    test("are its entries, each once, so many at a time", async () => {
      using bpf = kernel.open();
      const map = fullHash(bpf);
      for (const size of [1, 7, 250, 999, 1000, 1001, undefined]) {
        const slices = await collect(map.slices(size));
        const whole = slices.slice(0, -1);
        assert.ok(whole.every((slice) => slice.length === size));
        assert.deepEqual(
          slices.flat().sort(([one], [other]) => one - other),
          pairs(ENTRIES),
        );
      }
      map.clear();
      assert.deepEqual(await collect(map.slices()), []);
    });

    test("give the event loop a turn between two", async () => {
      using bpf = kernel.open();
      const map = fullHash(bpf);
      const many = pairs(ENTRIES);
      const keys = many.map(([key]) => key);
      for (const work of [
        () => collect(map.slices(100)),
        () => map.setSlices(many, 100),
        () => map.setSlices(later(many), 100),
        () => map.deleteSlices(keys, 100),
        () => map.setSlices(many, 100),
        () => collect(map.drainSlices(100)),
      ]) {
        assert.ok((await turnsDuring(work)) >= 9);
      }
    });

    test("come of an array, and of a trie, which have no cursor of their own", async () => {
      using bpf = kernel.open();
      using array = bpf.createMap({ type: "array", value: u32, maxEntries: 100 });
      assert.deepEqual(
        (await collect(array.slices(30))).map((slice) => slice.length),
        [30, 30, 30, 10],
      );
      using trie = bpf.createMap({ type: "lpm_trie", key: cidr, value: u32, maxEntries: 100 });
      await trie.setSlices(
        Array.from({ length: 50 }, (_, n) => [`10.0.${n}.0/24`, n] as const),
        20,
      );
      assert.deepEqual(
        (await collect(trie.slices(20))).flat().map(([, n]) => n),
        [...trie.values()],
      );
      assert.equal(await trie.deleteSlices(["10.0.1.0/24", "10.0.99.0/24"], 1), 1);
    });

    test("can be left early", async () => {
      using bpf = kernel.open();
      const map = fullHash(bpf);
      for await (const slice of map.slices(10)) {
        assert.equal(slice.length, 10);
        break;
      }
      let taken = 0;
      for await (const slice of map.drainSlices(100)) {
        taken += slice.length;
        if (taken > 500) break;
      }
      assert.equal(map.count(), ENTRIES - taken, "what was not given is still there");
    });

    test("end with EBADF when the map is closed meanwhile", async () => {
      using bpf = kernel.open();
      const map = fullHash(bpf);
      const slices = map.drainSlices(10);
      await slices.next();
      map.close();
      await assert.rejects(slices.next(), { code: "EBADF" });
    });
  });

  describe("setting in slices", () => {
    test("answers how many there were, from what is there and what comes", async () => {
      using bpf = kernel.open();
      const map = createHash(bpf);
      assert.equal(await map.setSlices(pairs(ENTRIES), 300), ENTRIES);
      assert.equal(await map.setSlices(later(pairs(10)), 3), 10);
      assert.equal(await map.setSlices(new Map([[5, 50]])), 1);
      assert.equal(await map.setSlices([]), 0);
      assert.equal(map.get(5), 50);
      assert.equal(map.count(), ENTRIES);
    });

    test("stops where the kernel refuses, and says how many came before in all", async () => {
      using bpf = kernel.open();
      const map = createHash(bpf, 250);
      await assert.rejects(map.setSlices(pairs(300), 100), (error: BpfError) => {
        assert.equal(error.code, "E2BIG");
        return error.count === 250;
      });
      assert.equal(map.count(), 250);
    });

    test("stops before the slice in which something does not fit", async () => {
      using bpf = kernel.open();
      const map = createHash(bpf);
      await assert.rejects(map.setSlices([...pairs(150), [1, -1]], 100), RangeError);
      assert.equal(map.count(), 100);
    });
  });

  test("a slice has one entry at least", async () => {
    using bpf = kernel.open();
    const map = createHash(bpf);
    for (const size of [0, -1, 1.5, Number.NaN]) {
      assert.throws(() => map.slices(size), RangeError);
      assert.throws(() => map.drainSlices(size), RangeError);
      await assert.rejects(map.setSlices([], size), RangeError);
      await assert.rejects(map.deleteSlices([], size), RangeError);
    }
  });
});

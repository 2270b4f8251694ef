/** With BPF_F_ZERO_SEED the order of a hash's keys is Linux's own, key for key. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, bytes, embedded, type HashMap, u32 } from "mapiary";
import { linux } from "mapiary/linux";
import { onLinux } from "../kernels.ts";

/** Numbers from 0 to 2^32 − 1 that are the same in every run: xorshift32. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed >>> 0 || 1; ; ) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    yield state;
  }
}

type ByteMap = HashMap<Uint8Array, number>;

function createMap(bpf: Bpf, keySize: number, maxEntries: number, flags: "prealloc" | "no_prealloc"): ByteMap {
  return bpf.createMap({
    type: "hash",
    key: bytes(keySize),
    value: u32,
    maxEntries,
    flags: flags === "prealloc" ? ["zero_seed"] : ["zero_seed", "no_prealloc"],
  });
}

function assertSameOrder(ours: ByteMap, theirs: ByteMap): void {
  const [found, expected] = [[...ours], [...theirs]];
  assert.deepEqual(
    found.map(([key, value]) => `${Buffer.from(key).toString("hex")} ${value}`),
    expected.map(([key, value]) => `${Buffer.from(key).toString("hex")} ${value}`),
  );
}

/** Does the same to both maps: updates, deletes, reinserts. */
function change(maps: readonly ByteMap[], keySize: number, steps: number, keys: number, seed: number): void {
  const random = numbers(seed);
  const next = (below: number): number => (random.next().value as number) % below;
  for (let step = 0; step < steps; step++) {
    const number = next(keys);
    const key = Uint8Array.from(
      { length: keySize },
      (_, at) => (at < 4 ? number >>> (8 * at) : number * (at + 1)) & 255,
    );
    const action = next(10);
    for (const map of maps) {
      if (action < 7) map.set(key, step);
      else if (action < 9) map.delete(key);
      else map.take(key);
    }
  }
}

/** Does the same to all maps, with 150 keys: updates, deletes, reinserts. */
function changeNumbers<V>(maps: readonly HashMap<number, V>[], valueAt: (step: number) => V): void {
  const random = numbers(11);
  for (let step = 0; step < 3000; step++) {
    const number = random.next().value as number;
    for (const map of maps) {
      if (number % 8 === 0) map.delete((number >>> 8) % 150);
      else map.set((number >>> 8) % 150, valueAt(step));
    }
  }
}

onLinux(() => {
  describe("the order of a hash", () => {
    for (const flags of ["prealloc", "no_prealloc"] as const) {
      for (let keySize = 1; keySize <= 40; keySize++) {
        test(`with keys of ${keySize} bytes, ${flags}, is the one of Linux`, () => {
          using ours = embedded();
          using theirs = linux();
          for (const maxEntries of [1, 7, 64, 300]) {
            using mine = createMap(ours, keySize, maxEntries, flags);
            using other = createMap(theirs, keySize, maxEntries, flags);
            const keys = Math.min(maxEntries, keySize === 1 ? 250 : maxEntries);
            for (let round = 0; round < 3; round++) {
              change([mine, other], keySize, 2 * maxEntries, keys, keySize * 1000 + maxEntries * 10 + round + 1);
              assertSameOrder(mine, other);
            }
            const keysOf = (map: ByteMap): string[] => {
              const found: string[] = [];
              for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) found.push(key.join());
              return found;
            };
            assert.deepEqual(keysOf(mine), keysOf(other));
          }
        });
      }
    }

    test("with a value for each CPU is the one of Linux: an update leaves its element where it is", () => {
      using theirs = linux();
      const { possibleCpus } = theirs;
      using ours = embedded({ possibleCpus });
      const spec = { key: u32, value: u32, maxEntries: 512, flags: ["zero_seed"] } as const;
      const hashes = [ours, theirs].map((bpf) => bpf.createMap({ type: "percpu_hash", ...spec }));
      const lrus = [ours, theirs].map((bpf) => bpf.createMap({ type: "lru_percpu_hash", ...spec }));
      for (const maps of [hashes, lrus]) {
        changeNumbers(maps, (step) => new Array<number>(possibleCpus).fill(step));
        const [found, expected] = maps.map((map) => [...map]);
        assert.deepEqual(found, expected);
      }
    });

    test("that evicts is the one of Linux while nothing goes", () => {
      using ours = embedded();
      using theirs = linux();
      const spec = { type: "lru_hash", key: u32, value: u32, maxEntries: 512, flags: ["zero_seed"] } as const;
      const maps = [ours.createMap(spec), theirs.createMap(spec)] as const;
      changeNumbers(maps, (step) => step);
      assert.deepEqual([...maps[0]], [...maps[1]]);
    });

    test("of batches, and where each one ends, is the one of Linux", () => {
      using ours = embedded();
      using theirs = linux();
      const [mine, other] = [createMap(ours, 12, 1000, "prealloc"), createMap(theirs, 12, 1000, "prealloc")];
      change([mine, other], 12, 3000, 1000, 42);
      for (const size of [8, 10, 33, 100, 999]) {
        let cursor: Uint8Array | undefined;
        do {
          const expected = other.lookupBatch(size, cursor);
          assert.deepEqual(mine.lookupBatch(size, cursor), expected);
          cursor = expected.cursor;
        } while (cursor !== undefined);
      }
    });

    test("of what drain takes is the one of Linux", () => {
      using ours = embedded();
      using theirs = linux();
      const [mine, other] = [createMap(ours, 6, 500, "prealloc"), createMap(theirs, 6, 500, "prealloc")];
      for (let round = 1; round <= 3; round++) {
        change([mine, other], 6, 1000, 500, round);
        assert.deepEqual(mine.drain(), other.drain());
      }
    });

    test("of many entries is the one of Linux", () => {
      using ours = embedded();
      using theirs = linux();
      const spec = { type: "hash", key: u32, value: u32, maxEntries: 50_000, flags: ["zero_seed"] } as const;
      const [mine, other] = [ours.createMap(spec), theirs.createMap(spec)];
      const random = numbers(7);
      const entries = Array.from({ length: 50_000 }, (_, i) => [random.next().value as number, i] as const);
      mine.setMany(entries);
      other.setMany(entries);
      assert.deepEqual([...mine], [...other]);
    });
  });
});

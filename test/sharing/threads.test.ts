import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { bytes, cidr, type EmbeddedOptions, embedded, u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";

const ROUNDS = 300;
const KILLS = Number(process.env["MAPIARY_RUNS"] ?? 4);

let [thread, cpuThread, tearingThread, hammeringThread, mixedThread]: Bundle[] = [];

before(async () => {
  const modules = [
    "thread-process.ts",
    "cpu-thread-process.ts",
    "tearing-thread-process.ts",
    "hammering-thread-process.ts",
    "mixed-thread-process.ts",
  ];
  [thread, cpuThread, tearingThread, hammeringThread, mixedThread] = await Promise.all(modules.map(bundle));
});

after(() => {
  for (const made of [thread, cpuThread, tearingThread, hammeringThread, mixedThread]) made?.remove();
});

/** The first message of a thread, once it has ended. */
async function answerOf<T>(program: Bundle | undefined, workerData: object): Promise<T> {
  const worker = new Worker(program?.file ?? "", { workerData });
  const [answer] = (await once(worker, "message")) as [T];
  await worker.terminate();
  return answer;
}

/** The ways in which threads share maps: what a kernel is made with. */
const WAYS: Readonly<Record<string, () => EmbeddedOptions>> = {
  "in a directory": () => ({ bpffs: newDirectory() }),
  "in memory": () => ({ shared: true }),
};

for (const [way, options] of Object.entries(WAYS)) {
  describe(`threads that share the maps of a kernel ${way}`, () => {
    test('all write one map: nothing is lost, and "noexist" has one winner for each key', async () => {
      using bpf = embedded(options());
      using counts = bpf.createMap({ type: "hash", name: "counts", key: u32, value: u64, maxEntries: 2000 });
      const answers = await Promise.all(
        [0, 1, 2].map((index) => {
          const workerData = { share: bpf.share(), rounds: ROUNDS, first: index * ROUNDS };
          return answerOf<{ won: number; ids: number[] }>(thread, workerData);
        }),
      );
      assert.deepEqual(
        answers.map(({ ids }) => ids),
        [[counts.id], [counts.id], [counts.id]],
      );
      assert.equal(
        answers.reduce((sum, { won }) => sum + won, 0),
        ROUNDS,
      );
      assert.equal(counts.count(), 4 * ROUNDS);
      for (let key = 0; key < 3 * ROUNDS; key++) assert.equal(counts.get(key), BigInt(key));
    });

    test("are a CPU each, whose values of a map with one for each CPU nobody else writes", async () => {
      using bpf = embedded({ ...options(), possibleCpus: 4 });
      const spec = { value: u64, maxEntries: 1 } as const;
      using array = bpf.createMap({ type: "percpu_array", name: "array", ...spec });
      using hash = bpf.createMap({ type: "percpu_hash", name: "hash", key: u32, ...spec });
      hash.set(0, [0n, 0n, 0n, 0n]);
      const runs = [70_000, 90_000];
      const arrived = new Int32Array(new SharedArrayBuffer(4));
      const cpus = await Promise.all(
        runs.map((count) => {
          const workerData = { share: bpf.share(), runs: count, arrived, threads: runs.length };
          return answerOf<number>(cpuThread, workerData);
        }),
      );
      assert.deepEqual([...cpus].sort(), [1, 2], "this thread is CPU 0");
      const expected = [0n, 0n, 0n, 0n];
      cpus.forEach((cpu, index) => {
        expected[cpu] = BigInt(runs[index] as number);
      });
      for (const map of [array, hash]) assert.deepEqual([...(map.get(0) as Iterable<bigint>)], expected);
    });

    test("never read half of a value, whatever its size, and write the same keys at the same time", async () => {
      using bpf = embedded(options());
      const maps = [4, 8, 12].flatMap((size) => {
        const spec = { value: bytes(size), maxEntries: 8 } as const;
        return [
          bpf.createMap({ type: "hash", name: `hash${size}`, key: u32, ...spec }),
          bpf.createMap({ type: "array", name: `array${size}`, ...spec }),
        ];
      });
      const answers = await Promise.all(
        [1, 2].map((seed) => {
          const workerData = { share: bpf.share(), rounds: 10_000, seed };
          return answerOf<{ torn: number; found: number }>(tearingThread, workerData);
        }),
      );
      for (const { torn, found } of answers) {
        assert.equal(torn, 0);
        assert(found > 30_000);
      }
      for (const map of maps) for (const value of map.values()) assert.equal(new Set(value).size, 1);
    });

    test("lose nothing in maps of any type, nor of what programs add, and take each value out of a queue once", async () => {
      using bpf = embedded({ ...options(), possibleCpus: 2 });
      using recent = bpf.createMap({ type: "lru_hash", name: "recent", key: u32, value: u32, maxEntries: 100 });
      using routes = bpf.createMap({ type: "lpm_trie", name: "routes", key: cidr, value: u32, maxEntries: 1000 });
      using queue = bpf.createMap({ type: "queue", name: "queue", value: u32, maxEntries: 1000 });
      using sums = bpf.createMap({ type: "array", name: "sums", value: u64, maxEntries: 1 });
      const arrived = new Int32Array(new SharedArrayBuffer(4));
      const popped = await Promise.all(
        [0, 1].map((index) => {
          const workerData = { share: bpf.share(), index, rounds: ROUNDS, threads: 2, arrived };
          return answerOf<number[]>(mixedThread, workerData);
        }),
      );
      assert.equal(sums.get(0), BigInt(2 * 100 * ROUNDS));
      const entries = [...recent];
      assert.equal(entries.length, 100);
      for (const [key, value] of entries) assert.equal(value, key);
      assert.equal(routes.count(), ROUNDS);
      for (const [prefix, number] of routes) {
        const [, index, high, low] = prefix.split(/[./]/).map(Number) as [number, number, number, number];
        assert.equal(number, index * ROUNDS + high * 256 + low);
      }
      const taken = popped.flat();
      for (let value = queue.pop(); value !== undefined; value = queue.pop()) taken.push(value);
      assert.deepEqual(
        taken.sort((a, b) => a - b),
        Array.from({ length: 2 * ROUNDS }, (_, number) => number),
      );
    });

    test("may be terminated at any moment: what they held is given back, and no value is half written", async () => {
      using bpf = embedded(options());
      const value = bytes(2 ** 16);
      using array = bpf.createMap({ type: "array", name: "array", value, maxEntries: 2 });
      using hash = bpf.createMap({ type: "hash", name: "hash", key: u32, value, maxEntries: 2 });
      for (let round = 0; round < KILLS; round++) {
        const worker = new Worker(hammeringThread?.file ?? "", { workerData: bpf.share() });
        await once(worker, "message");
        // Not amid the same step each time.
        await setTimeout(round % 7);
        await worker.terminate();
        for (const map of [array, hash]) {
          for (const read of map.values()) assert.equal(new Set(read).size, 1);
          for (const key of [0, 1]) map.set(key, new Uint8Array(2 ** 16).fill(round));
          assert.equal(map.get(1)?.[2 ** 16 - 1], round);
        }
        assert.deepEqual(
          bpf.maps().map(({ name }) => name),
          ["array", "hash"],
        );
      }
    });
  });
}

describe("kernels whose maps no other thread can have", () => {
  test("say what to do instead", () => {
    using alone = embedded();
    assert.throws(() => alone.share(), /embedded\({ shared: true }\).*embedded\({ bpffs: directory }\)/);
    assert.throws(() => alone.reclaim({ bpffs: "/tmp" }), /embedded\({ shared: true }\)/);
    assert.throws(() => embedded({ shared: true, bpffs: newDirectory() }), /shared or bpffs, not both/);
    if (!linux.available()) return;
    using bpf = linux();
    assert.throws(() => bpf.share(), /every thread that calls linux\(\)/);
    assert.throws(() => bpf.reclaim({ bpffs: "/tmp" }), /Linux itself takes back/);
  });
});

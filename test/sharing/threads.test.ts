import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { bytes, embedded, u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";

const ROUNDS = 300;

let [thread, cpuThread, tearingThread]: Bundle[] = [];

before(async () => {
  const modules = ["thread-process.ts", "cpu-thread-process.ts", "tearing-thread-process.ts"];
  [thread, cpuThread, tearingThread] = await Promise.all(modules.map(bundle));
});

after(() => {
  for (const made of [thread, cpuThread, tearingThread]) made?.remove();
});

/** The first message of a thread, once it has ended. */
async function answerOf<T>(program: Bundle | undefined, workerData: object): Promise<T> {
  const worker = new Worker(program?.file ?? "", { workerData });
  const [answer] = (await once(worker, "message")) as [T];
  await worker.terminate();
  return answer;
}

describe("threads that share the maps of a kernel", () => {
  test('all write one map: nothing is lost, and "noexist" has one winner for each key', async () => {
    using bpf = embedded({ bpffs: newDirectory() });
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
    using bpf = embedded({ bpffs: newDirectory(), possibleCpus: 4 });
    const spec = { value: u64, maxEntries: 1 } as const;
    using array = bpf.createMap({ type: "percpu_array", name: "array", ...spec });
    using hash = bpf.createMap({ type: "percpu_hash", name: "hash", key: u32, ...spec });
    hash.set(0, [0n, 0n, 0n, 0n]);
    const runs = [70_000, 90_000];
    const cpus = await Promise.all(
      runs.map((count) => answerOf<number>(cpuThread, { share: bpf.share(), runs: count })),
    );
    assert.deepEqual([...cpus].sort(), [1, 2], "this thread is CPU 0");
    const expected = [0n, 0n, 0n, 0n];
    cpus.forEach((cpu, index) => {
      expected[cpu] = BigInt(runs[index] as number);
    });
    for (const map of [array, hash]) assert.deepEqual([...(map.get(0) as Iterable<bigint>)], expected);
  });

  test("never read half of a value, whatever its size, and write the same keys at the same time", async () => {
    using bpf = embedded({ bpffs: newDirectory() });
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

  test("can be had by a kernel in a directory alone, and others say so", () => {
    using alone = embedded();
    assert.throws(() => alone.share(), /embedded\({ bpffs: directory }\)/);
    if (!linux.available()) return;
    using bpf = linux();
    assert.throws(() => bpf.share(), /every thread that calls linux\(\)/);
  });
});

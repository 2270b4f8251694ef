import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { embedded, u32, u64 } from "mapiary";
import { linux } from "mapiary/linux";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";

const ROUNDS = 300;

let thread: Bundle;

before(async () => {
  thread = await bundle("thread-process.ts");
});

after(() => thread.remove());

describe("threads that share the maps of a kernel", () => {
  test('all write one map: nothing is lost, and "noexist" has one winner for each key', async () => {
    using bpf = embedded({ bpffs: newDirectory() });
    using counts = bpf.createMap({ type: "hash", name: "counts", key: u32, value: u64, maxEntries: 2000 });
    const workers = [0, 1, 2].map((index) => {
      const workerData = { share: bpf.share(), rounds: ROUNDS, first: index * ROUNDS };
      return new Worker(thread.file, { workerData });
    });
    const answers = await Promise.all(
      workers.map(async (worker) => ((await once(worker, "message")) as [{ won: number; ids: number[] }])[0]),
    );
    await Promise.all(workers.map((worker) => worker.terminate()));
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

  test("can be had by a kernel in a directory alone, and others say so", () => {
    using alone = embedded();
    assert.throws(() => alone.share(), /embedded\({ bpffs: directory }\)/);
    if (!linux.available()) return;
    using bpf = linux();
    assert.throws(() => bpf.share(), /every thread that calls linux\(\)/);
  });
});

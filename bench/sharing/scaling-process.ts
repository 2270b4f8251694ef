/**
 * One thread that gets or sets keys of a shared map, and two that do it at the same time on keys of their own:
 * `scaling-process <entries> <rounds> <operations>`. Writes how many times as much two get done, as JSON.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { embedded, u32, u64 } from "mapiary";
import type { Effort, Scaling, ScalingSamples } from "./scaling.ts";

/** What a thread is asked to do, together with how many. */
export interface Asked {
  readonly loop: "get" | "set";
  /** Which map: see `Scaling`. */
  readonly map: Scaling["map"];
  readonly count: number;
  readonly threads: number;
}

/** What a thread took, by the clock, and when it began and ended by the CPU time of all threads together. */
export interface ThreadTime {
  readonly elapsed: number;
  readonly begin: number;
  readonly end: number;
}

const WARM_UP_ROUNDS = 3;

const [entries = 0, rounds = 0, operations = 0] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(join(process.platform === "linux" ? "/dev/shm" : tmpdir(), "mapiary-bench-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const bpf = embedded({ bpffs: directory });
const all = Array.from({ length: entries }, (_, key): [number, number] => [key, key]);
const maps = Object.entries({ shared: entries, roomy: 8 * entries }).map(([name, maxEntries]) => {
  const map = bpf.createMap({ type: "hash", name, key: u32, value: u64.number, maxEntries });
  map.setMany(all);
  return map;
});

const waiting = new Int32Array(new SharedArrayBuffer(4));
const threads = [0, 1].map((index) => {
  const workerData = { share: bpf.share(), index, entries, waiting };
  return new Worker(new URL("scaling-thread-process.js", import.meta.url), { workerData });
});
await Promise.all(threads.map((thread) => once(thread, "message")));

const samples: ScalingSamples = (["get", "set"] as const).flatMap((loop) =>
  (["shared", "roomy", "own"] as const).map((of) => ({ loop, map: of, one: [], two: [] })),
);
for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
  for (const { loop, map: of, one, two } of samples) {
    const alone = await run({ loop, map: of }, [threads[round & 1] as Worker]);
    const together = await run({ loop, map: of }, threads);
    if (round < 0) continue;
    one.push(alone);
    two.push(together);
  }
}
for (const thread of threads) await thread.terminate();
for (const map of maps) map.close();
process.stdout.write(JSON.stringify(samples));

/** Has threads do all their operations at the same time: how long it took, and how much CPU time all of them. */
async function run(what: Pick<Asked, "loop" | "map">, of: readonly Worker[]): Promise<Effort> {
  const asked: Asked = { ...what, count: operations, threads: of.length };
  const times = await Promise.all(
    of.map(async (thread) => {
      thread.postMessage(asked);
      return ((await once(thread, "message")) as [ThreadTime])[0];
    }),
  );
  return {
    elapsed: Math.max(...times.map(({ elapsed }) => elapsed)),
    worked: Math.max(...times.map(({ end }) => end)) - Math.min(...times.map(({ begin }) => begin)),
  };
}

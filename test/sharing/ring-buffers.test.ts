/** A ring buffer in a directory: programs of several processes and threads produce its records, and any of them reads them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type Bpf, embedded, type RingBuf } from "mapiary";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { type Companion, startCompanion } from "./processes.ts";
import { loadProducer, numberOf, RECORD_ROOM, record } from "./ring-program.ts";

const PIN = "/sys/fs/bpf/ring";
const PAGE = 4096;
/** How many records fit into the smallest ring, which is never quite full. */
const FIT = Math.floor((PAGE - 1) / RECORD_ROOM);
const NO_WAKEUP = 1n;
const FORCE_WAKEUP = 2n;
const WHO = 2n ** 32n;

/** How many records each producer produces. */
const COUNT = 3000;

let program: Bundle;
let other: Companion;

before(async () => {
  program = await bundle("ring-process.ts");
  other = startCompanion(program.file);
});

after(async () => {
  await other.end();
  program.remove();
});

/** A directory with a ring buffer that is pinned. */
function makeRing(maxEntries = PAGE): { directory: string; bpf: Bpf; ring: RingBuf<Uint8Array> } {
  const directory = newDirectory();
  const bpf = embedded({ bpffs: directory });
  const ring = bpf.createMap({ type: "ringbuf", name: "ring", value: record, maxEntries });
  ring.pin(PIN);
  return { directory, bpf, ring };
}

function range(from: number, to: number): bigint[] {
  return Array.from({ length: to - from }, (_, index) => BigInt(from + index));
}

const numbers = (ring: RingBuf<Uint8Array>): bigint[] => ring.drain().map(numberOf);

describe("a ring buffer in a directory", () => {
  test("takes records of another process, and gives room for what was read here", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    await other.ask(["open", directory]);
    await other.ask(["produce", "output", FIT, 0n]);
    assert.equal(loadProducer(bpf, ring, "output", 0n).produce(1), 0, "it is full");
    assert.deepEqual(numbers(ring), range(0, FIT));
    await other.ask(["produce", "submit", FIT, 100n]);
    assert.deepEqual(numbers(ring), range(100, 100 + FIT));
    await other.ask(["produce", "discard", 10, 500n]);
    await other.ask(["produce", "output", 1, 0n]);
    assert.deepEqual(numbers(ring), range(FIT, FIT + 1));
  });

  test("is read by another process from where this one has come to", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const { produce } = loadProducer(bpf, ring, "submit", 0n);
    produce(30);
    assert.equal(ring.drain(10).length, 10);
    await other.ask(["open", directory]);
    assert.deepEqual(await other.ask(["take", 15]), range(10, 25));
    await other.ask(["open", directory]);
    assert.deepEqual(await other.ask(["take", 100]), range(25, 30));
  });

  test("outlives its processes", () => {
    const { directory, bpf, ring } = makeRing();
    loadProducer(bpf, ring, "submit", 0n).produce(10);
    bpf.close();
    using later = embedded({ bpffs: directory });
    using opened = later.openMap(PIN, { type: "ringbuf", value: record });
    assert.deepEqual(numbers(opened), range(0, 10));
    assert.equal(opened.poll(), undefined);
  });

  test("loses no record of processes and threads, and gives each once, in the order of who wrote it", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const producers = (["output", "submit", "output"] as const).map((how, who) => ({ how, first: BigInt(who) * WHO }));
    const seen = producers.map(() => 0n);
    await other.ask(["open", directory]);
    const [ofProcess, ...ofThreads] = producers;
    const processEnds = other.ask(["produce", ofProcess?.how, COUNT, ofProcess?.first]);
    const threadsEnd = ofThreads.map((producer) => {
      const workerData = { share: bpf.share(), count: COUNT, ...producer };
      return once(new Worker(program.file, { workerData }), "exit");
    });
    let taken = 0;
    for await (const batch of ring.batches()) {
      for (const number of batch.map(numberOf)) {
        const who = Number(number / WHO);
        assert.equal(number % WHO, seen[who], `of producer ${who}`);
        seen[who] = (seen[who] as bigint) + 1n;
      }
      taken += batch.length;
      if (taken === producers.length * COUNT) break;
    }
    await Promise.all([processEnds, ...threadsEnd]);
    assert.deepEqual(numbers(ring), []);
  });
});

describe("whoever waits for records of a ring buffer in a directory", () => {
  test("is woken by those of another process, again and again", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    await other.ask(["open", directory]);
    const records = ring.records();
    for (let number = 0n; number < 20n; number++) {
      const next = records.next();
      await other.ask(["produce", "submit", 1, 0n]);
      assert.equal(numberOf((await next).value as Uint8Array), number);
    }
  });

  test("is woken by the system, and needs no clock", async ({ mock }) => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    await other.ask(["open", directory]);
    mock.timers.enable({ apis: ["setTimeout"] });
    const records = ring.records();
    for (let number = 0n; number < 3n; number++) {
      const next = records.next();
      await turn();
      await other.ask(["produce", "output", 1, 0n]);
      assert.equal(numberOf((await next).value as Uint8Array), number);
    }
  });

  test("is told nothing with BPF_RB_NO_WAKEUP, and everything with BPF_RB_FORCE_WAKEUP", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    await other.ask(["open", directory]);
    let isWoken = false;
    const next = ring.records().next();
    void next.then(() => {
      isWoken = true;
    });
    await other.ask(["flags", NO_WAKEUP]);
    await other.ask(["produce", "output", 2, 0n]);
    await delay(50);
    assert.equal(isWoken, false);
    await other.ask(["flags", FORCE_WAKEUP]);
    await other.ask(["produce", "output", 1, 0n]);
    assert.equal(numberOf((await next).value as Uint8Array), 0n);
    assert.deepEqual(numbers(ring), [1n, 2n]);
  });

  test("keeps its process alive for it, and no longer", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const child = spawn(process.execPath, [program.file, directory], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    assert.equal(String((await once(child.stdout, "data"))[0]), "waits\n");
    const told = once(child.stdout, "data");
    await delay(50);
    assert.equal(child.exitCode, null);
    loadProducer(bpf, ring, "output", 7n).produce(1);
    assert.equal(String((await told)[0]), "got 7\n");
    assert.deepEqual(await ended, [0, null]);
  });
});

describe("a record of a ring buffer whose producer has died before it was submitted", () => {
  /** Lets a process be killed that holds a record, behind one and before others that are submitted. */
  async function abandon(directory: string, bpf: Bpf, ring: RingBuf<Uint8Array>, behind: number): Promise<void> {
    const { produce } = loadProducer(bpf, ring, "submit", 0n);
    produce(1);
    const victim = startCompanion(program.file);
    await victim.ask(["open", directory]);
    await assert.rejects(victim.ask(["produce", "hold", 1, 1000n]), /has ended/);
    assert.equal(victim.process.signalCode, "SIGKILL");
    assert.equal(produce(behind), behind);
  }

  test("is skipped by who waits for the next", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    await abandon(directory, bpf, ring, 3);
    const got: bigint[] = [];
    for await (const bytes of ring) if (got.push(numberOf(bytes)) === 4) break;
    assert.deepEqual(got, range(0, 4));
  });

  test("is skipped by who was waiting when it died", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const got: bigint[] = [];
    const reading = (async () => {
      for await (const bytes of ring) if (got.push(numberOf(bytes)) === 4) break;
    })();
    await abandon(directory, bpf, ring, 3);
    await reading;
    assert.deepEqual(got, range(0, 4));
  });

  test("is skipped by who begins to read, though nobody waits", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    await abandon(directory, bpf, ring, 3);
    assert.deepEqual(numbers(ring), range(0, 4));
  });

  test("makes room when there is no other, and is never seen", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    assert.deepEqual(numbers(ring), [], "it is read from here");
    await abandon(directory, bpf, ring, FIT - 2);
    const { produce } = loadProducer(bpf, ring, "submit", 500n);
    assert.equal(produce(1), 0, "the consumer has not been here");
    assert.deepEqual(numbers(ring), range(0, FIT - 1));
    assert.equal(produce(FIT), FIT);
    assert.deepEqual(numbers(ring), range(500, 500 + FIT));
  });

  test("is found when an eighth of the ring has been filled, by who never waits", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const most = Math.ceil(PAGE / 8 / RECORD_ROOM);
    assert.deepEqual(numbers(ring), [], "it is read from here");
    await abandon(directory, bpf, ring, most);
    assert.deepEqual(numbers(ring), range(0, most + 1));
  });

  test("is skipped when it was a thread's that was stopped", async () => {
    const { bpf, ring } = makeRing();
    using _ = bpf;
    const workerData = { share: bpf.share(), how: "hold", count: 1, first: 1000n };
    const worker = new Worker(program.file, { workerData });
    assert.deepEqual(await once(worker, "message"), ["holds"]);
    const { produce } = loadProducer(bpf, ring, "output", 0n);
    produce(FIT - 1);
    assert.equal(produce(1), 0);
    assert.deepEqual(numbers(ring), [], "the thread lives");
    await worker.terminate();
    assert.equal(produce(1), 0);
    assert.deepEqual(numbers(ring), range(0, FIT - 1));
  });
});

/** A user ring buffer in a directory: user space of one process writes its records, and programs of any read them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { type Bpf, embedded, type UserRingBuf, u64 } from "mapiary";
import { EBUSY } from "../../src/abi/errno.ts";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { startCompanion } from "./processes.ts";
import { loadReader } from "./user-ring-program.ts";

/** How many records of 8 bytes fit into the smallest ring. */
const FIT = 4096 / 16;

let program: Bundle;

before(async () => {
  program = await bundle("user-ring-process.ts");
});

after(() => program.remove());

function makeRing(): { directory: string; bpf: Bpf; ring: UserRingBuf<bigint> } {
  const directory = newDirectory();
  const bpf = embedded({ bpffs: directory });
  const ring = bpf.createMap({ type: "user_ringbuf", name: "ring", value: u64, maxEntries: 4096 });
  ring.pin("/sys/fs/bpf/ring");
  return { directory, bpf, ring };
}

describe("a user ring buffer in a directory", () => {
  test("is read by programs of another process, which tell who waits for room", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const other = startCompanion(program.file);
    await other.ask(["open", directory, false]);
    let sum = 0n;
    for (let round = 0n; round < 3n; round++) {
      for (let number = 0n; number < FIT; number++) {
        assert.equal(ring.push(number * round), true);
        sum += number * round;
      }
      assert.equal(ring.push(1n), false, "it is full");
      await Promise.all([ring.drained(), other.ask(["drain"])]);
      assert.equal(await other.ask(["sum"]), sum);
    }
    await other.end();
  });

  test("gives the next program the record that one had which was killed, and what came behind it", async () => {
    const { directory, bpf, ring } = makeRing();
    using _ = bpf;
    const victim = startCompanion(program.file);
    await victim.ask(["open", directory, true]);
    for (const number of [5n, 6n, 7n]) ring.push(number);
    await assert.rejects(victim.ask(["drain"]), /has ended/);
    const reader = loadReader(bpf, ring);
    assert.equal(reader.drain(), 3);
    assert.equal(reader.sum, 18n);
  });

  test("is busy while a program of a thread reads it, and as long as that one lives", async () => {
    const { bpf, ring } = makeRing();
    using _ = bpf;
    ring.push(5n);
    const reader = loadReader(bpf, ring);
    const worker = new Worker(program.file, { workerData: { share: bpf.share() } });
    assert.deepEqual(await once(worker, "message"), ["holds"]);
    assert.equal(reader.drain(), -EBUSY);
    await worker.terminate();
    assert.equal(reader.drain(), 1);
    assert.equal(reader.sum, 5n);
  });
});

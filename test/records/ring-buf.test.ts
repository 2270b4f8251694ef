/** Ring buffers as people read them: records of programs in loops, batches and one by one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type Bpf, type RingBuf, struct, u64, type Value } from "mapiary";
import { onEveryKernel } from "../kernels.ts";
import { EVENT_SIZE, event, loadEventProgram } from "./event-program.ts";

type Event = Value<typeof event>;

const NO_WAKEUP = 1n;
const FORCE_WAKEUP = 2n;
/** How many records of the program fit into the smallest ring: never quite all of it is used. */
const FIT = Math.floor((4096 - 1) / (EVENT_SIZE + 8));

function createRing(bpf: Bpf, maxEntries = 4096): RingBuf<Event> {
  return bpf.createMap({ type: "ringbuf", name: "events", value: event, maxEntries });
}

function numbersOf(records: readonly Event[]): number[] {
  return records.map((record) => Number(record.number));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

onEveryKernel((kernel) => {
  describe("a ringbuf", () => {
    test("gives what a program wrote, in its order, without waiting", () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run } = loadEventProgram(bpf, ring);
      assert.equal(ring.poll(), undefined);
      assert.deepEqual(ring.drain(), []);
      run(5);
      const first = ring.poll();
      assert.deepEqual([first?.number, first?.twice, first?.rest], [0n, 0n, new Uint8Array(EVENT_SIZE - 16)]);
      assert.deepEqual(
        ring.drain(2).map(({ number, twice }) => [number, twice]),
        [
          [1n, 2n],
          [2n, 4n],
        ],
      );
      assert.deepEqual(numbersOf(ring.drain()), [3, 4]);
      assert.equal(ring.poll(), undefined);
    });

    test("gives bytes when it has no layout, and what a layout reads when it is opened with one", () => {
      using bpf = kernel.open();
      const ring = bpf.createMap({ type: "ringbuf", maxEntries: 4096 });
      const { run } = loadEventProgram(bpf, ring);
      run(2);
      const record: Uint8Array | undefined = ring.poll();
      assert.deepEqual(record, new Uint8Array(EVENT_SIZE));
      const opened = bpf.mapById(ring.id, { type: "ringbuf", value: struct({ number: u64 }) });
      assert.deepEqual(opened.poll(), { number: 1n });
      assert.deepEqual([opened.value?.size, ring.value], [8, undefined]);
    });

    test("refuses a record that is too short for its layout, and goes on behind it", () => {
      using bpf = kernel.open();
      const ring = bpf.createMap({
        type: "ringbuf",
        name: "short",
        value: struct({ event, more: u64 }),
        maxEntries: 4096,
      });
      const { run } = loadEventProgram(bpf, ring);
      run(2);
      const expected = { name: "RangeError", message: /map short has a record of 64 bytes, but struct .* has 72/ };
      assert.throws(() => ring.poll(), expected);
      assert.throws(() => ring.poll(), expected);
      assert.equal(ring.poll(), undefined);
    });

    test("leaves room for records that were read, and no more than there was", () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run, control } = loadEventProgram(bpf, ring);
      run(FIT + 3);
      assert.equal(control.at(0).refused, 3n);
      assert.deepEqual(numbersOf(ring.drain()), range(0, FIT));
      run(FIT);
      assert.equal(control.at(0).refused, 3n);
      assert.deepEqual(numbersOf(ring.drain()), range(FIT, 2 * FIT));
    });

    test("has its records whole where they wrap around its end", () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run } = loadEventProgram(bpf, ring);
      for (let at = 0; at < 300; at += 7) {
        run(7);
        assert.deepEqual(
          ring.drain().map(({ number, twice }) => twice - number),
          range(at, at + 7).map(BigInt),
        );
      }
    });

    test("needs a size that is a power of two and whole pages", () => {
      using bpf = kernel.open();
      assert.throws(() => createRing(bpf, 5000), { code: "EINVAL" });
    });
  });

  describe("a loop over a ringbuf", () => {
    test("gives each record once, in order, and ends when the map is closed", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run } = loadEventProgram(bpf, ring);
      const seen: number[] = [];
      const loop = (async () => {
        for await (const { number } of ring) {
          seen.push(Number(number));
          if (seen.length === 100) ring.close();
        }
      })();
      for (let i = 0; i < 20; i++) {
        run(5);
        await turn();
      }
      await loop;
      assert.deepEqual(seen, range(0, 100));
    });

    test("that waits is woken by the next record", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run } = loadEventProgram(bpf, ring);
      const records = ring.records();
      for (let i = 0; i < 50; i++) {
        const next = records.next();
        await turn();
        run(1);
        assert.equal((await next).value?.number, BigInt(i));
      }
    });

    test("that ends early leaves the rest to the next", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run } = loadEventProgram(bpf, ring);
      run(6);
      for await (const { number } of ring) if (number === 1n) break;
      for await (const { number } of ring) {
        assert.equal(number, 2n);
        break;
      }
      assert.deepEqual(numbersOf(ring.drain()), [3, 4, 5]);
    });

    test("throws the reason of its signal, waiting or not", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const abort = new AbortController();
      const loop = ring.records({ signal: abort.signal }).next();
      await turn();
      abort.abort(new Error("enough"));
      await assert.rejects(loop, /enough/);
      await assert.rejects(ring.records({ signal: abort.signal }).next(), /enough/);
      const { run } = loadEventProgram(bpf, ring);
      run(1);
      assert.equal(ring.poll()?.number, 0n);
    });

    test("throws what a record threw, and the next loop goes on behind it", async () => {
      using bpf = kernel.open();
      const ring = bpf.createMap({ type: "ringbuf", value: struct({ event, more: u64 }), maxEntries: 4096 });
      const { run } = loadEventProgram(bpf, ring);
      run(1);
      await assert.rejects(async () => {
        for await (const _ of ring);
      }, RangeError);
      assert.equal(ring.poll(), undefined);
    });

    test("of batches gives as many records as there are, up to a size", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run } = loadEventProgram(bpf, ring);
      run(25);
      const sizes: number[] = [];
      let next = 0;
      for await (const batch of ring.batches({ size: 10 })) {
        sizes.push(batch.length);
        for (const { number } of batch) assert.equal(number, BigInt(next++));
        if (next === 25) run(3);
        if (next === 28) break;
      }
      assert.deepEqual(sizes, [10, 10, 5, 3]);
      assert.throws(() => ring.batches({ size: 0 }), RangeError);
    });

    test("ends when the kernel is closed, and does not begin on a map that is", async () => {
      const bpf = kernel.open();
      const ring = createRing(bpf);
      const next = ring.records().next();
      await turn();
      bpf.close();
      assert.deepEqual(await next, { done: true, value: undefined });
      assert.throws(() => ring.records(), { code: "EBADF" });
      assert.throws(() => ring.poll(), { code: "EBADF" });
      ring.close();
    });

    test("lets other things happen while records never end", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf, 1 << 16);
      const { run } = loadEventProgram(bpf, ring);
      let turns = 0;
      let isDone = false;
      const ticking = (async () => {
        while (!isDone) {
          await turn();
          turns++;
        }
      })();
      run(100);
      for await (const { number } of ring) {
        if (number % 50n === 0n) run(50);
        if (turns >= 3) break;
      }
      isDone = true;
      await ticking;
      assert.ok(turns >= 3);
    });
  });

  describe("a program that says who is woken", () => {
    test("wakes nobody with BPF_RB_NO_WAKEUP until it wakes somebody for all", async () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run, control } = loadEventProgram(bpf, ring);
      const records = ring.records();
      run(1);
      await records.next();
      let isWoken = false;
      const next = records.next().then((result) => {
        isWoken = true;
        return result;
      });
      await turn();
      control.at(0).flags = NO_WAKEUP;
      run(2);
      for (let i = 0; i < 20; i++) await turn();
      assert.equal(isWoken, false);
      control.at(0).flags = FORCE_WAKEUP;
      run(1);
      assert.equal((await next).value?.number, 1n);
      assert.deepEqual(numbersOf(ring.drain()), [2, 3]);
    });

    test("is asked without waiting whether it woke anybody or not", () => {
      using bpf = kernel.open();
      const ring = createRing(bpf);
      const { run, control } = loadEventProgram(bpf, ring);
      control.at(0).flags = NO_WAKEUP;
      run(3);
      assert.deepEqual(numbersOf(ring.drain()), [0, 1, 2]);
    });
  });
});

/** Records of programs in the rings of CPUs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Assembler, type Bpf, i64, type PerfEventArray, struct, u32, u64 } from "mapiary";
import { BPF_F_PRESERVE_ELEMS } from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";

const event = struct({ number: u64, cpu: u32 });
/** BPF_F_CURRENT_CPU. */
const CURRENT_CPU = 0xffff_ffffn;

/** Loads a program that gives a numbered record each time that it runs. */
function open(bpf: Bpf, pages?: number) {
  const events = bpf.createMap({ type: "perf_event_array", name: "events", value: event });
  const numbers = bpf.createMap({ type: "array", value: u64, maxEntries: 1 });
  const instructions = new Assembler()
    .mov("r9", "r1")
    .loadMapValue("r6", numbers)
    .load("u64", "r7", "r6", 0)
    .store("u64", "r10", -16, "r7")
    .add("r7", 1)
    .store("u64", "r6", 0, "r7")
    .call("bpf_get_smp_processor_id")
    .store("u64", "r10", -8, "r0")
    .mov("r1", "r9")
    .loadMap("r2", events)
    .loadImmediate("r3", CURRENT_CPU)
    .mov("r4", "r10")
    .add("r4", -16)
    .mov("r5", 16)
    .call("bpf_perf_event_output")
    .mov("r0", 0)
    .exit()
    .assemble();
  const program = bpf.loadProgram({ type: "xdp", name: "events", license: "GPL", instructions });
  if (pages !== undefined) events.open({ pages });
  return { events, run: (times: number) => void program.run({ data: new Uint8Array(64), repeat: times }) };
}

const ENOENT = 2;
const E2BIG = 7;
const EFAULT = 14;
const ENOSPC = 28;

const order = struct({ length: u64, ofPacket: u64, answer: i64 });

/** Loads a program that gives so many bytes of 7 and so many of its packet, and says what it was answered. */
function loadGiver(bpf: Bpf, events: PerfEventArray<unknown>, index = CURRENT_CPU) {
  const orders = bpf.createMap({ type: "array", name: "orders", value: order, maxEntries: 1 });
  const code = new Assembler().mov("r6", "r1");
  for (let at = -64; at < 0; at += 4) code.store("u32", "r10", at, 0x07070707);
  code
    .loadMapValue("r7", orders)
    .load("u64", "r8", "r7", 8)
    .lsh("r8", 32)
    .loadImmediate("r3", index)
    .or("r3", "r8")
    .load("u64", "r5", "r7", 0)
    .jgt("r5", 64, "end")
    .mov("r1", "r6")
    .loadMap("r2", events)
    .mov("r4", "r10")
    .add("r4", -64)
    .call("bpf_perf_event_output")
    .store("u64", "r7", 16, "r0")
    .label("end")
    .mov("r0", 0)
    .exit();
  const program = bpf.loadProgram({ type: "xdp", name: "giver", license: "GPL", instructions: code.assemble() });
  return (data: Uint8Array, length: number, ofPacket: number): number => {
    orders.set(0, { length: BigInt(length), ofPacket: BigInt(ofPacket), answer: 0n });
    program.run({ data });
    return Number(orders.get(0)?.answer);
  };
}

onEveryKernel((kernel) => {
  describe("a perf_event_array", () => {
    test("gives what programs gave, in the order of each CPU, with the CPU", async () => {
      using bpf = kernel.open();
      const { events, run } = open(bpf);
      assert.equal(events.maxEntries, bpf.possibleCpus);
      assert.equal(events.poll(), undefined);
      const last = new Map<number, bigint>();
      let count = 0;
      const loop = (async () => {
        for await (const { cpu, data } of events) {
          assert.equal(data.cpu, cpu);
          assert.ok(data.number > (last.get(cpu) ?? -1n));
          last.set(cpu, data.number);
          if (++count === 1000) events.close();
        }
      })();
      for (let i = 0; i < 100; i++) {
        run(10);
        await turn();
      }
      await loop;
      assert.equal(count, 1000);
      assert.equal(events.lost, 0);
    });

    test("wakes whoever waits", async () => {
      using bpf = kernel.open();
      const { events, run } = open(bpf, 1);
      const records = events.records();
      for (let i = 0; i < 20; i++) {
        const next = records.next();
        await turn();
        run(1);
        assert.equal((await next).value?.data.number, BigInt(i));
      }
    });

    test("counts what was lost when a ring was full", () => {
      using bpf = kernel.open();
      const { events, run } = open(bpf, 1);
      run(1000);
      let seen = 0;
      while (events.poll() !== undefined) seen++;
      assert.ok(seen > 0 && seen < 1000);
      let all = 1000;
      // A ring says what it has lost with its next record, which the program may give on another CPU.
      for (let tries = 0; tries < 10_000 && seen + events.lost !== all; tries++) {
        run(1);
        all++;
        while (events.poll() !== undefined) seen++;
      }
      assert.equal(seen + events.lost, all);
      const { lost } = events;
      events.close();
      assert.equal(events.lost, lost);
    });

    test("gives what it is told of the packet behind a record, each rounded up", () => {
      using bpf = kernel.open();
      const events = bpf.createMap({ type: "perf_event_array", name: "events" });
      const give = loadGiver(bpf, events);
      events.open({ pages: 1 });
      const packet = Uint8Array.from({ length: 64 }, (_, at) => at);
      for (const [record, ofPacket] of [
        [4, 0],
        [12, 0],
        [3, 5],
        [4, 64],
        [0, 1],
      ] as const) {
        assert.equal(give(packet, record, ofPacket), 0);
        const { data } = events.poll() ?? {};
        const bytes = [...new Uint8Array(record).fill(7), ...packet.subarray(0, ofPacket)];
        assert.deepEqual([...(data ?? [])].slice(0, bytes.length), bytes);
        assert.equal(data?.length, Math.ceil((4 + bytes.length) / 8) * 8 - 4);
      }
      assert.equal(give(packet, 4, 65), -EFAULT);
    });

    test("has records that wrap around its end", () => {
      using bpf = kernel.open();
      const events = bpf.createMap({ type: "perf_event_array", name: "events" });
      const give = loadGiver(bpf, events);
      events.open({ pages: 1 });
      for (let length = 1; length <= 64; length++) {
        for (let i = 0; i < 9; i++) {
          assert.equal(give(new Uint8Array(64).fill(9), length, 64), 0);
          const bytes = [...(events.poll()?.data ?? [])].slice(0, length + 64);
          assert.deepEqual(bytes, [...new Uint8Array(length).fill(7), ...new Uint8Array(64).fill(9)]);
        }
      }
    });

    test("refuses a program whose CPU has no ring, or whose index is none", () => {
      using bpf = kernel.open();
      const events = bpf.createMap({ type: "perf_event_array", name: "events", maxEntries: bpf.possibleCpus });
      const give = loadGiver(bpf, events);
      assert.equal(give(new Uint8Array(64), 4, 0), -ENOENT);
      events.open({ pages: 1 });
      const giveBeyond = loadGiver(bpf, events, BigInt(bpf.possibleCpus));
      assert.equal(giveBeyond(new Uint8Array(64), 4, 0), -E2BIG);
    });

    test("lets an event go with the fd through which it came, unless it preserves it", () => {
      for (const [flags, after] of [
        [0, -ENOENT],
        [BPF_F_PRESERVE_ELEMS, -ENOSPC], // it is there, but its ring was unmapped
      ] as const) {
        using bpf = kernel.open();
        const { sys } = bpf;
        const maxEntries = bpf.possibleCpus;
        const fd = sys.mapCreate({ type: "perf_event_array", keySize: 4, valueSize: 4, maxEntries, flags });
        const info = sys.objGetInfoByFd(fd);
        assert.ok(typeof info !== "number");
        using other = bpf.mapById(info.id, { type: "perf_event_array" }) as unknown as PerfEventArray<Uint8Array>;
        const give = loadGiver(bpf, other);
        other.open({ pages: 1 });
        assert.equal(give(new Uint8Array(64), 4, 0), 0);
        other.close();
        assert.equal(give(new Uint8Array(64), 4, 0), after);
      }
    });

    test("has rings of a power of two of pages", () => {
      using bpf = kernel.open();
      assert.throws(() => open(bpf, 3), { code: "EINVAL" });
    });
  });
});

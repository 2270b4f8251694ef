/** Records of programs in the rings of CPUs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Assembler, type Bpf, embedded, struct, u32, u64 } from "mapiary";
import { onLinux } from "../kernels.ts";

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

onLinux((kernel) => {
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
      run(1);
      while (events.poll() !== undefined) seen++;
      assert.equal(seen + events.lost, 1001);
      const { lost } = events;
      events.close();
      assert.equal(events.lost, lost);
    });

    test("has rings of a power of two of pages", () => {
      using bpf = kernel.open();
      assert.throws(() => open(bpf, 3), { code: "EINVAL" });
    });
  });
});

test("a perf_event_array of the embedded kernel has no rings, and says what has", () => {
  using bpf = embedded();
  const events = bpf.createMap({ type: "perf_event_array", maxEntries: 1 });
  assert.throws(() => events.open(), { code: "ENOSYS", message: /a ringbuf carries records on every kernel/ });
});

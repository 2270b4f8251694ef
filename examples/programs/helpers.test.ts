/** The helpers on maps that programs call, one program each: the same on every kernel. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, mock, test } from "node:test";
import {
  type ArrayMap,
  type Bpf,
  type BpfProgram,
  embedded,
  type HashMap,
  type OpaqueMap,
  type PercpuArrayMap,
  type PerfEventArray,
  type Queue,
  type RingBuf,
} from "mapiary";
import { onEveryKernel, onLinux } from "../../test/kernels.ts";

interface OneProgram<Name extends string, Variables extends Record<string, unknown>> {
  maps: { hits: HashMap<number, bigint> };
  variables: Variables;
  programs: Record<Name, BpfProgram>;
}

const object = (name: string): string => join(import.meta.dirname, `${name}.bpf.o`);
const PACKET = { data: new Uint8Array(64) };
const XDP_DROP = 1;
const XDP_PASS = 2;
const XDP_REDIRECT = 4;
const EEXIST = 17;
const ENOENT = 2;
const E2BIG = 7;

test("every program is there as it was written and as it was compiled", () => {
  const names = readdirSync(import.meta.dirname);
  const sources = names.filter((name) => name.endsWith(".bpf.c"));
  assert.ok(sources.length >= 15);
  for (const source of sources) assert.ok(names.includes(source.replace(/c$/, "o")), `${source} was not compiled`);
});

onEveryKernel(({ open }) => {
  const opened = (run: (bpf: Bpf) => void) => () => {
    using bpf = open();
    run(bpf);
  };

  describe("in a program", () => {
    test(
      "bpf_map_update_elem gives a key a value, or says why not",
      opened((bpf) => {
        type Answers = Record<"fresh" | "again" | "existing" | "full", number>;
        using update = bpf.load<OneProgram<"update", Answers>>(object("update"));
        update.programs.update.run(PACKET);
        const { fresh, again, existing, full } = update.variables;
        assert.deepEqual([fresh, again, existing, full], [0, -EEXIST, 0, -E2BIG]);
        assert.equal(update.maps.hits.get(5), 200n);
      }),
    );

    test(
      "bpf_map_lookup_elem gives the value itself, to be changed where it lies",
      opened((bpf) => {
        using lookup = bpf.load<OneProgram<"lookup", Record<string, never>>>(object("lookup"));
        assert.equal(lookup.programs.lookup.run(PACKET).retval, XDP_DROP);
        lookup.maps.hits.set(10, 41n);
        assert.equal(lookup.programs.lookup.run(PACKET).retval, XDP_PASS);
        assert.equal(lookup.maps.hits.get(10), 42n);
      }),
    );

    test(
      "bpf_map_delete_elem deletes a key once",
      opened((bpf) => {
        using deletes = bpf.load<OneProgram<"delete", { first: number; second: number }>>(object("delete"));
        deletes.maps.hits.set(20, 1n);
        deletes.programs.delete.run(PACKET);
        assert.deepEqual({ ...deletes.variables }, { first: 0, second: -ENOENT });
        assert.equal(deletes.maps.hits.has(20), false);
      }),
    );

    test(
      "bpf_for_each_map_elem shows a function every entry",
      opened((bpf) => {
        using walk = bpf.load<OneProgram<"walk", { sum: bigint; entries: bigint }>>(object("for-each"));
        for (const key of [1, 2, 3]) walk.maps.hits.set(key, BigInt(key) * 10n);
        walk.programs.walk.run(PACKET);
        assert.deepEqual({ ...walk.variables }, { sum: 60n, entries: 3n });
      }),
    );

    test(
      "bpf_map_push_elem and bpf_map_pop_elem fill and empty a queue",
      opened((bpf) => {
        interface Waiting {
          maps: { waiting: Queue<number> };
          variables: { oldest: number };
          programs: { enqueue: BpfProgram; dequeue: BpfProgram };
        }
        using queue = bpf.load<Waiting>(object("queue"));
        const { enqueue, dequeue } = queue.programs;
        assert.equal(dequeue.run(PACKET).retval, XDP_DROP);
        assert.equal(enqueue.run({ data: new Uint8Array(60) }).retval, XDP_PASS);
        queue.maps.waiting.push(99);
        assert.equal(dequeue.run(PACKET).retval, XDP_PASS);
        assert.equal(queue.variables.oldest, 60);
        assert.equal(queue.maps.waiting.pop(), 99);
      }),
    );

    test(
      "bpf_map_lookup_percpu_elem gives the value of any CPU",
      opened((bpf) => {
        interface Packets {
          maps: { packets: PercpuArrayMap<number, bigint> };
          variables: { sum: bigint };
          programs: Record<"count" | "add_up", BpfProgram>;
        }
        using percpu = bpf.load<Packets>(object("percpu"), { variables: { cpus: bpf.possibleCpus } });
        percpu.programs.count.run({ ...PACKET, repeat: 10 });
        percpu.programs.add_up.run();
        assert.equal(percpu.variables.sum, 10n);
        assert.equal(percpu.maps.packets.get(0)?.sum(), 10n);
      }),
    );

    test(
      "bpf_redirect_map sends a packet to a device of a map, or says what becomes of it",
      opened((bpf) => {
        interface Redirect {
          maps: { devices: OpaqueMap };
          variables: Record<string, never>;
          programs: { forward: BpfProgram };
        }
        using redirect = bpf.load<Redirect>(object("redirect"));
        const { forward } = redirect.programs;
        assert.equal(forward.run(PACKET).retval, XDP_DROP);
        const loopback = Uint8Array.of(1, 0, 0, 0);
        assert.equal(bpf.sys.mapUpdateElem(redirect.maps.devices.fd, Uint8Array.of(3, 0, 0, 0), loopback), 0);
        assert.equal(forward.run(PACKET).retval, XDP_REDIRECT);
      }),
    );

    test(
      "bpf_tail_call puts another program in the place of the one that runs",
      opened((bpf) => {
        using tail = bpf.load(object("tail-call"));
        const { decide } = tail.programs;
        assert.equal(decide?.run({ data: new Uint8Array(1001) }).retval, XDP_DROP);
        assert.equal(decide?.run({ data: new Uint8Array(1000) }).retval, XDP_PASS);
      }),
    );

    test(
      "bpf_spin_lock keeps the fields of a value together",
      opened((bpf) => {
        interface Traffic {
          maps: { traffic: ArrayMap<number, { packets: bigint; bytes: bigint }> };
          variables: Record<string, never>;
          programs: { account: BpfProgram };
        }
        using traffic = bpf.load<Traffic>(object("spin-lock"));
        traffic.programs.account.run({ data: new Uint8Array(100), repeat: 3 });
        assert.deepEqual(traffic.maps.traffic.get(0), { packets: 3n, bytes: 300n });
      }),
    );

    test(
      "bpf_ringbuf_reserve, _submit, _discard, _output, _query and dynptrs give records to user space",
      opened((bpf) => {
        interface Events {
          maps: { events: RingBuf<{ length: number; how: string }> };
          variables: { waiting: bigint };
          programs: Record<"reserve" | "output" | "dynamic", BpfProgram>;
        }
        using ring = bpf.load<Events>(object("ring-buffer"), { maps: { events: { value: "struct event" } } });
        const { reserve, output, dynamic } = ring.programs;
        assert.equal(reserve.run({ data: new Uint8Array(1600) }).retval, XDP_DROP);
        for (const program of [reserve, output, dynamic]) assert.equal(program.run(PACKET).retval, XDP_PASS);
        assert.deepEqual(
          ring.maps.events.drain(),
          ["reserved", "copied", "dynptr"].map((how) => ({ length: 64, how })),
        );
        assert.equal(ring.variables.waiting, 72n); // three records of 16 bytes, each behind 8 of its own
      }),
    );

    test(
      "bpf_perf_event_output gives a record and the beginning of the packet",
      opened((bpf) => {
        interface Samples {
          maps: { events: PerfEventArray<Uint8Array> };
          variables: Record<string, never>;
          programs: { sample: BpfProgram };
        }
        using samples = bpf.load<Samples>(object("perf-events"));
        samples.maps.events.open({ pages: 1 });
        assert.equal(samples.programs.sample.run({ data: new Uint8Array(64).fill(7) }).retval, XDP_PASS);
        const { data } = samples.maps.events.poll() ?? {};
        assert.deepEqual([...(data?.subarray(0, 20) ?? [])], [64, 0, 0, 0, ...new Uint8Array(16).fill(7)]);
      }),
    );

    test("bpf_timer_start lets an entry go that was not seen for a while", async () => {
      using bpf = open();
      using flows = bpf.load<Flows>(object("timer"), { variables: { idle_ns: 1_000_000n } });
      flows.programs.see.run(PACKET);
      while (flows.variables.expired === 0n) await new Promise((resolve) => setTimeout(resolve, 1));
      assert.equal(flows.maps.flows.has(64), false);
    });
  });
});

interface Flows {
  maps: { flows: HashMap<number, { packets: bigint }> };
  variables: { expired: bigint };
  programs: { see: BpfProgram };
}

test("on the embedded kernel a test can move the time of timers", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    using bpf = embedded();
    using flows = bpf.load<Flows>(object("timer"));
    flows.programs.see.run(PACKET);
    mock.timers.tick(29_999);
    flows.programs.see.run(PACKET); // it begins anew
    mock.timers.tick(29_999);
    assert.deepEqual(flows.maps.flows.get(64), { packets: 2n });
    mock.timers.tick(1);
    assert.equal(flows.maps.flows.has(64), false);
  } finally {
    mock.timers.reset();
  }
});

describe("what Linux has for user space alone", () => {
  test("the embedded kernel has for programs: they take a value, and go from key to key", () => {
    using bpf = embedded();
    using take = bpf.load<OneProgram<"take", { taken: bigint }>>(object("take"));
    assert.equal(take.programs.take.run(PACKET).retval, XDP_DROP);
    take.maps.hits.set(20, 5n);
    assert.equal(take.programs.take.run(PACKET).retval, XDP_PASS);
    assert.equal(take.variables.taken, 5n);
    assert.equal(take.maps.hits.has(20), false);

    using walk = bpf.load<OneProgram<"walk", { keys: number[]; count: number }>>(object("next-key"));
    for (const key of [1, 2, 3]) walk.maps.hits.set(key, 0n);
    walk.programs.walk.run(PACKET);
    assert.equal(walk.variables.count, 3);
    assert.deepEqual(walk.variables.keys.slice(0, 3), [...walk.maps.hits.keys()]);
  });

  onLinux(({ open }) => {
    test("Linux refuses in programs", () => {
      using bpf = open();
      assert.throws(() => bpf.load(object("take")), { code: "EINVAL", message: /invalid func unknown#212/ });
      assert.throws(() => bpf.load(object("next-key")), { code: "EINVAL", message: /invalid func unknown#213/ });
    });
  });
});

/** The helpers on maps that programs call, one program each: the same on every kernel. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Bpf, BpfProgram, HashMap, Queue } from "mapiary";
import { onEveryKernel } from "../../test/kernels.ts";

interface OneProgram<Name extends string, Variables extends Record<string, unknown>> {
  maps: { hits: HashMap<number, bigint> };
  variables: Variables;
  programs: Record<Name, BpfProgram>;
}

const object = (name: string): string => join(import.meta.dirname, `${name}.bpf.o`);
const PACKET = { data: new Uint8Array(64) };
const XDP_DROP = 1;
const XDP_PASS = 2;
const EEXIST = 17;
const ENOENT = 2;
const E2BIG = 7;

test("every program is there as it was written and as it was compiled", () => {
  const names = readdirSync(import.meta.dirname);
  const sources = names.filter((name) => name.endsWith(".bpf.c"));
  assert.ok(sources.length >= 6);
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
  });
});

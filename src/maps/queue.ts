import { QueueStackMap } from "./queue-stack-map.ts";

/**
 * `"queue"`: at most `maxEntries` values, first in, first out. For work that programs hand to user space or to each other.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u32 } from "mapiary";
 *
 * using bpf = embedded();
 * using jobs = bpf.createMap({ type: "queue", name: "jobs", value: u32, maxEntries: 2 });
 * jobs.push(1).push(2);
 * assert.throws(() => jobs.push(3), { code: "E2BIG" });
 * jobs.push(3, "exist"); // makes room by dropping the oldest
 * assert.equal(jobs.peek(), 2);
 * assert.deepEqual(jobs.drain(), [2, 3]);
 * assert.equal(jobs.pop(), undefined);
 * ```
 *
 * Source: `kernel/bpf/queue_stack_maps.c`, Linux 6.18. In Linux since 4.20.
 */
export class Queue<V> extends QueueStackMap<V> {
  declare readonly type: "queue";
}

import { QueueStackMap } from "./queue-stack-map.ts";

/**
 * `"stack"`: at most `maxEntries` values, last in, first out. For pools of free things, ports for one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u16 } from "mapiary";
 *
 * using bpf = embedded();
 * using ports = bpf.createMap({ type: "stack", name: "ports", value: u16, maxEntries: 2 });
 * ports.push(8080).push(8081);
 * assert.equal(ports.pop(), 8081);
 * ports.push(8082).push(8083, "exist"); // makes room by dropping the oldest, 8080
 * assert.deepEqual(ports.drain(), [8083, 8082]);
 * assert.equal(ports.peek(), undefined);
 * ```
 *
 * Source: `kernel/bpf/queue_stack_maps.c`, Linux 6.18. In Linux since 4.20.
 */
export class Stack<V> extends QueueStackMap<V> {
  declare readonly type: "stack";
}

import { KeyedMap } from "./keyed-map.ts";

/**
 * `"array"`: `maxEntries` values by index, all there from the beginning and zero. For counters and configuration.
 *
 * There is nothing to delete: `get` past the end is `undefined`, `set` past the end throws a `BpfError` with the code
 * `E2BIG`, and `"noexist"` always `EEXIST`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * using counters = bpf.createMap({ type: "array", name: "counters", value: u64, maxEntries: 4 });
 * counters.set(2, 40n);
 * assert.deepEqual([...counters.values()], [0n, 0n, 40n, 0n]);
 * assert.equal(counters.get(4), undefined);
 * ```
 *
 * Source: `kernel/bpf/arraymap.c`, Linux 6.18. In Linux since 3.19.
 */
export class ArrayMap<K, V> extends KeyedMap<K, V> {}

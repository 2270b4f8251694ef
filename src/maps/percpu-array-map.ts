import { KeyedMap, type KeyedMapParts } from "./keyed-map.ts";
import { percpu } from "./percpu-values.ts";

/**
 * `"percpu_array"`: for each index a value for each CPU, all there from the beginning and zero. For the counters of
 * programs. User space gives and takes the values of all CPUs at once: an array of `bpf.possibleCpus` values, in the
 * order of the CPUs. Any other number throws a `RangeError`.
 *
 * `value` in the spec is one CPU's value, at most 32 KiB of it; so is `valueSize`. There is nothing to delete, as in an
 * `array`; and other than an `array` it cannot be mapped into memory.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u64 } from "mapiary";
 *
 * using bpf = embedded({ possibleCpus: 2 });
 * using counters = bpf.createMap({ type: "percpu_array", name: "counters", value: u64, maxEntries: 2 });
 * counters.set(1, [40n, 2n]);
 * assert.deepEqual([...counters.values()], [[0n, 0n], [40n, 2n]]);
 * ```
 *
 * Source: `kernel/bpf/arraymap.c`, Linux 6.18. In Linux since 4.6; batches since 5.13.
 */
export class PercpuArrayMap<K, V> extends KeyedMap<K, V[]> {
  /** @internal */
  constructor(parts: KeyedMapParts<K, V>, fd: number) {
    super({ ...parts, value: percpu(parts.value, parts.context.kernel.possibleCpus) }, fd);
  }
}

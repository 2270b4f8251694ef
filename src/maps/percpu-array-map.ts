import type { Layout } from "../layout/layout.ts";
import { KeyedMap, type KeyedMapParts, type UpdateFlag } from "./keyed-map.ts";
import { percpu } from "./percpu-layout.ts";
import type { PercpuValues } from "./percpu-values.ts";

/**
 * `"percpu_array"`: for each index a value for each CPU, all there from the beginning and zero. For the counters of
 * programs. User space gives and takes the values of all CPUs at once: an array of `bpf.possibleCpus` values, in the
 * order of the CPUs; any other number throws a `RangeError`. What it is given is a `PercpuValues`, with `sum`, `max` and `merge`.
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
 * assert.equal(counters.get(1)?.sum(), 42n);
 * assert.equal(counters.get(1)?.[0], 40n);
 * ```
 *
 * Source: `kernel/bpf/arraymap.c`, Linux 6.18. In Linux since 4.6; batches since 5.13.
 */
export class PercpuArrayMap<K, V> extends KeyedMap<K, PercpuValues<V>> {
  /** @internal */
  constructor(parts: KeyedMapParts<K, V>, fd: number) {
    const value = percpu(parts.value, parts.context.kernel.possibleCpus) as Layout<PercpuValues<V>>;
    super({ ...parts, value }, fd);
  }

  override set(key: K, values: readonly V[], flag?: UpdateFlag): this {
    return super.set(key, values as PercpuValues<V>, flag);
  }

  override setMany(entries: Iterable<readonly [K, readonly V[]]>): number {
    return super.setMany(entries as Iterable<readonly [K, PercpuValues<V>]>);
  }
}

import type { Layout } from "../layout/layout.ts";
import { HashMap } from "./hash-map.ts";
import type { KeyedMapParts, UpdateFlag } from "./keyed-map.ts";
import { percpu } from "./percpu-layout.ts";
import type { PercpuValues } from "./percpu-values.ts";

/**
 * `"percpu_hash"`: for each key a value for each CPU, so that programs on different CPUs count without waiting for each
 * other. User space gives and takes all of them at once: an array of `bpf.possibleCpus` values, in the order of the CPUs.
 * Any other number throws a `RangeError`. What it is given is a `PercpuValues`, with `sum`, `max` and `merge`.
 *
 * `value` in the spec is one CPU's value, at most 32 KiB of it; so is `valueSize`. Linux reads and writes each in a slot
 * rounded up to 8 bytes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, ipv4, u64 } from "mapiary";
 *
 * using bpf = embedded({ possibleCpus: 4 });
 * using packets = bpf.createMap({ type: "percpu_hash", name: "packets", key: ipv4, value: u64, maxEntries: 1024 });
 * packets.set("10.0.0.1", [7n, 0n, 2n, 1n]);
 * assert.equal(packets.get("10.0.0.1")?.sum(), 10n);
 * assert.equal(packets.get("10.0.0.1")?.max(), 7n);
 * assert.throws(() => packets.set("10.0.0.2", [1n]), /expected 4 values, one for each possible CPU, got 1/);
 * ```
 *
 * Source: `kernel/bpf/hashtab.c`, Linux 6.18. In Linux since 4.6; `take` since 5.14.
 */
export class PercpuHashMap<K, V> extends HashMap<K, PercpuValues<V>> {
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

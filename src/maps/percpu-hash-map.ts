import { HashMap } from "./hash-map.ts";
import type { KeyedMapParts } from "./keyed-map.ts";
import { percpu } from "./percpu-values.ts";

/**
 * `"percpu_hash"`: for each key a value for each CPU, so that programs on different CPUs count without waiting for each
 * other. User space gives and takes all of them at once: an array of `bpf.possibleCpus` values, in the order of the CPUs.
 * Any other number throws a `RangeError`.
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
 * const total = packets.get("10.0.0.1")?.reduce((sum, each) => sum + each, 0n);
 * assert.equal(total, 10n);
 * assert.throws(() => packets.set("10.0.0.2", [1n]), /expected 4 values, one for each possible CPU, got 1/);
 * ```
 *
 * Source: `kernel/bpf/hashtab.c`, Linux 6.18. In Linux since 4.6; `take` since 5.14.
 */
export class PercpuHashMap<K, V> extends HashMap<K, V[]> {
  /** @internal */
  constructor(parts: KeyedMapParts<K, V>, fd: number) {
    super({ ...parts, value: percpu(parts.value, parts.context.kernel.possibleCpus) }, fd);
  }
}

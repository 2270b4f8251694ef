import { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import { KeylessMap } from "./keyless-map.ts";

/**
 * `"bloom_filter"`: whether a value was ever added, in a few bits for each. `false` is certain; `true` may be an error.
 * For a cheap no before an expensive lookup.
 *
 * A filter of `maxEntries` values and `hashes` hash functions has m bits, the next power of two from
 * 7/5 × `maxEntries` × `hashes` and at least 64. Once n values are in, it says `true` for one that is not with a
 * probability of (1 − e^(−`hashes` × n ÷ m))^`hashes`: with `maxEntries` in, 0.51^`hashes` at most, which is 3.5 % for the
 * usual 5. More values than `maxEntries` can be added, at the price of more errors. Nothing can be taken out.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, ipv4 } from "mapiary";
 *
 * using bpf = embedded();
 * using seen = bpf.createMap({ type: "bloom_filter", name: "seen", value: ipv4, maxEntries: 1000, hashes: 10 });
 * seen.add("10.0.0.1");
 * assert.equal(seen.has("10.0.0.1"), true);
 * assert.equal(seen.has("10.0.0.2"), false); // of 2,500 others about one would be true, with 1,000 values in
 * ```
 *
 * Source: `kernel/bpf/bloom_filter.c`, Linux 6.18. In Linux since 5.16.
 */
export class BloomFilter<V> extends KeylessMap<V> {
  /**
   * Adds a value and answers the map. Throws before anything is written when the value does not fit its layout; throws a
   * `BpfError` with the code `EPERM` when the map is frozen or was opened read-only.
   */
  add(value: V): this {
    this.assertOpen(BPF_MAP_UPDATE_ELEM);
    this.writeValue(value);
    const result = this.frame.update.run();
    if (result < 0) throw this.failure(BPF_MAP_UPDATE_ELEM, result);
    return this;
  }

  /** Whether a value was added: `false` is certain. Throws when the value does not fit its layout. */
  has(value: V): boolean {
    this.assertOpen(BPF_MAP_LOOKUP_ELEM);
    this.writeValue(value);
    const result = this.frame.lookup.run();
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    throw this.failure(BPF_MAP_LOOKUP_ELEM, result);
  }
}

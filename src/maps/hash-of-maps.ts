import type { BpfMap } from "./bpf-map.ts";
import type { UpdateFlag } from "./keyed-map.ts";
import { MapOfMaps } from "./map-of-maps.ts";

/**
 * `"hash_of_maps"`: maps by any key, at most `maxEntries` of them. For a table of its own for each tenant, device or
 * connection.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u32, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * const counters = { type: "array", value: u64, maxEntries: 4 } as const;
 * using byTenant = bpf.createMap({ type: "hash_of_maps", key: u32, inner: counters, maxEntries: 16 });
 * {
 *   using ours = bpf.createMap(counters);
 *   byTenant.set(5, ours);
 * }
 * {
 *   using inner = byTenant.get(5);
 *   inner?.set(2, 40n);
 * }
 * for (const [tenant, opened] of byTenant) {
 *   using inner = opened;
 *   assert.deepEqual([tenant, ...inner.values()], [5, 0n, 0n, 40n, 0n]);
 * }
 * ```
 *
 * Source: `kernel/bpf/hashtab.c`, `kernel/bpf/map_in_map.c`, Linux 6.18. In Linux since 4.12; batches since 5.15.
 */
export class HashOfMaps<K, M extends BpfMap> extends MapOfMaps<K, M> {
  /**
   * Gives a key a map and answers this map. Throws a `TypeError` for what is no map of the inner type; throws a
   * `BpfError`: `E2BIG` when this map is full, `EINVAL` for a map that is not made as the inner map is, `EBADF` for one
   * that is closed, `EEXIST` when the flag is `"noexist"` and the key is there, `ENOENT` when it is `"exist"` and the key
   * is not, `EPERM` when this map is frozen or was opened read-only.
   */
  override set(key: K, map: M, flag: UpdateFlag = "any"): this {
    return super.set(key, map, flag);
  }

  /** Deletes every key. */
  clear(): void {
    this.deleteMany(this.keys());
  }
}

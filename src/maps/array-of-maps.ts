import type { BpfMap } from "./bpf-map.ts";
import type { UpdateFlag } from "./keyed-map.ts";
import { MapOfMaps } from "./map-of-maps.ts";

/**
 * `"array_of_maps"`: maps by index, at most `maxEntries` of them, none at the beginning. For maps that are swapped as a
 * whole while programs use them: fill a new one, then `set` it in the place of the old.
 *
 * A map can be put at an index past the end no more than a value into an array: `set` and `delete` then throw a
 * `BpfError` with the code `E2BIG`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, ipv4, u8 } from "mapiary";
 *
 * using bpf = embedded();
 * const rules = { type: "hash", key: ipv4, value: u8, maxEntries: 1024 } as const;
 * using active = bpf.createMap({ type: "array_of_maps", name: "active", inner: rules, maxEntries: 1 });
 * {
 *   using next = bpf.createMap(rules);
 *   next.set("10.0.0.1", 1);
 *   active.set(0, next);
 * }
 * using current = active.get(0);
 * assert.equal(current?.get("10.0.0.1"), 1);
 * ```
 *
 * Source: `kernel/bpf/arraymap.c`, `kernel/bpf/map_in_map.c`, Linux 6.18. In Linux since 4.12; inner arrays of several
 * lengths (the flag `"inner_map"`) since 5.10.
 */
export class ArrayOfMaps<K, M extends BpfMap> extends MapOfMaps<K, M> {
  /**
   * Puts a map at an index, in the place of the one that may be there, and answers this map. Throws a `TypeError` for
   * what is no map of the inner type; throws a `BpfError`: `E2BIG` for an index past the end, `EINVAL` for a map that is
   * not made as the inner map is, `EBADF` for one that is closed, `EPERM` when this map is frozen or was opened read-only.
   */
  override set(key: K, map: M): this;
  override set(key: K, map: M, flag?: UpdateFlag): this {
    return super.set(key, map, flag);
  }
}

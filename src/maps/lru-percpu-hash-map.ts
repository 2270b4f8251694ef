import { PercpuHashMap } from "./percpu-hash-map.ts";

/**
 * `"lru_percpu_hash"`: a `percpu_hash` that is never full: where there is no room for a new key, an entry goes that was
 * not used for long, by the rules of an `lru_hash`. An entry is one for all CPUs: their values come and go together.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u32, u64 } from "mapiary";
 *
 * using bpf = embedded({ possibleCpus: 2 });
 * using hits = bpf.createMap({ type: "lru_percpu_hash", name: "hits", key: u32, value: u64, maxEntries: 2 });
 * for (const user of [1, 2, 3]) hits.set(user, [BigInt(user), 0n]);
 * assert.equal(hits.count(), 2);
 * assert.equal(hits.get(3)?.sum(), 3n);
 * ```
 *
 * Source: `kernel/bpf/hashtab.c` and `kernel/bpf/bpf_lru_list.c`, Linux 6.18. In Linux since 4.10; `take` since 5.14.
 */
export class LruPercpuHashMap<K, V> extends PercpuHashMap<K, V> {}

import { HashMap } from "./hash-map.ts";

/**
 * `"lru_hash"`: a hash that is never full. Where there is no room for a new key, an entry goes that was not used for
 * long. For connections and caches, of which the old ones may be forgotten.
 *
 * What every kernel keeps to: `set` of a new key never fails for lack of room, the key is there afterwards, and there are
 * never more than `maxEntries`. An entry is used when it is set and when a program looks it up; `get`, `has` and
 * iteration in user space leave no trace. **Which** entry goes differs: none that was used lately, as long as others were
 * not; but it is no strict order.
 *
 * **When** entries go differs, too. The embedded kernel evicts one entry for one new key, and only when `maxEntries` are
 * there. Linux sets free entries aside for each CPU, up to 128 at a time, so it may begin when the map is half full, evicts
 * as many at once, and does so even for a `set` that only replaces a value or then fails. So make an LRU map at least
 * twice as large as what it must hold.
 *
 * With the flag `"no_common_lru"` Linux gives each CPU a list of its own, which is faster when many write, and evicts
 * when a CPU's share is used up, whatever room there is in the others; `maxEntries` is rounded up to a multiple of
 * the CPUs. The embedded kernel rounds, and evicts as ever. All entries are allocated at the beginning: `"no_prealloc"`
 * is `ENOTSUPP`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u16, u32 } from "mapiary";
 *
 * using bpf = embedded();
 * using ports = bpf.createMap({ type: "lru_hash", name: "ports", key: u32, value: u16, maxEntries: 3 });
 * for (const user of [1, 2, 3]) ports.set(user, 8000 + user);
 * ports.set(1, 9001); // used, so it stays
 * ports.set(4, 8004); // makes one go
 * assert.equal(ports.count(), 3);
 * assert.equal(ports.get(1), 9001);
 * assert.equal(ports.get(2), undefined);
 * ```
 *
 * Source: `kernel/bpf/hashtab.c` and `kernel/bpf/bpf_lru_list.c`, Linux 6.18. In Linux since 4.10; `take` since 5.14.
 */
export class LruHashMap<K, V> extends HashMap<K, V> {}

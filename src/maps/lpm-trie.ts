import { BPF_MAP_DELETE_BATCH } from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import { bytes } from "../layout/bytes.ts";
import type { Batch, BatchCursor } from "./batch-cursor.ts";
import { DeletingMap } from "./deleting-map.ts";
import { EntryBatch } from "./entry-batch.ts";
import { PrefixCursor } from "./prefix-cursor.ts";

/**
 * `"lpm_trie"`: values by prefix, found by the longest one that matches. For routes, firewall rules and whatever else goes
 * by network. A key is the length of a prefix in bits, then up to 256 bytes of which so many bits count: `cidr`, `cidr6`,
 * or a `struct` that begins with a `u32`.
 *
 * `get` and `has` look for the longest prefix of their key; `set` and `delete` mean the very prefix. When it is full
 * `set` throws a `BpfError` with the code `ENOSPC`, for a prefix longer than the key `EINVAL`. A trie has no `take` and no
 * `drain`: Linux cannot look up and delete in one step there.
 *
 * Iteration goes by the bits of the prefixes, and what a prefix covers comes before it: `10.0.0.0/24`, `10.0.0.0/8`,
 * `11.0.0.0/8`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cidr, embedded, u32 } from "mapiary";
 *
 * using bpf = embedded();
 * using routes = bpf.createMap({ type: "lpm_trie", name: "routes", key: cidr, value: u32, maxEntries: 1024 });
 * routes.set("10.0.0.0/8", 1).set("10.1.0.0/16", 2);
 * assert.equal(routes.get("10.1.2.3"), 2);
 * assert.equal(routes.get("10.2.2.3"), 1);
 * assert.equal(routes.get("192.168.0.1"), undefined);
 * assert.equal(routes.delete("10.1.0.0/24"), false);
 * assert.deepEqual([...routes.keys()], ["10.1.0.0/16", "10.0.0.0/8"]);
 * ```
 *
 * Source: `kernel/bpf/lpm_trie.c`, Linux 6.18. In Linux since 4.11; the order of iteration since 6.13.
 */
export class LpmTrie<K, V> extends DeletingMap<K, V> {
  /**
   * The value of the longest prefix that a key begins with, `undefined` when there is none. Prefixes longer than that of
   * the key do not match it. Throws when the key does not fit its layout.
   */
  override get(key: K): V | undefined {
    return super.get(key);
  }

  /** Whether a prefix is there that a key begins with. */
  override has(key: K): boolean {
    return super.has(key);
  }

  /** Deletes every entry, in batches. Throws a `BpfError` with the code `EPERM` when the map is frozen or was opened read-only. */
  clear(): void {
    const batches = this.batches();
    while (!batches.isDone) this.#deleteBatch(this.nextBatch(batches));
  }

  /** @internal */
  protected override batches(): BatchCursor {
    const batches = new PrefixCursor(this.context, this.fd, this.shape);
    this.assertOpen(batches.command);
    return batches;
  }

  #deleteBatch({ count, keys }: Batch): void {
    if (count === 0) return;
    const { u8 } = this.context.kernel.memory;
    const { keySize } = this;
    const all = Array.from({ length: count }, (_, index) =>
      u8.slice(keys + index * keySize, keys + (index + 1) * keySize),
    );
    using batch = new EntryBatch(this.context, this.fd, { ...this.shape, valueSize: 0 }, count, this.label);
    batch.writeKeys(bytes(keySize), all);
    while (!batch.isDone) {
      const result = batch.delete();
      if (result === -ENOENT) batch.skip();
      else if (result < 0) throw this.failure(BPF_MAP_DELETE_BATCH, result, { count: batch.count });
    }
  }
}

import { BPF_MAP_LOOKUP_AND_DELETE_ELEM } from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import { DeletingMap } from "./deleting-map.ts";
import { requireSliceSize, SLICE_ENTRIES, slicesFrom } from "./slices.ts";

/**
 * `"hash"`: values by any key, at most `maxEntries` of them. For state by address, process or connection.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, ipv4, struct, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * using traffic = bpf.createMap({
 *   type: "hash",
 *   name: "traffic",
 *   key: ipv4,
 *   value: struct({ packets: u64, bytes: u64 }),
 *   maxEntries: 1024,
 * });
 * traffic.set("10.0.0.1", { packets: 1n, bytes: 64n });
 * assert.deepEqual(traffic.get("10.0.0.1"), { packets: 1n, bytes: 64n });
 * assert.equal(traffic.get("10.0.0.2"), undefined);
 * ```
 *
 * Source: `kernel/bpf/hashtab.c`, Linux 6.18. In Linux since 3.19; `take` since 5.14.
 */
export class HashMap<K, V> extends DeletingMap<K, V> {
  /**
   * Deletes a key and answers the value it had, in one step; `undefined` when it was not there. The kernel deletes before
   * the layout reads: a value that the layout refuses, one beyond 2^53 for `u64.number`, is gone with the error.
   */
  take(key: K): V | undefined {
    this.assertOpen(BPF_MAP_LOOKUP_AND_DELETE_ELEM);
    const { kernel } = this.context;
    this.key.write(kernel.memory, this.frame.key, key);
    const result = this.frame.take.run();
    if (result === -ENOENT) return undefined;
    if (result < 0) throw this.elementFailure(BPF_MAP_LOOKUP_AND_DELETE_ELEM, result);
    return this.value.read(kernel.memory, this.frame.value);
  }

  /** Takes every entry out and answers them, in the kernel's own order. As with `take`, what a layout refuses is gone. */
  drain(): [K, V][] {
    const entries: [K, V][] = [];
    const batches = this.batches(true);
    while (!batches.isDone) for (const entry of this.decodeEntries(this.nextBatch(batches))) entries.push(entry);
    return entries;
  }

  /**
   * Takes every entry out as `drain` does, in slices of about `size`; between two the event loop has a turn, so that a server
   * goes on answering. What is taken out was given: a loop that ends early leaves the rest in the map.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { embedded, u32 } from "mapiary";
   *
   * using bpf = embedded();
   * using hits = bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10_000 });
   * hits.setMany(Array.from({ length: 10_000 }, (_, n) => [n, 1] as const));
   * let taken = 0;
   * for await (const slice of hits.drainSlices(1000)) taken += slice.length;
   * assert.equal(taken, 10_000);
   * assert.equal(hits.count(), 0);
   * ```
   */
  drainSlices(size: number = SLICE_ENTRIES): AsyncIterableIterator<[K, V][]> {
    requireSliceSize(size);
    const batches = this.batches(true, size);
    return slicesFrom(
      () => !batches.isDone,
      () => {
        this.assertOpen(batches.command);
        return this.decodeEntries(this.nextBatch(batches));
      },
    );
  }

  /** Deletes every entry. */
  clear(): void {
    const batches = this.batches(true);
    while (!batches.isDone) this.nextBatch(batches);
  }
}

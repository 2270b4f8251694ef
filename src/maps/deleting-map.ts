import { BPF_MAP_DELETE_BATCH, BPF_MAP_DELETE_ELEM } from "../abi/commands.ts";
import { ENOENT } from "../abi/errno.ts";
import { EntryBatch } from "./entry-batch.ts";
import { KeyedMap } from "./keyed-map.ts";
import { inSlices, SLICE_ENTRIES } from "./slices.ts";

/** A keyed map from which keys can be deleted. */
export abstract class DeletingMap<K, V> extends KeyedMap<K, V> {
  /** Deletes a key. False when it was not there. Throws a `BpfError` with the code `EPERM` when the map is frozen or was opened read-only. */
  delete(key: K): boolean {
    this.assertOpen(BPF_MAP_DELETE_ELEM);
    const { kernel } = this.context;
    this.key.write(kernel.memory, this.frame.key, key);
    const result = this.frame.delete.run();
    if (result === -ENOENT) return false;
    if (result < 0) throw this.elementFailure(BPF_MAP_DELETE_ELEM, result);
    return true;
  }

  /** Deletes many keys, in as few commands of the kernel as there are keys missing. Answers how many were there. */
  deleteMany(keys: Iterable<K>): number {
    return this.#deleteAll(Array.isArray(keys) ? (keys as readonly K[]) : [...keys], 0);
  }

  /**
   * Deletes many keys as `deleteMany` does, slice after slice of `size` keys; between two the event loop has a turn, so that
   * a server goes on answering. The keys may come by and by. Answers how many were there.
   */
  deleteSlices(keys: Iterable<K> | AsyncIterable<K>, size: number = SLICE_ENTRIES): Promise<number> {
    let deleted = 0;
    return inSlices(keys, size, (slice) => {
      const there = this.#deleteAll(slice, deleted);
      deleted += there;
      return there;
    });
  }

  /** One batch of `deleteMany`, when `before` keys of other batches were deleted already. */
  #deleteAll(all: readonly K[], before: number): number {
    if (all.length === 0) return 0;
    this.assertOpen(BPF_MAP_DELETE_BATCH);
    using batch = new EntryBatch(this.context, this.fd, { ...this.shape, valueSize: 0 }, all.length, this.label);
    batch.writeKeys(this.key, all);
    let missing = 0;
    while (!batch.isDone) {
      const result = batch.delete();
      if (result === -ENOENT) {
        missing++;
        batch.skip();
      } else if (result < 0) {
        throw this.failure(BPF_MAP_DELETE_BATCH, result, {
          ...batch.failingKey(this.key),
          count: before + batch.count - missing,
        });
      }
    }
    return all.length - missing;
  }
}

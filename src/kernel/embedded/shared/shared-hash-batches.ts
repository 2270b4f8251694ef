import { EFAULT, EINVAL, ENOENT, ENOSPC } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapBatch } from "../map-batch.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { accessOk, copyBytes } from "../user-memory.ts";
import type { HashElements } from "./hash-elements.ts";

/** What batches need of the table that they are of. */
export interface SharedHashBatchParts {
  readonly map: EmbeddedMap;
  readonly table: HashElements;
  /** Gives user space the value of an element: good if the version of the guard is then as it was. */
  readonly readValue: (guard: number, element: number, to: Address) => void;
  /** Gives user space a value while nobody has it locked. For who holds the guard. */
  readonly readLocked: (element: number, to: Address) => void;
  /** Makes an element free that has left its chain. */
  readonly release: (element: number) => void;
}

/**
 * BPF_MAP_LOOKUP_BATCH and BPF_MAP_LOOKUP_AND_DELETE_BATCH of a hash table that is shared: whole buckets at a time; the cursor is the
 * number of the next bucket, four bytes whatever the key (`kernel/bpf/hashtab.c: __htab_map_lookup_and_delete_batch`, 6.18).
 */
export class SharedHashBatches {
  readonly #parts: SharedHashBatchParts;

  constructor(parts: SharedHashBatchParts) {
    this.#parts = parts;
  }

  lookup(batch: MapBatch): number {
    return this.#run(batch, (bucket, total, room) => this.#copyBucket(batch, bucket, total, room));
  }

  lookupAndDelete(batch: MapBatch): number {
    return this.#run(batch, (bucket, total, room) => this.#takeBucket(batch, bucket, total, room));
  }

  /**
   * `move` copies a bucket out behind what is there and answers how many entries it had, −ENOSPC when there is no room for them,
   * −EFAULT when the caller's memory does not reach.
   */
  #run(batch: MapBatch, move: (bucket: number, total: number, room: number) => number): number {
    const { map, table } = this.#parts;
    const { memory } = map;
    if (batch.hasWrongElemFlags(map) || batch.flags !== 0) return -EINVAL;
    const most = batch.count;
    if (most === 0) return 0;
    if (!batch.putCount(0)) return -EFAULT;
    let bucket = 0;
    if (batch.inBatch !== 0) {
      if (!accessOk(memory, batch.inBatch, 4)) return -EFAULT;
      bucket = memory.view.getUint32(batch.inBatch, true);
      if (bucket > table.bucketMask) return -ENOENT;
    }
    let total = 0;
    let result = 0;
    for (;;) {
      const moved = move(bucket, total, most - total);
      if (moved === -EFAULT) return moved;
      if (moved === -ENOSPC) {
        if (total === 0) result = -ENOSPC;
        break;
      }
      total += moved;
      bucket++;
      if (bucket > table.bucketMask) {
        result = -ENOENT;
        break;
      }
    }
    if (!accessOk(memory, batch.outBatch, 4)) return -EFAULT;
    memory.view.setUint32(batch.outBatch, bucket, true);
    return batch.putCount(total) ? result : -EFAULT;
  }

  #copyBucket(batch: MapBatch, number: number, total: number, room: number): number {
    const { table } = this.#parts;
    const bucket = table.buckets + number;
    if (table.linked(bucket) === 0) return 0;
    const guard = table.guardOf(number);
    if (batch.isLocked) {
      table.lock(guard);
      const chain = table.chain(bucket);
      const moved = chain.length > room ? -ENOSPC : this.#copyOut(batch, guard, chain, total);
      table.unlock(guard);
      return moved;
    }
    for (;;) {
      const version = table.version(guard);
      const chain = table.chain(bucket);
      const moved = chain.length > room ? -ENOSPC : this.#copyOut(batch, guard, chain, total);
      if (table.version(guard) === version) return moved;
    }
  }

  /** Linux deletes even what it then fails to copy. */
  #takeBucket(batch: MapBatch, number: number, total: number, room: number): number {
    const { table, release } = this.#parts;
    const bucket = table.buckets + number;
    if (table.linked(bucket) === 0) return 0;
    const guard = table.guardOf(number);
    table.lock(guard);
    const isRoomy = table.chain(bucket).length <= room;
    const chain = isRoomy ? table.removeAll(guard, bucket) : [];
    const moved = isRoomy ? this.#copyOut(batch, guard, chain, total) : -ENOSPC;
    for (const element of chain) release(element);
    table.unlock(guard);
    return moved;
  }

  /** Copies elements out behind the `total` entries that are there, the keys first. */
  #copyOut(batch: MapBatch, guard: number, chain: readonly number[], total: number): number {
    const { map, table, readValue, readLocked } = this.#parts;
    const { memory, keySize, userValueSize: valueSize } = map;
    let key = batch.keys + total * keySize;
    let value = batch.values + total * valueSize;
    const hasKeys = accessOk(memory, key, chain.length * keySize);
    const hasValues = hasKeys && accessOk(memory, value, chain.length * valueSize);
    for (const element of chain) {
      if (hasKeys) copyBytes(memory, key, table.at(element) * 4, keySize);
      if (hasValues && batch.isLocked) readLocked(element, value);
      else if (hasValues) readValue(guard, element, value);
      key += keySize;
      value += valueSize;
    }
    return hasValues || chain.length === 0 ? chain.length : -EFAULT;
  }
}

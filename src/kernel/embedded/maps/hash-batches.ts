import { EFAULT, EINVAL, ENOENT, ENOSPC } from "../../../abi/errno.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { MapBatch } from "../map-batch.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { accessOk, copyBytes } from "../user-memory.ts";
import type { ElementOrder } from "./element-order.ts";
import { copyBuckets, copyElements, type Walk } from "./hash-batch-code.ts";
import type { HashGeometry } from "./hash-code.ts";

/** What the batch commands need of the hash table that they read. */
export interface BatchedTable {
  readonly map: EmbeddedMap;
  readonly geometry: HashGeometry;
  /** The order of the elements, where it is not that of the buckets. */
  readonly order: ElementOrder | undefined;
  /** Whether keys and values are whole words of data, which can be copied as they are. */
  isWholeWords(): boolean;
  /** Gives user space the value at an address. */
  loadValue(from: Address, to: Address): void;
  /** Deletes the element that begins at a word of the memory. */
  remove(element: number): void;
}

/** How far a batch came. */
interface Progress extends Walk {
  /** Why it ended, if not for lack of room. */
  readonly error: number;
}

/**
 * BPF_MAP_LOOKUP_BATCH and BPF_MAP_LOOKUP_AND_DELETE_BATCH on a hash table: `__htab_map_lookup_and_delete_batch`. The cursor
 * has four bytes whatever the key: the number of the next bucket, or the position of the next group that stands for one.
 */
export class HashBatches {
  readonly #table: BatchedTable;
  /** Where the elements of the bucket begin that is being read, words of the memory. */
  readonly #elements: number[] = [];

  constructor(table: BatchedTable) {
    this.#table = table;
  }

  run(batch: MapBatch, deleting: boolean): number {
    const { map, geometry } = this.#table;
    const { memory } = map;
    if (batch.hasWrongElemFlags(map) || batch.flags !== 0) return -EINVAL;
    if (batch.count === 0) return 0;
    if (!batch.putCount(0)) return -EFAULT;
    let from = 0;
    if (batch.inBatch !== 0) {
      if (!accessOk(memory, batch.inBatch, 4)) return -EFAULT;
      from = memory.view.getUint32(batch.inBatch, true);
      if (from > geometry.bucketMask) return -ENOENT;
    }
    const copied = deleting ? undefined : this.#copyWords(batch, from);
    const start = copied ?? { next: from, entries: 0 };
    const done = this.#buckets(batch, start, deleting);
    if (done.error === -EFAULT || !accessOk(memory, batch.outBatch, 4)) return -EFAULT;
    memory.view.setUint32(batch.outBatch, done.next, true);
    if (!batch.putCount(done.entries)) return -EFAULT;
    return done.next > geometry.bucketMask ? -ENOENT : done.error;
  }

  /** Copies what it can of a batch by generated code, where there is any. */
  #copyWords({ keys, values, count }: MapBatch, from: number): Walk | undefined {
    const { map, geometry, order } = this.#table;
    const { memory, keySize, userValueSize } = map;
    if (!this.#table.isWholeWords() || ((keys | values) & 3) !== 0) return undefined;
    if (!accessOk(memory, keys, count * keySize) || !accessOk(memory, values, count * userValueSize)) return undefined;
    const batch = { from, most: count, keys: keys >>> 2, values: values >>> 2 };
    return order === undefined
      ? copyBuckets(memory.i32, geometry, batch)
      : copyElements(memory.i32, geometry, order, batch);
  }

  /** Whole buckets, as many as there is room for. */
  #buckets(batch: MapBatch, { next, entries }: Walk, deleting: boolean): Progress {
    const end = this.#table.geometry.bucketMask + 1;
    let bucket = next;
    let total = entries;
    while (bucket < end) {
      const following = this.#open(bucket);
      const { length } = this.#elements;
      if (length > batch.count - total) return { next: bucket, entries: total, error: total === 0 ? -ENOSPC : 0 };
      if (length > 0 && !this.#copyBucket(batch, total, deleting))
        return { next: bucket, entries: total, error: -EFAULT };
      total += length;
      bucket = following;
    }
    return { next: bucket, entries: total, error: 0 };
  }

  /** Puts the elements of the bucket that begins here into `#elements`, and answers where the next one begins. */
  #open(bucket: number): number {
    const { map, geometry, order } = this.#table;
    const { i32 } = map.memory;
    this.#elements.length = 0;
    if (order === undefined) {
      for (let link = i32[geometry.buckets + bucket] as number; link !== 0; ) {
        this.#elements.push(geometry.origin + link);
        link = i32[geometry.origin + link] as number;
      }
      return bucket + 1;
    }
    const following = order.groupFrom(bucket + 1);
    for (let at = order.next(bucket, following); at < following; at = order.next(at + 1, following))
      this.#elements.push(order.elementAt(at));
    return following;
  }

  /** Copies the elements of a bucket out behind the `total` entries that are there. False when there is no memory for them. */
  #copyBucket(batch: MapBatch, total: number, deleting: boolean): boolean {
    const { memory, keySize, userValueSize: valueSize } = this.#table.map;
    const { length } = this.#elements;
    let key = batch.keys + total * keySize;
    let value = batch.values + total * valueSize;
    const hasKeys = accessOk(memory, key, length * keySize);
    const hasValues = hasKeys && accessOk(memory, value, length * valueSize);
    for (const element of this.#elements) {
      this.#copyElement(element, hasKeys ? key : 0, hasValues ? value : 0, deleting);
      key += keySize;
      value += valueSize;
    }
    return hasValues;
  }

  /** Copies an element out to where there is memory for it, the key first. Linux deletes even what it then fails to copy. */
  #copyElement(element: number, key: Address, value: Address, deleting: boolean): void {
    const { map, geometry } = this.#table;
    if (key !== 0) copyBytes(map.memory, key, (element + 1) * 4, map.keySize);
    if (value !== 0) this.#table.loadValue((element + geometry.valueWord) * 4, value);
    if (deleting) this.#table.remove(element);
  }
}

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
 * has four bytes whatever the key: the number of the next bucket, or the position of the next element.
 */
export class HashBatches {
  readonly #table: BatchedTable;

  constructor(table: BatchedTable) {
    this.#table = table;
  }

  run(batch: MapBatch, deleting: boolean): number {
    const { map, geometry, order } = this.#table;
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
    const done =
      order === undefined ? this.#buckets(batch, start, deleting) : this.#elements(batch, order, start, deleting);
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
    const { bucketMask } = this.#table.geometry;
    let bucket = next;
    let total = entries;
    for (; bucket <= bucketMask; bucket++) {
      const length = this.#chainLength(bucket);
      if (length > batch.count - total) return { next: bucket, entries: total, error: total === 0 ? -ENOSPC : 0 };
      if (length > 0 && !this.#copyChain(batch, bucket, total, length, deleting))
        return { next: bucket, entries: total, error: -EFAULT };
      total += length;
    }
    return { next: bucket, entries: total, error: 0 };
  }

  /** The elements of a table that has their order, as many as there is room for. */
  #elements(batch: MapBatch, order: ElementOrder, { next, entries }: Walk, deleting: boolean): Progress {
    const { map } = this.#table;
    let position = order.next(next);
    let total = entries;
    for (; total < batch.count && position < order.end; position = order.next(position + 1)) {
      const key = batch.keys + total * map.keySize;
      const value = batch.values + total * map.userValueSize;
      const hasKey = accessOk(map.memory, key, map.keySize);
      const hasValue = hasKey && accessOk(map.memory, value, map.userValueSize);
      this.#copyElement(order.elementAt(position), hasKey ? key : 0, hasValue ? value : 0, deleting);
      if (!hasValue) return { next: position, entries: total, error: -EFAULT };
      total++;
    }
    return { next: position, entries: total, error: 0 };
  }

  #chainLength(bucket: number): number {
    const { map, geometry } = this.#table;
    const { i32 } = map.memory;
    let length = 0;
    for (let link = i32[geometry.buckets + bucket] as number; link !== 0; link = i32[geometry.origin + link] as number)
      length++;
    return length;
  }

  /** Copies the chain of a bucket out behind the `total` entries that are there. False when there is no memory for it. */
  #copyChain(batch: MapBatch, bucket: number, total: number, length: number, deleting: boolean): boolean {
    const { map, geometry } = this.#table;
    const { memory, keySize, userValueSize: valueSize } = map;
    const { i32 } = memory;
    let key = batch.keys + total * keySize;
    let value = batch.values + total * valueSize;
    const hasKeys = accessOk(memory, key, length * keySize);
    const hasValues = hasKeys && accessOk(memory, value, length * valueSize);
    for (let link = i32[geometry.buckets + bucket] as number; link !== 0; ) {
      const element = geometry.origin + link;
      link = i32[element] as number;
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

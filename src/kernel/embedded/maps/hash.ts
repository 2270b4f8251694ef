import { E2BIG, EFAULT, EINVAL } from "../../../abi/errno.ts";
import { BPF_F_NO_PREALLOC, BPF_F_NUMA_NODE, BPF_F_ZERO_SEED } from "../../../abi/flags.ts";
import type { MapBatch } from "../map-batch.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, type ElementCode, type EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { accessOk } from "../user-memory.ts";
import { updateEntries } from "./hash-batch-code.ts";
import { canGenerate, generateUpdate } from "./hash-code.ts";
import { allocateHashTable } from "./hash-segment.ts";
import { HashTable } from "./hash-table.ts";

/** The flags that every hash table takes. */
export const HASH_CREATE_FLAGS = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS;

// Sizes of Linux that its limit is made of: KMALLOC_MAX_SIZE, struct htab_elem.
const KMALLOC_MAX_SIZE = 1 << 22;
const LINUX_ELEM_HEADER = 48;

/** The checks that all hash tables share, behind those of their flags: `htab_map_alloc_check`. */
export function checkHashSizes(attr: MapCreateAttr): number {
  if (attr.maxEntries === 0 || attr.keySize === 0 || attr.valueSize === 0) return -EINVAL;
  return attr.keySize + attr.valueSize >= KMALLOC_MAX_SIZE - LINUX_ELEM_HEADER ? -E2BIG : 0;
}

/** `"hash"`: `kernel/bpf/hashtab.c`, 6.18. */
export const HASH: MapType = {
  allocCheck: (attr) => (attr.hasOnlyFlags(HASH_CREATE_FLAGS) ? checkHashSizes(attr) : -EINVAL),

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const base = allocateHashTable(memory, attr, attr.valueSize);
    return base < 0 ? base : new HashMap(memory, base);
  },
};

/** A hash that does nothing else with an update than `HashTable.update`: what is called often gets code of its own. */
class HashMap extends HashTable {
  override updateBatch(batch: MapBatch): number {
    return this.#updateEntries(batch) ?? super.updateBatch(batch);
  }

  override generateUpdate(code: ElementCode): (() => number) | undefined {
    const { geometry } = this;
    return geometry && canGenerate(geometry, code) ? generateUpdate(geometry, code) : undefined;
  }
  /** A batch of updates by generated code, where there is any and nothing is out of the ordinary. */
  #updateEntries(batch: MapBatch): number | undefined {
    const { memory, geometry, keySize, userValueSize } = this;
    const { keys, values, count, elemFlags } = batch;
    if (geometry === undefined || count === 0 || elemFlags !== 0 || ((keys | values) & 3) !== 0) return undefined;
    if (!accessOk(memory, keys, count * keySize) || !accessOk(memory, values, count * userValueSize)) return undefined;
    const done = updateEntries(memory.i32, geometry, keys >>> 2, values >>> 2, count);
    if (done === undefined) return undefined;
    if (!batch.putCount(done)) return -EFAULT;
    return done === count ? 0 : -E2BIG;
  }
}

import { EINVAL, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_NO_COMMON_LRU, BPF_F_NO_PREALLOC } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { EmbeddedMap, MapHost, MapType } from "../map-ops.ts";
import { checkHashSizes, HASH_CREATE_FLAGS } from "./hash.ts";
import { allocateHashTable, HASH_HEADER, hashValueSize } from "./hash-segment.ts";
import { HashTable } from "./hash-table.ts";
import type { MapGeometry } from "./map-geometry.ts";
import { checkPercpuHashSizes } from "./percpu-hash.ts";
import { allCpusSize } from "./percpu-values.ts";

/*
 * The segment: that of a hash table, with one more word behind each value, which is 1 when the entry was used since the
 * hand last came by. The entry that goes is found by second chance: the hand goes round over the elements, clears that
 * word where it is set, and stops at the first element where it is not. Linux keeps two lists and a store of free
 * elements for each CPU instead (kernel/bpf/bpf_lru_list.c), which makes it evict earlier and more at once.
 */
const CREATE_FLAGS = HASH_CREATE_FLAGS | BPF_F_NO_COMMON_LRU;

/** `"lru_hash"`: `kernel/bpf/hashtab.c`, 6.18. */
export const LRU_HASH: MapType = {
  allocCheck(attr: MapCreateAttr): number {
    const unfit = checkLruFlags(attr);
    if (unfit !== 0) return unfit;
    return attr.hasNumaNode && hasOwnLists(attr) ? -EINVAL : checkHashSizes(attr);
  },

  alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    return allocateLruHash(host, attr, 0);
  },
};

/** `"lru_percpu_hash"`: `kernel/bpf/hashtab.c`, 6.18. */
export const LRU_PERCPU_HASH: MapType = {
  allocCheck(attr: MapCreateAttr): number {
    const unfit = checkLruFlags(attr);
    if (unfit !== 0) return unfit;
    return attr.hasNumaNode ? -EINVAL : checkPercpuHashSizes(attr);
  },

  alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    return allocateLruHash(host, attr, host.possibleCpus);
  },
};

function checkLruFlags(attr: MapCreateAttr): number {
  if (!attr.hasOnlyFlags(CREATE_FLAGS)) return -EINVAL;
  return (attr.flags & BPF_F_NO_PREALLOC) !== 0 ? -ENOTSUPP : 0;
}

/** Whether each CPU has a list of its own to evict from, and its share of the entries. */
function hasOwnLists(attr: MapCreateAttr): boolean {
  return (attr.flags & BPF_F_NO_COMMON_LRU) !== 0;
}

/** `slots` is the number of CPUs that have a value of their own, 0 when there is one value for all. */
function allocateLruHash(host: MapHost, attr: MapCreateAttr, slots: number): EmbeddedMap | number {
  const { memory, possibleCpus } = host;
  const maxEntries = hasOwnLists(attr) ? inEqualShares(attr.maxEntries, possibleCpus) : attr.maxEntries;
  const valueSize = slots === 0 ? attr.valueSize : allCpusSize(attr.valueSize, slots);
  const base = allocateHashTable(memory, attr, lruStoredSize(valueSize), { possibleCpus: slots, maxEntries });
  return base < 0 ? base : new LruHash(memory, base);
}

/** With lists of their own all CPUs have the same share, if need be of some entries more: `htab_map_alloc`. */
function inEqualShares(maxEntries: number, cpus: number): number {
  return Math.ceil(maxEntries / cpus) * cpus;
}

/** Where in an element, in bytes from its value, the word lies that says whether it was used. */
export function usedOffset(userValueSize: number): number {
  return Math.ceil(userValueSize / 4) * 4;
}

/** The bytes that an element of a table that evicts keeps for a value. */
export function lruStoredSize(userValueSize: number): number {
  return usedOffset(userValueSize) + 4;
}

class LruHash extends HashTable {
  readonly #usedOffset: number;

  constructor(memory: AddressSpace, base: Address) {
    const userValueSize = hashValueSize(memory, base);
    super(memory, base, lruStoredSize(userValueSize));
    this.#usedOffset = usedOffset(userValueSize);
  }

  override get programGeometry(): MapGeometry | undefined {
    const geometry = super.programGeometry;
    return geometry?.kind === "hash" ? { ...geometry, usedOffset: this.#usedOffset, overwrite: undefined } : undefined;
  }

  override lookedUp(value: Address): void {
    this.#setUsed(value, 1);
  }

  protected override storeValue(at: Address, value: Address, isNew: boolean): void {
    super.storeValue(at, value, isNew);
    if (!isNew) this.#setUsed(at, 1);
  }

  /** Whatever comes in the place of a deleted entry may lie right before the hand, which must not take it for the oldest. */
  protected override dropValue(at: Address): void {
    super.dropValue(at);
    this.#setUsed(at, 1);
  }

  protected override evict(): boolean {
    const { i32 } = this.memory;
    const hand = (this.base + HASH_HEADER.HAND) >>> 2;
    let index = i32[hand] as number;
    while (this.#wasUsed(this.valueAt(index))) {
      this.#setUsed(this.valueAt(index), 0);
      index = this.#after(index);
    }
    this.deleteAt(index);
    this.#setUsed(this.valueAt(index), 0);
    i32[hand] = this.#after(index);
    return true;
  }

  #after(index: number): number {
    return index + 1 < this.maxEntries ? index + 1 : 0;
  }

  #wasUsed(at: Address): boolean {
    return this.memory.i32[(at + this.#usedOffset) >>> 2] !== 0;
  }

  #setUsed(at: Address, used: 0 | 1): void {
    this.memory.i32[(at + this.#usedOffset) >>> 2] = used;
  }
}

import { E2BIG, EINVAL } from "../../../abi/errno.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import type { EmbeddedMap, MapHost, MapType } from "../map-ops.ts";
import { checkHashSizes, HASH_CREATE_FLAGS } from "./hash.ts";
import { allocateHashTable } from "./hash-segment.ts";
import { HashTable } from "./hash-table.ts";
import { allCpusSize, PERCPU_MOST, slotSize } from "./percpu-values.ts";

/** `"percpu_hash"`: `kernel/bpf/hashtab.c`, 6.18. */
export const PERCPU_HASH: MapType = {
  allocCheck(attr: MapCreateAttr): number {
    if (!attr.hasOnlyFlags(HASH_CREATE_FLAGS) || attr.hasNumaNode) return -EINVAL;
    return checkPercpuHashSizes(attr);
  },

  alloc({ memory, possibleCpus }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const storedSize = allCpusSize(attr.valueSize, possibleCpus);
    const base = allocateHashTable(memory, attr, storedSize, { possibleCpus });
    return base < 0 ? base : new HashTable(memory, base);
  },
};

/** The sizes of hash tables with a value for each CPU: `htab_map_alloc_check`. */
export function checkPercpuHashSizes(attr: MapCreateAttr): number {
  const unfit = checkHashSizes(attr);
  if (unfit !== 0) return unfit;
  return slotSize(attr.valueSize) > PERCPU_MOST ? -E2BIG : 0;
}

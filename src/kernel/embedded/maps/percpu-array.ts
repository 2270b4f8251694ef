import { E2BIG, EINVAL, ENOMEM, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_NUMA_NODE } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, type EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { ArrayMap, arrayEnd } from "./array.ts";
import { allCpusSize, PERCPU_MOST, slotSize } from "./percpu-values.ts";

/*
 * The segment: that of an array whose elements are one slot for each possible CPU, each rounded up to 8 bytes.
 */
const PERCPU_ARRAY_HEADER = {
  /** How many CPUs have a slot in each element. */
  POSSIBLE_CPUS: SEGMENT.TYPE_HEADER,
} as const;

const CREATE_FLAGS = BPF_F_NUMA_NODE | ACCESS_FLAGS;

/** `"percpu_array"`: `kernel/bpf/arraymap.c`, 6.18. */
export const PERCPU_ARRAY: MapType = {
  allocCheck(attr: MapCreateAttr): number {
    if (attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize === 0) return -EINVAL;
    if (!attr.hasOnlyFlags(CREATE_FLAGS) || attr.hasNumaNode) return -EINVAL;
    return slotSize(attr.valueSize) > PERCPU_MOST ? -E2BIG : 0;
  },

  alloc({ memory, possibleCpus }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const element = allCpusSize(attr.valueSize, possibleCpus);
    const tables = SEGMENT.HEADER_SIZE + element * attr.maxEntries;
    const base = allocateSegment(memory, attr, arrayEnd(attr, element, tables));
    if (base === 0) return -ENOMEM;
    memory.u32[(base + PERCPU_ARRAY_HEADER.POSSIBLE_CPUS) >>> 2] = possibleCpus;
    return new PercpuArrayMap(memory, base);
  },
};

class PercpuArrayMap extends ArrayMap {
  readonly #userValueSize: number;

  constructor(memory: AddressSpace, base: Address) {
    const valueSize = memory.u32[(base + SEGMENT.VALUE_SIZE) >>> 2] as number;
    const cpus = memory.u32[(base + PERCPU_ARRAY_HEADER.POSSIBLE_CPUS) >>> 2] as number;
    const userValueSize = allCpusSize(valueSize, cpus);
    super(memory, base, userValueSize);
    this.#userValueSize = userValueSize;
  }

  override get userValueSize(): number {
    return this.#userValueSize;
  }

  override get directValue(): Address {
    return 0;
  }

  override mappable(): number {
    return -ENOTSUPP;
  }
}

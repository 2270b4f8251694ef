import { E2BIG, EINVAL, ENOENT, ENOMEM } from "../../../abi/errno.ts";
import { BPF_ANY, BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { genericLookupBatch, genericUpdateBatch } from "../generic-batch.ts";
import type { MapBatch } from "../map-batch.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import type { InnerMeta, MapOfMaps } from "./inner-meta.ts";
import { INNER_SLOT_SIZE, INNER_VALUE_SIZE, InnerMaps, innerTemplate } from "./map-in-map.ts";
import { nextIndex } from "./next-index.ts";

/*
 * The segment: the header, then 8 bytes for each index, which begin with the id of the inner map or are 0.
 */

const CREATE_FLAGS = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;

/** `"array_of_maps"`: `kernel/bpf/arraymap.c`, 6.18. */
export const ARRAY_OF_MAPS: MapType = {
  allocCheck(attr: MapCreateAttr): number {
    if (attr.valueSize !== INNER_VALUE_SIZE || attr.keySize !== 4 || attr.maxEntries === 0) return -EINVAL;
    return attr.hasOnlyFlags(CREATE_FLAGS) ? 0 : -EINVAL;
  },

  alloc(host: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const template = innerTemplate(host, attr);
    if (typeof template === "number") return template;
    const base = reserve(host, attr);
    return base < 0 ? base : new ArrayOfMaps(host, base, template);
  },

  reserve,
};

function reserve({ memory }: MapHost, attr: MapCreateAttr): Address | number {
  return allocateSegment(memory, attr, SEGMENT.HEADER_SIZE + INNER_SLOT_SIZE * attr.maxEntries) || -ENOMEM;
}

class ArrayOfMaps extends EmbeddedMap implements MapOfMaps {
  readonly #inner: InnerMaps;

  constructor(host: MapHost, base: Address, template: EmbeddedMap) {
    super(host.memory, base);
    this.#inner = new InnerMaps(host, base, template);
  }

  get innerMeta(): InnerMeta {
    return this.#inner.meta;
  }

  innerAt(key: Address): EmbeddedMap | undefined {
    return this.#inner.mapAt(this.lookup(key));
  }

  /** Where the id of the inner map lies. */
  override lookup(key: Address): Address {
    const at = this.#placeOf(key);
    return at === 0 || this.memory.u32[at >>> 2] === 0 ? 0 : at;
  }

  /** `bpf_fd_array_map_update_elem`: the flags, the index, the fd, in this order. */
  override update(key: Address, value: Address, flags: number): number {
    if (flags !== BPF_ANY) return -EINVAL;
    const at = this.#placeOf(key);
    if (at === 0) return -E2BIG;
    const refusal = this.#inner.refusal(value);
    if (refusal === 0) this.#inner.keep(at, value);
    return refusal;
  }

  /** `fd_array_map_delete_elem`. */
  override delete(key: Address): number {
    const at = this.#placeOf(key);
    if (at === 0) return -E2BIG;
    return this.#inner.drop(at) ? 0 : -ENOENT;
  }

  /** Every index, whether there is a map or not: `bpf_array_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    return nextIndex(this, key, next);
  }

  override lookupBatch(batch: MapBatch): number {
    return genericLookupBatch(this, batch);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override free(): void {
    const first = this.base + SEGMENT.HEADER_SIZE;
    for (let index = 0; index < this.maxEntries; index++) this.#inner.drop(first + INNER_SLOT_SIZE * index);
    this.#inner.release();
    super.free();
  }

  override handOver(): void {
    this.#inner.release();
    super.handOver();
  }

  /** Where an index keeps its id; 0 past the end. */
  #placeOf(key: Address): Address {
    const index = this.memory.u32[key >>> 2] as number;
    return index < this.maxEntries ? this.base + SEGMENT.HEADER_SIZE + INNER_SLOT_SIZE * index : 0;
  }
}

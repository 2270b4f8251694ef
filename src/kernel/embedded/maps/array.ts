import { E2BIG, EEXIST, EINVAL, ENOMEM } from "../../../abi/errno.ts";
import { BPF_F_INNER_MAP, BPF_F_MMAPABLE, BPF_F_NUMA_NODE, BPF_NOEXIST } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { PAGE_SIZE, pageAlign } from "../../../memory/page-allocator.ts";
import { genericLookupBatch, genericUpdateBatch } from "../generic-batch.ts";
import { arrayGuards, guardsEnd, stagesSize } from "../guards.ts";
import type { MapBatch } from "../map-batch.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { ACCESS_FLAGS, EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import type { MapGeometry } from "./map-geometry.ts";
import { nextIndex } from "./next-index.ts";

/*
 * The segment: the header, then the values one after another, each rounded up to 8 bytes. In a map that can be mapped
 * into memory the values begin on a page of their own. Then guards, and for each of them room for a value on its way: memory
 * that is shared needs them for values that cannot be written in one piece.
 */

const CREATE_FLAGS = BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP | ACCESS_FLAGS;
const INT_MAX = 2 ** 31 - 1;

/** `"array"`: `kernel/bpf/arraymap.c`, 6.18. */
export const ARRAY: MapType = {
  allocCheck(attr: MapCreateAttr): number {
    if (attr.maxEntries === 0 || attr.keySize !== 4 || attr.valueSize === 0) return -EINVAL;
    if (!attr.hasOnlyFlags(CREATE_FLAGS)) return -EINVAL;
    if (attr.valueSize > INT_MAX) return -E2BIG;
    return 0;
  },

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const values = elementSize(attr.valueSize) * attr.maxEntries;
    const isMapable = (attr.flags & BPF_F_MMAPABLE) !== 0;
    const tables = firstValue(attr.flags) + (isMapable ? pageAlign(values) : values);
    const base = allocateSegment(memory, attr, arrayEnd(attr, elementSize(attr.valueSize), tables));
    return base === 0 ? -ENOMEM : new ArrayMap(memory, base);
  },
};

/** The bytes of an element that keeps a value of so many bytes. */
export function elementSize(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 8;
}

/** Where the segment of an array ends whose values end at `tables`. */
export function arrayEnd(attr: MapCreateAttr, elementBytes: number, tables: number): number {
  const guards = arrayGuards(attr, elementBytes);
  return guards === 0 ? tables : guardsEnd(tables, guards) + stagesSize(elementBytes, guards);
}

/** Where the values begin, from the segment's start. */
export function firstValue(flags: number): number {
  return (flags & BPF_F_MMAPABLE) !== 0 ? PAGE_SIZE : SEGMENT.HEADER_SIZE;
}

/** What arrays of values have in common. */
export class ArrayMap extends EmbeddedMap {
  readonly #values: Address;
  readonly #elementSize: number;

  /** `storedSize` is the bytes that an element keeps for its value. */
  constructor(memory: AddressSpace, base: Address, storedSize?: number) {
    super(memory, base);
    this.#values = base + firstValue(this.header(SEGMENT.MAP_FLAGS));
    this.#elementSize = elementSize(storedSize ?? this.valueSize);
  }

  override get programGeometry(): MapGeometry | undefined {
    return { kind: "array", values: this.#values, elementSize: this.#elementSize, cpuStride: this.cpuStride };
  }

  override get directValue(): Address {
    return this.#values;
  }

  override lookup(key: Address): Address {
    const index = this.memory.u32[key >>> 2] as number;
    return index < this.maxEntries ? this.#values + index * this.#elementSize : 0;
  }

  override keyOf(value: Address, scratch: Address): Address {
    this.memory.u32[scratch >>> 2] = (value - this.#values) / this.#elementSize;
    return scratch;
  }

  override update(key: Address, value: Address, flags: number): number {
    const mode = this.updateMode(flags);
    if (mode < 0) return -EINVAL;
    const element = this.lookup(key);
    if (element === 0) return -E2BIG;
    if (mode === BPF_NOEXIST) return -EEXIST;
    if (this.record === undefined) copyBytes(this.memory, element, value, this.userValueSize);
    else this.record.store(this.memory, element, value);
    return 0;
  }

  override delete(_key: Address): number {
    return -EINVAL;
  }

  /** An index past the end is followed by the first one: `array_map_get_next_key`. */
  override getNextKey(key: Address, next: Address): number {
    return nextIndex(this, key, next);
  }

  override lookupBatch(batch: MapBatch): number {
    return genericLookupBatch(this, batch);
  }

  override updateBatch(batch: MapBatch): number {
    return genericUpdateBatch(this, batch);
  }

  override mappable(): { readonly address: Address; readonly bytes: number } | number {
    if ((this.header(SEGMENT.MAP_FLAGS) & BPF_F_MMAPABLE) === 0) return -EINVAL;
    return { address: this.#values, bytes: pageAlign(this.#elementSize * this.maxEntries) };
  }
}

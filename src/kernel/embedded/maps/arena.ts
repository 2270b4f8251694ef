import { E2BIG, EINVAL, ENOMEM, ENOTSUP, ERANGE } from "../../../abi/errno.ts";
import { BPF_F_MMAPABLE, BPF_F_NO_USER_CONV, BPF_F_SEGV_ON_FAULT } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";

/*
 * The segment: a page for the header, then `maxEntries` pages for programs and user space to share.
 */
const ARENA_HEADER = {
  /** The bytes that were mapped first: every later mapping is as long. 0 before. */
  MAPPED_BYTES: SEGMENT.TYPE_HEADER,
} as const;

const CREATE_FLAGS = BPF_F_SEGV_ON_FAULT | BPF_F_MMAPABLE | BPF_F_NO_USER_CONV;
const U32 = 2 ** 32;

/** `arena_map_alloc`. The extra is the address in user space at which the arena shall be mapped, if not 0. */
function check(attr: MapCreateAttr): number {
  if (attr.keySize !== 0 || attr.valueSize !== 0 || attr.maxEntries === 0) return -EINVAL;
  if ((attr.flags & BPF_F_MMAPABLE) === 0 || !attr.hasOnlyFlags(CREATE_FLAGS)) return -EINVAL;
  if (attr.mapExtraLow % PAGE_SIZE !== 0) return -EINVAL;
  const bytes = attr.maxEntries * PAGE_SIZE;
  if (bytes > U32) return -E2BIG;
  return attr.mapExtraLow + bytes > U32 ? -ERANGE : 0;
}

/** `"arena"`: `kernel/bpf/arena.c`, 6.18. */
export const ARENA: MapType = {
  allocCheck: () => 0,

  alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
    const unfit = check(attr);
    if (unfit !== 0) return unfit;
    const base = allocateSegment(memory, attr, PAGE_SIZE + attr.maxEntries * PAGE_SIZE);
    return base === 0 ? -ENOMEM : new Arena(memory, base);
  },

  share: ({ memory }, base) => new Arena(memory, base),
};

class Arena extends EmbeddedMap {
  override lookup(_key: Address): Address {
    return 0;
  }

  override copyValue(_key: Address, _value: Address): number {
    return -EINVAL;
  }

  override update(_key: Address, _value: Address, _flags: number): number {
    return -ENOTSUP;
  }

  override delete(_key: Address): number {
    return -ENOTSUP;
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -ENOTSUP;
  }

  override mappable(): { readonly address: Address; readonly bytes: number } {
    return { address: this.base + PAGE_SIZE, bytes: this.maxEntries * PAGE_SIZE };
  }

  /** `arena_get_unmapped_area`. The caller of `mmap` does not choose the address, so it is never the one of the extra. */
  override mapRefusal(_isWritable: boolean, offset: number, length: number): number {
    if (offset !== 0) return -EINVAL;
    const isPlaced = (this.header(SEGMENT.MAP_EXTRA) | this.header(SEGMENT.MAP_EXTRA + 4)) !== 0;
    const expected = isPlaced ? this.maxEntries * PAGE_SIZE : this.header(ARENA_HEADER.MAPPED_BYTES);
    if (expected === 0) return 0;
    if (length > expected) return -E2BIG;
    return isPlaced || length !== expected ? -EINVAL : 0;
  }

  override mapped(isWritable: boolean, length: number): void {
    super.mapped(isWritable, length);
    this.memory.u32[(this.base + ARENA_HEADER.MAPPED_BYTES) >>> 2] = length;
  }

  /** Linux forgets to count that a writable mapping has gone: an arena that was ever mapped so cannot be frozen. */
  override unmapped(_isWritable: boolean): void {}
}

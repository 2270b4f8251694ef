import { EINVAL, ENOMEM, ENOTSUPP, EPERM } from "../../../abi/errno.ts";
import { BPF_F_NUMA_NODE } from "../../../abi/flags.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import { allocateSegment } from "../segment.ts";

/*
 * The segment: a page for the header, a page for the consumer's position, a page for the producer's, then the data, and
 * once more as many bytes, so that a record that begins before the end of the data can be written and read in one
 * piece. On Linux these are the same pages mapped twice. Here they are pages of their own, which comes to the same for
 * whoever begins each record at its position modulo the size, as the protocol has it: what lies behind the end belongs
 * to the record that began before it.
 */
const CONSUMER_PAGE = 0;
const PRODUCER_PAGE = PAGE_SIZE;
const POSITION_PAGES = 2 * PAGE_SIZE;

/** `ringbuf_map_alloc`. */
function check(attr: MapCreateAttr): number {
  if (!attr.hasOnlyFlags(BPF_F_NUMA_NODE) || attr.keySize !== 0 || attr.valueSize !== 0) return -EINVAL;
  const isPowerOfTwo = attr.maxEntries > 0 && Number.isInteger(Math.log2(attr.maxEntries));
  return isPowerOfTwo && attr.maxEntries % PAGE_SIZE === 0 ? 0 : -EINVAL;
}

function ringbufType(make: (memory: AddressSpace, base: Address) => EmbeddedMap): MapType {
  return {
    allocCheck: () => 0,
    alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
      const unfit = check(attr);
      if (unfit !== 0) return unfit;
      const base = allocateSegment(memory, attr, PAGE_SIZE + POSITION_PAGES + 2 * attr.maxEntries);
      return base === 0 ? -ENOMEM : make(memory, base);
    },
  };
}

/** What both ring buffers have in common: no elements, and memory to be mapped. `kernel/bpf/ringbuf.c`, 6.18. */
class Ringbuf extends EmbeddedMap {
  override lookup(_key: Address): Address {
    return 0;
  }

  override copyValue(_key: Address, _value: Address): number {
    return -ENOTSUPP;
  }

  override update(_key: Address, _value: Address, _flags: number): number {
    return -ENOTSUPP;
  }

  override delete(_key: Address): number {
    return -ENOTSUPP;
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -ENOTSUPP;
  }

  override mappable(): { readonly address: Address; readonly bytes: number } {
    return { address: this.base + PAGE_SIZE, bytes: POSITION_PAGES + 2 * this.maxEntries };
  }

  /** User space consumes, and writes its own position alone: `ringbuf_map_mmap_kern`. */
  override mapRefusal(isWritable: boolean, offset: number, length: number): number {
    return isWritable && (offset !== CONSUMER_PAGE || length !== PAGE_SIZE) ? -EPERM : 0;
  }
}

class UserRingbuf extends Ringbuf {
  /** User space produces, and writes all but the consumer's position: `ringbuf_map_mmap_user`. */
  override mapRefusal(isWritable: boolean, offset: number, _length: number): number {
    return isWritable && offset < PRODUCER_PAGE ? -EPERM : 0;
  }
}

/** `"ringbuf"`: programs write records, user space reads them. */
export const RINGBUF = ringbufType((memory, base) => new Ringbuf(memory, base));

/** `"user_ringbuf"`: user space writes records, programs read them. */
export const USER_RINGBUF = ringbufType((memory, base) => new UserRingbuf(memory, base));

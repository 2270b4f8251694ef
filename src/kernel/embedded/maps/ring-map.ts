import { EINVAL, ENOMEM, ENOTSUPP } from "../../../abi/errno.ts";
import { BPF_F_NUMA_NODE } from "../../../abi/flags.ts";
import { RINGBUF_PAGES } from "../../../abi/ringbuf.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import type { MapCreateAttr } from "../map-create-attr.ts";
import { EmbeddedMap, type MapHost, type MapType } from "../map-ops.ts";
import type { Readiness } from "../readiness.ts";
import { allocateSegment, SEGMENT } from "../segment.ts";
import { RingWaiters } from "./ring-waiters.ts";

/*
 * The segment: a page for the header, a page for the consumer's position, a page for the producer's, then the data, and
 * once more as many bytes, so that a record that begins before the end of the data can be written and read in one
 * piece. On Linux these are the same pages mapped twice. Here they are pages of their own, which comes to the same for
 * whoever begins each record at its position modulo the size, as the protocol has it: what lies behind the end belongs
 * to the record that began before it.
 */
const FIRST_PAGE = PAGE_SIZE;

/** Where the words of a ring buffer lie from the start of its segment. */
export const RING = {
  CONSUMER_POSITION: FIRST_PAGE + RINGBUF_PAGES.CONSUMER * PAGE_SIZE,
  PRODUCER_POSITION: FIRST_PAGE + RINGBUF_PAGES.PRODUCER * PAGE_SIZE,
  DATA: FIRST_PAGE + RINGBUF_PAGES.DATA * PAGE_SIZE,
  /** A `ringbuf`: up to where no record is being written any more, a u64: `pending_pos`. */
  PENDING_POSITION: SEGMENT.TYPE_HEADER,
  /** A `user_ringbuf`: not 0 while a program reads it. One that is shared: the lock of those who write a `ringbuf`, or read this. */
  BUSY: SEGMENT.TYPE_HEADER + 8,
  /** One that is shared: how often those who wait were told of news. */
  NEWS: SEGMENT.TYPE_HEADER + 12,
  /** One that is shared: 1 when somebody may wait who must be woken. */
  IS_AWAITED: SEGMENT.TYPE_HEADER + 16,
} as const;

const U32 = 2 ** 32;

/** The type of a ring buffer, by the class of its maps: `kernel/bpf/ringbuf.c: ringbuf_map_alloc`, 6.18. */
export function ringMapType(make: (memory: AddressSpace, base: Address) => RingMap): MapType {
  return {
    allocCheck: () => 0,
    alloc({ memory }: MapHost, attr: MapCreateAttr): EmbeddedMap | number {
      if (!attr.hasOnlyFlags(BPF_F_NUMA_NODE) || attr.keySize !== 0 || attr.valueSize !== 0) return -EINVAL;
      const isPowerOfTwo = attr.maxEntries > 0 && Number.isInteger(Math.log2(attr.maxEntries));
      if (!isPowerOfTwo || attr.maxEntries % PAGE_SIZE !== 0) return -EINVAL;
      const base = allocateSegment(memory, attr, RING.DATA + 2 * attr.maxEntries);
      return base === 0 ? -ENOMEM : make(memory, base);
    },
  };
}

/**
 * What both ring buffers have in common: two positions in bytes that only ever grow, the data between them, and those who
 * wait for news. There are no elements. `kernel/bpf/ringbuf.c`, 6.18.
 */
export abstract class RingMap extends EmbeddedMap {
  /** Where the data begins. */
  protected readonly data: Address;
  readonly #waiters: RingWaiters;

  constructor(memory: AddressSpace, base: Address, waiters = new RingWaiters()) {
    super(memory, base);
    this.data = base + RING.DATA;
    this.#waiters = waiters;
  }

  /** Whether `poll(2)` would find something to do. */
  abstract get isReady(): boolean;

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
    return { address: this.base + FIRST_PAGE, bytes: RING.DATA - FIRST_PAGE + 2 * this.maxEntries };
  }

  override readiness(file: object): Readiness {
    return this.#waiters.readiness(file, () => this.isReady);
  }

  override fileClosed(file: object): void {
    this.#waiters.fileClosed(file);
  }

  /** Tells those who wait: `bpf_ringbuf_notify`. */
  protected wake(): void {
    this.#waiters.wake();
  }

  /** Up to where the records have been read. */
  protected get consumerPosition(): number {
    return this.loadPosition(RING.CONSUMER_POSITION);
  }

  protected set consumerPosition(position: number) {
    this.storePosition(RING.CONSUMER_POSITION, position);
  }

  /** Up to where there are records, or will be. */
  protected get producerPosition(): number {
    return this.loadPosition(RING.PRODUCER_POSITION);
  }

  protected set producerPosition(position: number) {
    this.storePosition(RING.PRODUCER_POSITION, position);
  }

  protected get pendingPosition(): number {
    return this.loadPosition(RING.PENDING_POSITION);
  }

  protected set pendingPosition(position: number) {
    this.storePosition(RING.PENDING_POSITION, position);
  }

  /** Where the header of the record at a position lies. */
  protected headerAt(position: number): Address {
    return this.data + (position % this.maxEntries);
  }

  /** A position is 64 bits wide, and exact up to 8 PiB; what user space makes of one may be anything. */
  protected loadPosition(offset: number): number {
    const word = (this.base + offset) >>> 2;
    const { u32 } = this.memory;
    return (u32[word] as number) + (u32[word + 1] as number) * U32;
  }

  protected storePosition(offset: number, value: number): void {
    const word = (this.base + offset) >>> 2;
    const { u32 } = this.memory;
    u32[word] = value;
    u32[word + 1] = Math.floor(value / U32);
  }
}

import { EAGAIN, EINVAL, EPERM } from "../../../abi/errno.ts";
import {
  BPF_RB_AVAIL_DATA,
  BPF_RB_CONS_POS,
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  BPF_RB_PROD_POS,
  BPF_RB_RING_SIZE,
  BPF_RINGBUF_BUSY_BIT,
  BPF_RINGBUF_DISCARD_BIT,
  RINGBUF_HDR,
  RINGBUF_LEN_MASK,
  RINGBUF_PAGES,
  ringbufRecordSize,
} from "../../../abi/ringbuf.ts";
import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import { RingMap, ringMapType } from "./ring-map.ts";

/** `RINGBUF_MAX_RECORD_SZ`. */
const LARGEST_RECORD = 0x3fff_ffff;
const WAKEUP_FLAGS = BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP;

/** `"ringbuf"`: programs write records, user space reads them. */
export const RINGBUF = ringMapType((memory, base) => new RingbufMap(memory, base));

/** The ring buffers of each address space by where they begin: a program gives back a record by its address alone. */
const ringbufs = new WeakMap<AddressSpace, Map<Address, RingbufMap>>();

/**
 * The ring buffer that a record lies in, found as Linux finds it: `bpf_ringbuf_restore_from_rec`. `undefined` when user
 * space, which on the embedded kernel can write what it should only read, has spoilt the record's header.
 */
export function ringbufOf(memory: AddressSpace, record: Address): RingbufMap | undefined {
  const header = record - RINGBUF_HDR.SIZE;
  const pages = memory.u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] as number;
  return ringbufs.get(memory)?.get(Math.floor(header / PAGE_SIZE) * PAGE_SIZE - pages * PAGE_SIZE);
}

/** A ring buffer as programs write it: the helpers `bpf_ringbuf_…`, on addresses. `kernel/bpf/ringbuf.c`, 6.18. */
export class RingbufMap extends RingMap {
  constructor(memory: AddressSpace, base: Address) {
    super(memory, base);
    let all = ringbufs.get(memory);
    if (all === undefined) {
      all = new Map();
      ringbufs.set(memory, all);
    }
    all.set(base, this);
  }

  override get isReady(): boolean {
    return this.producerPosition !== this.consumerPosition;
  }

  /** User space consumes, and writes its own position alone: `ringbuf_map_mmap_kern`. */
  override mapRefusal(isWritable: boolean, offset: number, length: number): number {
    const isPosition = offset === RINGBUF_PAGES.CONSUMER * PAGE_SIZE && length === PAGE_SIZE;
    return isWritable && !isPosition ? -EPERM : 0;
  }

  /**
   * `bpf_ringbuf_reserve`: the address of a record of `size` bytes to be written and then given to `submit` or `discard`,
   * in the order of all records; 0 when there is no room, or `flags` is not 0.
   */
  reserve(size: number, flags = 0): Address {
    if (flags !== 0 || size > LARGEST_RECORD) return 0;
    const length = ringbufRecordSize(size);
    const capacity = this.maxEntries;
    if (length > capacity) return 0;
    const consumer = this.consumerPosition;
    const producer = this.producerPosition;
    const end = producer + length;
    const pending = this.#advancePending(producer);
    // A consumer's position beyond the producer's leaves no room either: the difference is unsigned in Linux.
    const used = end - consumer;
    if (used >= capacity || used < 0 || end - pending >= capacity) return 0;
    const header = this.headerAt(producer);
    const { u32 } = this.memory;
    u32[(header + RINGBUF_HDR.LEN) >>> 2] = size | BPF_RINGBUF_BUSY_BIT;
    u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] = (header - this.base) / PAGE_SIZE;
    this.producerPosition = end;
    return header + RINGBUF_HDR.SIZE;
  }

  /** `bpf_ringbuf_submit`: the record that `reserve` gave is for the consumer from now on. */
  submit(record: Address, flags = 0): void {
    this.#commit(record, flags, 0);
  }

  /** `bpf_ringbuf_discard`: the consumer skips the record that `reserve` gave. */
  discard(record: Address, flags = 0): void {
    this.#commit(record, flags, BPF_RINGBUF_DISCARD_BIT);
  }

  /** `bpf_ringbuf_output`: copies `size` bytes into a record. −EINVAL for unknown flags, −EAGAIN when there is no room. */
  output(data: Address, size: number, flags = 0): number {
    if (flags < 0 || flags > WAKEUP_FLAGS) return -EINVAL;
    const record = this.reserve(size);
    if (record === 0) return -EAGAIN;
    this.memory.u8.copyWithin(record, data, data + size);
    this.submit(record, flags);
    return 0;
  }

  /** `bpf_ringbuf_query`: one of BPF_RB_AVAIL_DATA and its like; 0 for anything else. */
  query(what: number): number {
    switch (what) {
      case BPF_RB_AVAIL_DATA:
        return this.producerPosition - this.consumerPosition;
      case BPF_RB_RING_SIZE:
        return this.maxEntries;
      case BPF_RB_CONS_POS:
        return this.consumerPosition;
      case BPF_RB_PROD_POS:
        return this.producerPosition;
      default:
        return 0;
    }
  }

  override free(): void {
    ringbufs.get(this.memory)?.delete(this.base);
    super.free();
  }

  /** The first record that is still being written, or the end: what the reserved ones must not catch up with. */
  #advancePending(producer: number): number {
    const { u32 } = this.memory;
    let pending = this.pendingPosition;
    while (pending < producer) {
      const length = u32[(this.headerAt(pending) + RINGBUF_HDR.LEN) >>> 2] as number;
      if (length >= BPF_RINGBUF_BUSY_BIT) break;
      pending += ringbufRecordSize(length & RINGBUF_LEN_MASK);
    }
    this.pendingPosition = pending;
    return pending;
  }

  /** `bpf_ringbuf_commit`: a consumer that has come as far as this record may be waiting for it. */
  #commit(record: Address, flags: number, discardBit: number): void {
    const header = record - RINGBUF_HDR.SIZE;
    const word = (header + RINGBUF_HDR.LEN) >>> 2;
    const { u32 } = this.memory;
    u32[word] = (((u32[word] as number) ^ BPF_RINGBUF_BUSY_BIT) | discardBit) >>> 0;
    const isAwaited = this.headerAt(this.consumerPosition) === header;
    if ((flags & BPF_RB_FORCE_WAKEUP) !== 0 || (isAwaited && (flags & BPF_RB_NO_WAKEUP) === 0)) this.wake();
  }
}

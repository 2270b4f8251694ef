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
import type { RingWaiters } from "./ring-waiters.ts";

/** `RINGBUF_MAX_RECORD_SZ`. */
const LARGEST_RECORD = 0x3fff_ffff;
const WAKEUP_FLAGS = BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP;

/** `"ringbuf"`: programs write records, user space reads them. */
export const RINGBUF = ringMapType((memory, base) => new RingbufMap(memory, base));

/** The ring buffers of each address space in the order in which they lie: a program gives back a record by its address alone. */
const ringbufs = new WeakMap<AddressSpace, RingbufMap[]>();

/**
 * The ring buffer that a record lies in. Linux finds it by the record's header (`bpf_ringbuf_restore_from_rec`), which
 * user space could not spoil there.
 */
export function ringbufOf(memory: AddressSpace, record: Address): RingbufMap | undefined {
  const all = ringbufs.get(memory) ?? [];
  const ring = all[placeOf(all, record) - 1];
  return ring?.holds(record) ? ring : undefined;
}

/** How many of the ring buffers begin at an address or before. */
function placeOf(all: readonly RingbufMap[], address: Address): number {
  let [from, to] = [0, all.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((all[middle] as RingbufMap).base <= address) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** A ring buffer as programs write it: the helpers `bpf_ringbuf_…`, on addresses. `kernel/bpf/ringbuf.c`, 6.18. */
export class RingbufMap extends RingMap {
  constructor(memory: AddressSpace, base: Address, waiters?: RingWaiters) {
    super(memory, base, waiters);
    const all = ringbufs.get(memory) ?? [];
    ringbufs.set(memory, all);
    const place = placeOf(all, base);
    // A segment has been given to another object when it became shared.
    const isAgain = all[place - 1]?.base === base;
    all.splice(isAgain ? place - 1 : place, isAgain ? 1 : 0, this);
  }

  /** Whether a record lies in it. */
  holds(record: Address): boolean {
    return record >= this.data + RINGBUF_HDR.SIZE && record < this.data + 2 * this.maxEntries;
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
    const length = flags === 0 ? this.lengthOf(size) : 0;
    if (length === 0) return 0;
    const capacity = this.maxEntries;
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
    u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] = this.pageOf(header);
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
    if (!this.areWakeupFlags(flags)) return -EINVAL;
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
    const all = ringbufs.get(this.memory) ?? [];
    const place = placeOf(all, this.base) - 1;
    if (all[place]?.base === this.base) all.splice(place, 1);
    super.free();
  }

  /** The bytes that a record of `size` bytes takes; 0 when the ring buffer could never hold it. */
  protected lengthOf(size: number): number {
    const length = size > LARGEST_RECORD ? 0 : ringbufRecordSize(size);
    return length > this.maxEntries ? 0 : length;
  }

  /** What the header at an address says of where it lies: `bpf_ringbuf_rec_pg_off`. */
  protected pageOf(header: Address): number {
    return Math.floor((header - this.base) / PAGE_SIZE);
  }

  /** Whether a helper is given flags that it knows. */
  protected areWakeupFlags(flags: number): boolean {
    return flags >= 0 && flags <= WAKEUP_FLAGS;
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

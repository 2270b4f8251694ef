import { EAGAIN, EINVAL } from "../../../abi/errno.ts";
import {
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  BPF_RINGBUF_BUSY_BIT,
  BPF_RINGBUF_DISCARD_BIT,
  RINGBUF_HDR,
  RINGBUF_LEN_MASK,
  ringbufRecordSize,
} from "../../../abi/ringbuf.ts";
import type { Address } from "../../../memory/address-space.ts";
import { RING } from "../maps/ring-map.ts";
import { RingbufMap } from "../maps/ringbuf.ts";
import { copyBytes } from "../user-memory.ts";
import type { Agent, SharingHost } from "./agent.ts";
import { Locks } from "./locks.ts";
import { positionAt, setPosition } from "./ring-positions.ts";
import { SharedWaiters } from "./shared-waiters.ts";

/** Of a ring so many parts: when one has been filled, it is asked whether those live who still write older records. */
const PARTS = 8;

/**
 * A ring buffer that threads and processes share. Whoever produces takes one lock for a moment: when it makes room for a record
 * and when it gives the record to the consumer, who takes none. A record becomes visible by one store, of the producer's
 * position or of the length in its header.
 *
 * While a record is being written, its header holds the number of the agent that writes it in the place of its page. When that
 * agent has died the record is discarded, by whoever finds no room, has filled a part of the ring, maps it, or waits for records.
 */
export class SharedRingbuf extends RingbufMap {
  readonly #agent: Agent;
  readonly #locks: Locks;
  readonly #lockWord: number;

  /** Over a segment whose sizes were checked. */
  constructor(host: SharingHost, base: Address) {
    const { memory, agent } = host;
    const waiters = new SharedWaiters(host, base);
    super(memory, base, waiters);
    waiters.settle = () => this.settle();
    this.#agent = agent;
    this.#locks = new Locks(memory, agent);
    this.#lockWord = (base + RING.BUSY) >>> 2;
  }

  override reserve(size: number, flags = 0): Address {
    const length = flags === 0 ? this.lengthOf(size) : 0;
    if (length === 0) return 0;
    const { u32 } = this.memory;
    this.#lock();
    const position = this.#roomFor(length);
    const header = this.headerAt(Math.max(0, position));
    if (position >= 0) {
      u32[(header + RINGBUF_HDR.LEN) >>> 2] = (size | BPF_RINGBUF_BUSY_BIT) >>> 0;
      u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] = this.#agent.number;
      this.storePosition(RING.PRODUCER_POSITION, position + length);
    }
    this.#locks.release(this.#lockWord);
    return position < 0 ? 0 : header + RINGBUF_HDR.SIZE;
  }

  override submit(record: Address, flags = 0): void {
    this.#commit(record, flags, 0);
  }

  override discard(record: Address, flags = 0): void {
    this.#commit(record, flags, BPF_RINGBUF_DISCARD_BIT);
  }

  /** Nobody sees the record before it is whole. */
  override output(data: Address, size: number, flags = 0): number {
    if (!this.areWakeupFlags(flags)) return -EINVAL;
    const length = this.lengthOf(size);
    if (length === 0) return -EAGAIN;
    const { memory } = this;
    const { u32 } = memory;
    this.#lock();
    const position = this.#roomFor(length);
    if (position >= 0) {
      const header = this.headerAt(position);
      copyBytes(memory, header + RINGBUF_HDR.SIZE, data, size);
      u32[(header + RINGBUF_HDR.LEN) >>> 2] = size;
      u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] = this.pageOf(header);
      this.storePosition(RING.PRODUCER_POSITION, position + length);
      this.#tell(header, flags);
    }
    this.#locks.release(this.#lockWord);
    return position < 0 ? -EAGAIN : 0;
  }

  /** Discards the records of those who died, as far as that can be done without waiting for anybody. */
  settle(): void {
    const { u32 } = this.memory;
    const owner = Atomics.load(u32, this.#lockWord);
    const producer = this.loadPosition(RING.PRODUCER_POSITION);
    if (owner === 0 && producer === this.loadPosition(RING.CONSUMER_POSITION)) return;
    if (owner === 0 ? !this.#locks.tryTake(this.#lockWord) : !this.#takeFromDead(owner)) return;
    this.#advancePending(this.loadPosition(RING.PRODUCER_POSITION), true);
    this.#locks.release(this.#lockWord);
  }

  /** Who begins to read does not wait for those who have died. */
  override mapped(isWritable: boolean, length: number): void {
    super.mapped(isWritable, length);
    this.settle();
  }

  protected override loadPosition(offset: number): number {
    return positionAt(this.memory, (this.base + offset) >>> 2);
  }

  protected override storePosition(offset: number, value: number): void {
    setPosition(this.memory, (this.base + offset) >>> 2, value);
  }

  /** Who held the lock and died may have had news to tell. */
  #lock(): void {
    if (this.#locks.take(this.#lockWord)) this.wake();
  }

  #takeFromDead(owner: number): boolean {
    if (!this.#agent.isDead(owner) || !this.#locks.takeOver(this.#lockWord, owner)) return false;
    this.wake();
    return true;
  }

  /** Where a record that takes `length` bytes begins, a position; −1 when there is no room for it. */
  #roomFor(length: number): number {
    const capacity = this.maxEntries;
    const producer = this.loadPosition(RING.PRODUCER_POSITION);
    const end = producer + length;
    const used = end - this.loadPosition(RING.CONSUMER_POSITION);
    let pending = this.#advancePending(producer, false);
    const isPartFull = Math.floor((end * PARTS) / capacity) !== Math.floor((producer * PARTS) / capacity);
    if (pending >= 0 && pending < producer && (isPartFull || used >= capacity || end - pending >= capacity)) {
      pending = this.#advancePending(producer, true);
    }
    // A consumer's position beyond the producer's leaves no room either: the difference is unsigned in Linux.
    return pending < 0 || used >= capacity || used < 0 || end - pending >= capacity ? -1 : producer;
  }

  /**
   * The first record that is still being written, or the end; −1 when the ring is not as producers leave it. `isSettling`
   * discards those of the dead.
   */
  #advancePending(producer: number, isSettling: boolean): number {
    const { u32 } = this.memory;
    const former = this.loadPosition(RING.PENDING_POSITION);
    if (!Number.isSafeInteger(producer + this.maxEntries) || ((producer | former) & 7) !== 0) return -1;
    if (!(producer >= former && producer - former <= this.maxEntries)) return -1;
    let pending = former;
    while (pending < producer) {
      const header = this.headerAt(pending);
      const length = Atomics.load(u32, (header + RINGBUF_HDR.LEN) >>> 2);
      if (length >= BPF_RINGBUF_BUSY_BIT) {
        const owner = u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] as number;
        if (!isSettling || !this.#agent.isDead(owner)) break;
        this.#finish(header, length | BPF_RINGBUF_DISCARD_BIT, 0);
      }
      pending += ringbufRecordSize(length & RINGBUF_LEN_MASK);
    }
    if (pending > producer) return -1;
    if (pending !== former) this.storePosition(RING.PENDING_POSITION, pending);
    return pending;
  }

  #commit(record: Address, flags: number, discardBit: number): void {
    const header = record - RINGBUF_HDR.SIZE;
    const { u32 } = this.memory;
    this.#lock();
    const length = Atomics.load(u32, (header + RINGBUF_HDR.LEN) >>> 2);
    const owner = u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] as number;
    // Else somebody has written what only producers do.
    if (length >= BPF_RINGBUF_BUSY_BIT && owner === this.#agent.number)
      this.#finish(header, length | discardBit, flags);
    this.#locks.release(this.#lockWord);
  }

  /** Takes the busy bit from the length of a record, and so gives it to the consumer. */
  #finish(header: Address, length: number, flags: number): void {
    const { u32 } = this.memory;
    Atomics.store(u32, (header + RINGBUF_HDR.LEN) >>> 2, (length & ~BPF_RINGBUF_BUSY_BIT) >>> 0);
    u32[(header + RINGBUF_HDR.PG_OFF) >>> 2] = this.pageOf(header);
    this.#tell(header, flags);
  }

  /** A consumer that has come as far as this record may be waiting for it. */
  #tell(header: Address, flags: number): void {
    const isAwaited = this.headerAt(this.loadPosition(RING.CONSUMER_POSITION)) === header;
    if ((flags & BPF_RB_FORCE_WAKEUP) !== 0 || (isAwaited && (flags & BPF_RB_NO_WAKEUP) === 0)) this.wake();
  }
}

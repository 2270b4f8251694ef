import { E2BIG, EBUSY, EINVAL, EPERM } from "../../../abi/errno.ts";
import {
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  BPF_RINGBUF_BUSY_BIT,
  BPF_RINGBUF_DISCARD_BIT,
  RINGBUF_HDR,
  RINGBUF_LEN_MASK,
  RINGBUF_PAGES,
  ringbufRecordSize,
} from "../../../abi/ringbuf.ts";
import type { Address } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";
import { RING, RingMap, ringMapType } from "./ring-map.ts";

/** `BPF_MAX_USER_RINGBUF_SAMPLES`: the most records of one call. */
const MOST_RECORDS = 128 * 1024;
/** `DYNPTR_MAX_SIZE`: the most bytes that a program is given as one piece. */
const LARGEST_SAMPLE = (1 << 24) - 1;
const WAKEUP_FLAGS = BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP;

/** `"user_ringbuf"`: user space writes records, programs read them. */
export const USER_RINGBUF = ringMapType((memory, base) => new UserRingbufMap(memory, base));

/** A ring buffer as programs read it: the helper `bpf_user_ringbuf_drain`. `kernel/bpf/ringbuf.c`, 6.18. */
export class UserRingbufMap extends RingMap {
  override get isReady(): boolean {
    const available = this.producerPosition - this.consumerPosition;
    return available >= 0 && available < this.maxEntries;
  }

  /** User space produces, and writes all but the consumer's position: `ringbuf_map_mmap_user`. */
  override mapRefusal(isWritable: boolean, offset: number, _length: number): number {
    return isWritable && offset < RINGBUF_PAGES.PRODUCER * PAGE_SIZE ? -EPERM : 0;
  }

  /**
   * `bpf_user_ringbuf_drain`: gives each record to `callback`, by address and size, until one answers another than 0 or
   * there are no more. Answers how many it gave; −EINVAL for unknown flags or a record that is none, −E2BIG for one that is
   * too large, −EBUSY when it is called from a callback.
   */
  drain(callback: (sample: Address, size: number) => number, flags = 0): number {
    if (flags < 0 || flags > WAKEUP_FLAGS) return -EINVAL;
    if (!this.begin()) return -EBUSY;
    let taken = 0;
    let result = 0;
    try {
      let given = 0;
      for (let stop = 0; taken < MOST_RECORDS && stop === 0; taken++) {
        const consumer = this.consumerPosition;
        const length = this.#peek(consumer);
        if (length === undefined) break;
        if (length < 0) {
          result = length;
          break;
        }
        const size = length & RINGBUF_LEN_MASK;
        if ((length & BPF_RINGBUF_DISCARD_BIT) === 0) {
          given++;
          stop = callback(this.headerAt(consumer) + RINGBUF_HDR.SIZE, size);
        }
        this.consumerPosition = consumer + ringbufRecordSize(size);
      }
      if (result === 0) result = given;
    } finally {
      this.end();
    }
    if ((flags & BPF_RB_FORCE_WAKEUP) !== 0 || (taken > 0 && (flags & BPF_RB_NO_WAKEUP) === 0)) this.wake();
    return result;
  }

  /** Begins to read; false when a program does already. */
  protected begin(): boolean {
    if (this.header(RING.BUSY) !== 0) return false;
    this.memory.u32[(this.base + RING.BUSY) >>> 2] = 1;
    return true;
  }

  protected end(): void {
    this.memory.u32[(this.base + RING.BUSY) >>> 2] = 0;
  }

  /** The length and discard bit of the next record; `undefined` when there is none yet. User space may have written anything. */
  #peek(consumer: number): number | undefined {
    const producer = this.producerPosition;
    if (producer % 8 !== 0) return -EINVAL;
    if (consumer >= producer) return undefined;
    const length = this.memory.u32[(this.headerAt(consumer) + RINGBUF_HDR.LEN) >>> 2] as number;
    const size = length & RINGBUF_LEN_MASK;
    const total = ringbufRecordSize(size);
    if (total > producer - consumer) return -EINVAL;
    if (total > this.maxEntries || size > LARGEST_SAMPLE) return -E2BIG;
    if ((length & BPF_RINGBUF_DISCARD_BIT) !== 0) return size | BPF_RINGBUF_DISCARD_BIT;
    return length >= BPF_RINGBUF_BUSY_BIT ? undefined : size;
  }
}

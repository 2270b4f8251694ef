import { EINVAL, ENOMEM, ENOSPC } from "../../abi/errno.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { KernelObject } from "./kernel-object.ts";
import { Readiness } from "./readiness.ts";

/** `struct perf_event_mmap_page` as far as it says where the records are, and the records: `include/uapi/linux/perf_event.h`. */
const PAGE = { DATA_HEAD: 1024, DATA_TAIL: 1032, DATA_OFFSET: 1040, DATA_SIZE: 1048 } as const;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;
const PERF_RECORD_MISC_KERNEL = 1;
const HEADER_SIZE = 8;
const LENGTH_SIZE = 4;
/** Its header, the id of the event, and how many were lost. */
const LOST_SIZE = 24;
/** What the 16 bits hold that say how long a record is. */
const LARGEST_RECORD = 0xfff8;
const U32 = 2 ** 32;

/** Some memory of the address space. */
export interface Bytes {
  readonly at: Address;
  readonly bytes: number;
}

interface Ring {
  readonly address: Address;
  /** Of the page of positions and the data together. */
  readonly length: number;
  /** One that is mapped only for reading is overwritten without end. */
  readonly isOverwritten: boolean;
}

/**
 * The event by which programs on one CPU give records to user space: `PERF_COUNT_SW_BPF_OUTPUT` with raw samples, each of
 * which wakes whoever waits. `kernel/events/core.c` and `ring_buffer.c`, 6.18. There is no other perf event here.
 */
export class PerfEvent implements KernelObject {
  readonly kind = "perf_event";
  id = 0;
  references = 0;
  readonly cpu: number;
  /** When it was opened, in nanoseconds. */
  readonly openedAt: number;
  /** Those who wait for records. */
  readonly readiness = new Readiness(false);
  readonly #memory: AddressSpace;
  #ring: Ring | undefined;
  #mappings = 0;
  /** How far it has written, and how many records found no room since it last said so. */
  #head = 0;
  #lost = 0;

  constructor(memory: AddressSpace, cpu: number, openedAt: number) {
    this.#memory = memory;
    this.cpu = cpu;
    this.openedAt = openedAt;
  }

  /** Makes the ring when there is none: a page, and a power of two of pages behind it. Its address, or `−errno`: `perf_mmap`. */
  map(length: number, isWritable: boolean, offset: number): Address {
    const pages = length / PAGE_SIZE - 1;
    const isPowerOfTwo = pages === 0 || Number.isInteger(Math.log2(pages));
    if (offset !== 0 || !isPowerOfTwo) return -EINVAL;
    if (this.#ring !== undefined) return this.#ring.length === length ? this.#ring.address : -EINVAL;
    const address = this.#memory.tryAllocate(length);
    if (address === 0) return -ENOMEM;
    this.#memory.u8.fill(0, address, address + length);
    this.#setU64(address + PAGE.DATA_OFFSET, PAGE_SIZE);
    this.#setU64(address + PAGE.DATA_SIZE, length - PAGE_SIZE);
    this.#ring = { address, length, isOverwritten: !isWritable };
    this.#head = 0;
    return address;
  }

  mapped(): void {
    this.#mappings++;
  }

  /** The ring goes with its last mapping. */
  unmapped(): void {
    if (--this.#mappings === 0) this.#releaseRing();
  }

  /** Writes a sample of some pieces of memory; `−ENOSPC` when there is no room for it, and it is lost: `perf_event_output`. */
  output(pieces: readonly Bytes[]): number {
    const length = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    const raw = Math.ceil((LENGTH_SIZE + length) / 8) * 8 - LENGTH_SIZE;
    const size = HEADER_SIZE + LENGTH_SIZE + raw;
    const ring = this.#ring;
    if (ring === undefined || ring.length === PAGE_SIZE) return -ENOSPC;
    const needed = this.#lost > 0 ? LOST_SIZE + size : size;
    if (size > LARGEST_RECORD || needed > this.#room(ring)) {
      this.#lost++;
      return -ENOSPC;
    }
    if (this.#lost > 0) this.#putLost(ring);
    this.#putHeader(ring, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL, size);
    this.#putU32(ring, raw);
    for (const { at, bytes } of pieces) this.#put(ring, at, bytes);
    for (let rest = raw - length; rest > 0; rest--) this.#putByte(ring, 0);
    this.#setU64(ring.address + PAGE.DATA_HEAD, this.#head);
    this.readiness.raise();
    return 0;
  }

  free(): void {
    this.#releaseRing();
  }

  /** One byte less than is free: `CIRC_SPACE`. */
  #room({ address, length, isOverwritten }: Ring): number {
    const size = length - PAGE_SIZE;
    if (isOverwritten) return size;
    const word = (address + PAGE.DATA_TAIL) >>> 2;
    const { u32 } = this.#memory;
    const tail = (u32[word] as number) + (u32[word + 1] as number) * U32;
    return (((tail - this.#head - 1) % size) + size) % size;
  }

  #putLost(ring: Ring): void {
    this.#putHeader(ring, PERF_RECORD_LOST, 0, LOST_SIZE);
    for (const word of [this.id, 0, this.#lost, 0]) this.#putU32(ring, word);
    this.#lost = 0;
  }

  #putHeader(ring: Ring, type: number, misc: number, size: number): void {
    this.#putU32(ring, type);
    this.#putU32(ring, misc + size * 0x10000);
  }

  #putU32(ring: Ring, value: number): void {
    this.#memory.view.setUint32(this.#place(ring), value, true);
    this.#head += 4;
  }

  #putByte(ring: Ring, value: number): void {
    this.#memory.u8[this.#place(ring)] = value;
    this.#head++;
  }

  #put(ring: Ring, from: Address, bytes: number): void {
    const { u8 } = this.#memory;
    const at = this.#place(ring);
    const first = Math.min(bytes, ring.address + ring.length - at);
    u8.copyWithin(at, from, from + first);
    u8.copyWithin(ring.address + PAGE_SIZE, from + first, from + bytes);
    this.#head += bytes;
  }

  #place({ address, length }: Ring): Address {
    return address + PAGE_SIZE + (this.#head % (length - PAGE_SIZE));
  }

  #setU64(at: Address, value: number): void {
    const { u32 } = this.#memory;
    u32[at >>> 2] = value;
    u32[(at >>> 2) + 1] = Math.floor(value / U32);
  }

  #releaseRing(): void {
    if (this.#ring !== undefined) this.#memory.release(this.#ring.address);
    this.#ring = undefined;
  }
}

import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import {
  BPF_RINGBUF_BUSY_BIT,
  BPF_RINGBUF_DISCARD_BIT,
  RINGBUF_HDR,
  RINGBUF_LEN_MASK,
  ringbufRecordSize,
} from "../abi/ringbuf.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";
import type { MapContext, Mapping } from "./map-context.ts";
import { NONE, type ReadRecord } from "./records.ts";
import { mapParts, type RingRefusal } from "./ring-parts.ts";

/** The consumer's position is made known after this part of the ring at the latest. */
const HELD_BACK = 8;

/**
 * User space's half of a ring buffer: takes the records in their order, from pages that are mapped into the address
 * space. `Documentation/bpf/ringbuf.rst` has the protocol, and libbpf's `ringbuf.c` speaks it.
 */
export class RingConsumer {
  readonly #memory: AddressSpace;
  readonly #size: number;
  /** Where the two positions lie, counted in u64s, and where the data begins. */
  readonly #consumerAt: number;
  readonly #producerAt: number;
  readonly #data: Address;
  /** Up to where records were taken; up to where that was made known; up to where there are records, as it was last seen. */
  #position: number;
  #known: number;
  #end: number;

  readonly #context: MapContext;
  readonly #label: string;
  readonly #mappings: readonly Mapping[];

  private constructor(
    context: MapContext,
    label: string,
    size: number,
    mappings: readonly [consumer: Mapping, producer: Mapping],
  ) {
    const { memory, pageSize } = context.kernel;
    const [consumer, producer] = mappings;
    this.#context = context;
    this.#label = label;
    this.#mappings = mappings;
    this.#memory = memory;
    this.#size = size;
    this.#consumerAt = consumer.address / 8;
    this.#producerAt = producer.address / 8;
    this.#data = producer.address + pageSize;
    this.#position = Number(Atomics.load(memory.u64, this.#consumerAt));
    this.#known = this.#position;
    this.#end = this.#position;
    context.ownMappings(this, mappings);
  }

  /** Maps a ring buffer of `size` bytes: its consumer's page for writing, the rest for reading. `label` names the map in errors. */
  static map(context: MapContext, label: string, fd: number, size: number): RingConsumer | RingRefusal {
    const { pageSize } = context.kernel;
    const mappings = mapParts(context.kernel, fd, [
      { length: pageSize, protection: PROT_READ | PROT_WRITE, offset: 0 },
      { length: pageSize + 2 * size, protection: PROT_READ, offset: pageSize },
    ]);
    return "errno" in mappings ? mappings : new RingConsumer(context, label, size, mappings);
  }

  /**
   * The next record, read by `read`; `NONE` when there is none yet, or it is still being written. Throws an `Error` when what
   * is there is no record, and reads nothing of it.
   */
  take<V>(read: ReadRecord<V>): V | typeof NONE {
    const memory = this.#memory;
    const { u32 } = memory;
    for (;;) {
      const position = this.#position;
      if (position >= this.#end && !this.#seesMore()) return NONE;
      const header = this.#data + (position % this.#size);
      const length = Atomics.load(u32, header >>> 2);
      if (length >= BPF_RINGBUF_BUSY_BIT) {
        // Whoever finishes this record wakes those who have come exactly as far, and say so.
        if (this.#known === position) return NONE;
        this.rest();
        continue;
      }
      const size = length & RINGBUF_LEN_MASK;
      const next = position + ringbufRecordSize(size);
      if (next > this.#end) throw this.#disorder();
      this.#position = next;
      if ((length & BPF_RINGBUF_DISCARD_BIT) !== 0) continue;
      const record = read(memory, header + RINGBUF_HDR.SIZE, size);
      if (this.#position - this.#known >= this.#size / HELD_BACK) this.rest();
      return record;
    }
  }

  /** Makes the position known: what was taken is room for the producer. */
  rest(): void {
    if (this.#known === this.#position) return;
    this.#known = this.#position;
    Atomics.store(this.#memory.u64, this.#consumerAt, BigInt(this.#position));
  }

  /** Unmaps it. */
  close(): void {
    this.rest();
    this.#context.releaseMappings(this, this.#mappings);
  }

  /** Looks for records behind those that were seen; says first how far it has come, which the producer looks at last. */
  #seesMore(): boolean {
    this.rest();
    this.#end = Number(Atomics.load(this.#memory.u64, this.#producerAt));
    if (this.#end - this.#position > this.#size) throw this.#disorder();
    return this.#position < this.#end;
  }

  /** Only the kernel writes records; but in maps that are files, whoever may write those can. */
  #disorder(): Error {
    return new Error(
      `the records of map ${this.#label} are not as programs write them: another consumer reads them at the same time, ` +
        "or somebody has written into its memory",
    );
  }
}

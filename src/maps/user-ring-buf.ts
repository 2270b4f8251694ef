import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import { RINGBUF_HDR, ringbufRecordSize } from "../abi/ringbuf.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";
import type { MapContext, Mapping } from "./map-context.ts";
import { RecordMap } from "./record-map.ts";
import type { RecordsOptions } from "./records.ts";
import { mapParts, type RingRefusal } from "./ring-parts.ts";

/**
 * `"user_ringbuf"`: records that user space writes and programs read, in their order. `maxEntries` is its size in bytes: a
 * power of two, and whole pages. One object at a time may write.
 *
 * With a layout as `value` records are its values; without, `Uint8Array`s of any length that fits.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, struct, u32, u64 } from "mapiary";
 *
 * using bpf = embedded();
 * const command = struct({ id: u32, limit: u64 });
 * using commands = bpf.createMap({ type: "user_ringbuf", name: "commands", value: command, maxEntries: 4096 });
 * assert.equal(commands.push({ id: 1, limit: 500n }), true); // false when a program has to make room first
 * ```
 *
 * Source: `kernel/bpf/ringbuf.c`, Linux 6.18. In Linux since 6.1.
 */
export class UserRingBuf<V> extends RecordMap<V> {
  declare readonly type: "user_ringbuf";
  #ring: RingProducer | undefined;

  /**
   * Writes a record, and answers whether there was room for it. Throws before anything is written when the value does not
   * fit its layout, and a `RangeError` for a record that is larger than the ring.
   */
  push(value: V): boolean {
    const ring = this.#map();
    const layout = this.value;
    if (layout !== undefined) {
      layout.check(value);
      this.#assertSize(layout.size);
      return ring.write(layout.size, (memory, address) => layout.write(memory, address, value));
    }
    if (!(value instanceof Uint8Array))
      throw new TypeError(`map ${this.label}: a record is a Uint8Array, or give a layout`);
    this.#assertSize(value.length);
    return ring.write(value.length, ({ u8 }, address) => u8.set(value, address));
  }

  /**
   * Waits until programs have read records since the last time, as a push that found no room must; also when the map is
   * closed. The reason of the signal is thrown when it aborts.
   */
  async drained({ signal }: RecordsOptions = {}): Promise<void> {
    this.#map();
    signal?.throwIfAborted();
    await new Promise<void>((resolve) => {
      const off = this.whenReady(end);
      signal?.addEventListener("abort", end);
      function end(): void {
        off();
        signal?.removeEventListener("abort", end);
        resolve();
      }
    });
    signal?.throwIfAborted();
  }

  /** @internal */
  protected override closed(): void {
    super.closed();
    this.#ring?.close();
    this.#ring = undefined;
  }

  #map(): RingProducer {
    this.assertOpen();
    this.#ring ??= this.mappedOrThrow(RingProducer.map(this.context, this.fd, this.maxEntries));
    return this.#ring;
  }

  #assertSize(length: number): void {
    const most = this.maxEntries - RINGBUF_HDR.SIZE;
    if (length > most) throw new RangeError(`map ${this.label}: a record has at most ${most} bytes, not ${length}`);
  }
}

/** User space's half of a user ring buffer: libbpf's `ringbuf.c` speaks the same protocol. */
class RingProducer {
  readonly #context: MapContext;
  readonly #mappings: readonly Mapping[];
  readonly #memory: AddressSpace;
  readonly #size: number;
  /** Where the two positions lie, counted in u64s, and where the data begins. */
  readonly #consumerAt: number;
  readonly #producerAt: number;
  readonly #data: Address;

  private constructor(context: MapContext, size: number, mappings: readonly [consumer: Mapping, producer: Mapping]) {
    const { memory, pageSize } = context.kernel;
    const [consumer, producer] = mappings;
    this.#context = context;
    this.#mappings = mappings;
    this.#memory = memory;
    this.#size = size;
    this.#consumerAt = consumer.address / 8;
    this.#producerAt = producer.address / 8;
    this.#data = producer.address + pageSize;
    context.ownMappings(this, mappings);
  }

  /** Maps a ring buffer of `size` bytes: its consumer's page for reading, the rest for writing. */
  static map(context: MapContext, fd: number, size: number): RingProducer | RingRefusal {
    const { pageSize } = context.kernel;
    const mappings = mapParts(context.kernel, fd, [
      { length: pageSize, protection: PROT_READ, offset: 0 },
      { length: pageSize + 2 * size, protection: PROT_READ | PROT_WRITE, offset: pageSize },
    ]);
    return "errno" in mappings ? mappings : new RingProducer(context, size, mappings);
  }

  /** Writes a record of so many bytes by `write`; false when there is no room for it. */
  write(length: number, write: (memory: AddressSpace, address: Address) => void): boolean {
    const memory = this.#memory;
    const { u64 } = memory;
    const consumer = Number(Atomics.load(u64, this.#consumerAt));
    const producer = Number(Atomics.load(u64, this.#producerAt));
    const end = producer + ringbufRecordSize(length);
    if (end - consumer > this.#size) return false;
    const header = this.#data + (producer % this.#size);
    write(memory, header + RINGBUF_HDR.SIZE);
    memory.u32[header >>> 2] = length;
    // Programs read what lies before this position, and nothing of it earlier.
    Atomics.store(u64, this.#producerAt, BigInt(end));
    return true;
  }

  close(): void {
    this.#context.releaseMappings(this, this.#mappings);
  }
}

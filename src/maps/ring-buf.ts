import type { Layout } from "../layout/layout.ts";
import { RecordMap, type RecordMapParts } from "./record-map.ts";
import { NONE, type ReadRecord, RecordLoop, type RecordSource, type RecordsOptions, recordReader } from "./records.ts";
import { RingConsumer } from "./ring-consumer.ts";

/** How many records come together. */
export interface BatchesOptions extends RecordsOptions {
  /** The most records of one batch; 1,024 when not given. */
  readonly size?: number | undefined;
}

const BATCH_SIZE = 1024;

/**
 * `"ringbuf"`: records that programs write and user space reads, in the order in which they were reserved, by all CPUs.
 * `maxEntries` is its size in bytes: a power of two, and whole pages.
 *
 * `for await` waits for records off the event loop, takes one after the other without waiting as long as there are some,
 * and ends when the map is closed; `batches` gives as many as there are at once, which is faster. `poll` and `drain` take
 * what is there without waiting. Each record comes once, whoever takes it, and leaves its room to programs. One that was
 * taken and not yet handed out when a loop ends stays for the next.
 *
 * With a layout as `value` records are its values; one that is too short for it throws a `RangeError`, and is gone.
 * Without, they are `Uint8Array`s. The map of an object that is loaded takes the name of a struct of that in place of a
 * layout: `bpf.load(file, { maps: { events: { value: "struct event" } } })`. Nothing is lost here: when there is no room, the program is told.
 *
 * @example
 * ```ts ignore
 * import { cstring, struct, u32 } from "mapiary";
 * import { linux } from "mapiary/linux";
 *
 * using bpf = linux();
 * const event = struct({ pid: u32, comm: cstring(16) });
 * using events = bpf.openMap("/sys/fs/bpf/events", { type: "ringbuf", value: event });
 * for await (const { pid, comm } of events) console.log(pid, comm);
 * ```
 *
 * Source: `kernel/bpf/ringbuf.c`, Linux 6.18. In Linux since 5.8.
 */
export class RingBuf<V> extends RecordMap<V> implements AsyncIterable<V> {
  declare readonly type: "ringbuf";
  readonly #read: ReadRecord<V>;
  readonly #source: RecordSource<V>;
  #ring: RingConsumer | undefined;

  /** @internal */
  constructor(parts: RecordMapParts<V>, fd: number) {
    super(parts, fd);
    this.#read = recordReader(parts.value as Layout<V> | undefined, this.label);
    this.#source = this.#sourceOf(() => this.#take());
  }

  /** The records as they come, until the map is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<V> {
    return this.records();
  }

  /**
   * The records as they come, until the map is closed or the signal aborts, whose reason is thrown. Throws a `BpfError` with
   * the code `EBADF` when the map is closed already.
   */
  records(options: RecordsOptions = {}): AsyncIterableIterator<V> {
    this.#map();
    return new RecordLoop(this.#source, options);
  }

  /** The records as they come, as many together as there are, up to `size`; else as `records`. */
  batches(options: BatchesOptions = {}): AsyncIterableIterator<V[]> {
    const { size = BATCH_SIZE } = options;
    if (!Number.isInteger(size) || size < 1) throw new RangeError(`a batch has 1 record or more, not ${size}`);
    this.#map();
    const source = this.#sourceOf(() => {
      const batch = this.#takeMany(size);
      return batch.length === 0 ? NONE : batch;
    });
    return new RecordLoop(source, options);
  }

  /** The next record that is there now; `undefined` when there is none. */
  poll(): V | undefined {
    const ring = this.#map();
    const record = ring.take(this.#read);
    ring.rest();
    return record === NONE ? undefined : record;
  }

  /** The records that are there now, up to `most` of them. */
  drain(most: number = Number.POSITIVE_INFINITY): V[] {
    const ring = this.#map();
    // No more than there can be at once, so that it ends while programs go on writing.
    const records = this.#takeMany(Math.min(most, this.maxEntries / 8));
    ring.rest();
    return records;
  }

  /** @internal */
  protected override closed(): void {
    super.closed();
    this.#ring?.close();
    this.#ring = undefined;
  }

  #map(): RingConsumer {
    this.assertOpen();
    this.#ring ??= this.mappedOrThrow(RingConsumer.map(this.context, this.label, this.fd, this.maxEntries));
    return this.#ring;
  }

  #take(): V | typeof NONE {
    return this.#ring === undefined || this.context.isClosed ? NONE : this.#ring.take(this.#read);
  }

  #takeMany(most: number): V[] {
    const records: V[] = [];
    while (records.length < most) {
      const record = this.#take();
      if (record === NONE) break;
      records.push(record);
    }
    return records;
  }

  #sourceOf<T>(take: () => T | typeof NONE): RecordSource<T> {
    const isClosed = (): boolean => this.isClosed;
    return {
      get isClosed() {
        return isClosed();
      },
      take,
      whenReady: (callback) => this.whenReady(callback),
      rest: () => {
        if (!this.isClosed) this.#ring?.rest();
      },
    };
  }
}

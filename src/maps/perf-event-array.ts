import { BPF_MAP_UPDATE_ELEM } from "../abi/commands.ts";
import { ENODEV } from "../abi/errno.ts";
import { u32 } from "../layout/scalar.ts";
import { PerfRing } from "./perf-ring.ts";
import { RecordMap, type RecordMapParts } from "./record-map.ts";
import {
  NONE,
  nextTurn,
  type ReadRecord,
  RecordLoop,
  type RecordSource,
  type RecordsOptions,
  recordReader,
} from "./records.ts";

/** What a program gave to user space, and the CPU on which it ran. */
export interface PerfEvent<V> {
  readonly cpu: number;
  readonly data: V;
}

/** How the rings of the CPUs are opened. */
export interface PerfRingsOptions {
  /** Pages of each CPU's ring, a power of two; 64 when not given. */
  readonly pages?: number | undefined;
}

const PAGES = 64;

/**
 * `"perf_event_array"`: records that programs give by `bpf_perf_event_output`, in a ring for each CPU. It has an entry for
 * each possible CPU when `maxEntries` is not given.
 *
 * `open` makes the rings and puts them into the map; until then programs are refused. `for await` opens them too, and gives
 * the records of all CPUs as they come, those of one CPU in order; `poll` takes the next that is there. When a ring is full
 * records are lost: `lost` counts them. The kernel rounds a record up, to 4 bytes more than a multiple of 8. On Linux this
 * takes CAP_PERFMON.
 *
 * @example
 * ```ts
 * import { Assembler, embedded, u32 } from "mapiary";
 *
 * using bpf = embedded(); // or linux()
 * using events = bpf.createMap({ type: "perf_event_array", name: "events", value: u32 });
 * const instructions = new Assembler()
 *   .store("u32", "r10", -4, 42)
 *   .loadMap("r2", events)
 *   .loadImmediate("r3", 0xffff_ffffn) // BPF_F_CURRENT_CPU
 *   .mov("r4", "r10")
 *   .add("r4", -4)
 *   .mov("r5", 4)
 *   .call("bpf_perf_event_output") // r1 is the context still
 *   .mov("r0", 2)
 *   .exit()
 *   .assemble();
 * using program = bpf.loadProgram({ type: "xdp", name: "tell", license: "GPL", instructions });
 *
 * events.open();
 * program.run({ data: new Uint8Array(64), repeat: 2 });
 * events.poll(); // { cpu: 0, data: 42 }
 * for await (const { cpu, data } of events) {
 *   console.log(cpu, data, events.lost);
 *   break;
 * }
 * ```
 *
 * Source: `kernel/trace/bpf_trace.c`, `kernel/events/core.c`, Linux 6.18. In Linux since 4.4.
 */
export class PerfEventArray<V> extends RecordMap<V> implements AsyncIterable<PerfEvent<V>> {
  declare readonly type: "perf_event_array";
  readonly #read: ReadRecord<V>;
  #rings: readonly PerfRing[] | undefined;
  /** The ring that is asked next, so that no CPU waits for another. */
  #turn = 0;
  /** What the rings that are closed had lost. */
  #lostBefore = 0;

  /** @internal */
  constructor(parts: RecordMapParts<V>, fd: number) {
    super(parts, fd);
    this.#read = recordReader(parts.value, this.label);
  }

  /**
   * Opens a ring for each CPU that is online; those that are open stay. Throws a `BpfError`: `EACCES` without the
   * privilege, `EINVAL` for pages that are no power of two, `ENOSYS` on a Linux that was built without perf events.
   */
  open({ pages = PAGES }: PerfRingsOptions = {}): this {
    this.assertOpen();
    this.#rings ??= this.#openRings(pages);
    return this;
  }

  /** How many records found no room so far, as the rings say when they are read. */
  get lost(): number {
    return (this.#rings ?? []).reduce((sum, ring) => sum + ring.lost, this.#lostBefore);
  }

  /** The records as they come, until the map is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<PerfEvent<V>> {
    return this.records();
  }

  /** The records as they come, until the map is closed or the signal aborts, whose reason is thrown. Throws as `open` does. */
  records(options: RecordsOptions = {}): AsyncIterableIterator<PerfEvent<V>> {
    this.open();
    const isClosed = (): boolean => this.isClosed;
    const source: RecordSource<PerfEvent<V>> = {
      get isClosed() {
        return isClosed();
      },
      take: () => this.#take(),
      whenReady: (callback) => this.#whenAnyReady(callback),
      rest: () => {
        if (!this.isClosed) for (const ring of this.#rings ?? []) ring.rest();
      },
    };
    return new RecordLoop(source, options);
  }

  /** The next record that is there now, of any CPU; `undefined` when there is none. Throws as `open` does. */
  poll(): PerfEvent<V> | undefined {
    const event = this.open().#take();
    return event === NONE ? undefined : event;
  }

  /** @internal */
  protected override closed(): void {
    super.closed();
    this.#lostBefore = this.lost;
    for (const ring of this.#rings ?? []) ring.close();
    this.#rings = undefined;
  }

  #openRings(pages: number): PerfRing[] {
    const rings: PerfRing[] = [];
    try {
      for (let cpu = 0; cpu < Math.min(this.context.kernel.possibleCpus, this.maxEntries); cpu++) {
        const ring = PerfRing.open(this.context, cpu, pages);
        // A CPU that could be brought up and is not.
        if (ring === -ENODEV) continue;
        if (typeof ring === "number") throw this.failure("perf_event_open", ring);
        rings.push(ring);
        const result = this.context.sys.mapUpdateElem(this.fd, u32.encode(cpu), u32.encode(ring.fd));
        if (result < 0) throw this.failure(BPF_MAP_UPDATE_ELEM, result, { key: `${cpu}` });
      }
      return rings;
    } catch (error) {
      for (const ring of rings) ring.close();
      throw error;
    }
  }

  #take(): PerfEvent<V> | typeof NONE {
    const rings = this.#rings ?? [];
    if (this.context.isClosed) return NONE;
    for (let tried = 0; tried < rings.length; tried++) {
      const ring = rings[this.#turn] as PerfRing;
      const data = ring.take(this.#read);
      if (data !== NONE) return { cpu: ring.cpu, data };
      this.#turn = (this.#turn + 1) % rings.length;
    }
    return NONE;
  }

  #whenAnyReady(callback: () => void): () => void {
    const offs: (() => void)[] = [];
    let isOff = false;
    const off = (): void => {
      isOff = true;
      for (const each of offs) each();
    };
    // An event loop that begins to watch a perf event makes it forget its news: what came before shows in the ring alone.
    nextTurn(() =>
      nextTurn(() => {
        if (!isOff && this.#rings?.some((ring) => ring.hasMore)) callback();
      }),
    );
    for (const { fd } of this.#rings ?? []) {
      const result = this.context.kernel.whenReady(fd, callback);
      if (typeof result === "function") offs.push(result);
    }
    return off;
  }
}

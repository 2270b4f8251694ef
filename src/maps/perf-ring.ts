import { PROT_READ, PROT_WRITE } from "../abi/mman.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";
import type { MapContext, Mapping } from "./map-context.ts";
import { NONE, type ReadRecord } from "./records.ts";

/** Offsets in `struct perf_event_mmap_page`, in u64s, and in the records: `include/uapi/linux/perf_event.h`. */
const DATA_HEAD = 1024 / 8;
const DATA_TAIL = 1032 / 8;
const RECORD = { TYPE: 0, SIZE: 6, HEADER: 8 } as const;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;
/** Behind the header: the bytes of a sample, a u32, and then they; the event's id, and how many were lost. */
const SAMPLE = { LENGTH: 8, DATA: 12 } as const;
const LOST_COUNT = 16;
const LARGEST_RECORD = 65536;

/** The ring of one CPU, into which the kernel writes samples and user space reads them. */
export class PerfRing {
  readonly cpu: number;
  readonly fd: number;
  /** How many samples found no room, as far as the ring has said. */
  lost = 0;
  readonly #context: MapContext;
  readonly #memory: AddressSpace;
  readonly #mappings: readonly Mapping[];
  /** Where the page of positions lies, counted in u64s, and where the data begins. */
  readonly #page: number;
  readonly #data: Address;
  readonly #size: number;
  /** A record that wraps around the end is put together here. */
  readonly #whole: Address;
  #tail = 0;
  #head = 0;

  private constructor(context: MapContext, cpu: number, fd: number, mapping: Mapping, whole: Address) {
    const { memory, pageSize } = context.kernel;
    this.cpu = cpu;
    this.fd = fd;
    this.#context = context;
    this.#memory = memory;
    this.#mappings = [mapping];
    this.#page = mapping.address / 8;
    this.#data = mapping.address + pageSize;
    this.#size = mapping.length - pageSize;
    this.#whole = whole;
    context.own(this, { fd, memory: whole });
    context.ownMappings(this, this.#mappings);
  }

  /** Opens the ring of a CPU, of `pages` pages; `−errno` when the kernel has none. */
  static open(context: MapContext, cpu: number, pages: number): PerfRing | number {
    const { kernel } = context;
    const fd = kernel.openBpfOutput(cpu);
    if (fd < 0) return fd;
    const length = (1 + pages) * kernel.pageSize;
    const address = kernel.mmap(fd, length, PROT_READ | PROT_WRITE, 0);
    const whole = address < 0 ? 0 : kernel.memory.tryAllocate(LARGEST_RECORD);
    if (whole !== 0) return new PerfRing(context, cpu, fd, { address, length }, whole);
    if (address >= 0) kernel.munmap(address, length);
    kernel.close(fd);
    return address < 0 ? address : -12;
  }

  /** The next sample, read by `read`; `NONE` when there is none yet. Counts what was lost on the way. */
  take<V>(read: ReadRecord<V>): V | typeof NONE {
    const { view, u64 } = this.#memory;
    for (;;) {
      if (this.#tail >= this.#head) {
        this.rest();
        this.#head = Number(Atomics.load(u64, this.#page + DATA_HEAD));
        if (this.#tail >= this.#head) return NONE;
      }
      const header = this.#data + (this.#tail % this.#size);
      const size = view.getUint16(header + RECORD.SIZE, true);
      const record = this.#inOnePiece(header, size);
      this.#tail += size;
      const type = view.getUint32(header + RECORD.TYPE, true);
      if (type === PERF_RECORD_LOST) this.lost += Number(view.getBigUint64(record + LOST_COUNT, true));
      if (type !== PERF_RECORD_SAMPLE) continue;
      return read(this.#memory, record + SAMPLE.DATA, view.getUint32(record + SAMPLE.LENGTH, true));
    }
  }

  /** Whether there is something behind what was read. */
  get hasMore(): boolean {
    return Number(Atomics.load(this.#memory.u64, this.#page + DATA_HEAD)) > this.#tail;
  }

  /** Makes known how far it has read: room for the kernel. */
  rest(): void {
    Atomics.store(this.#memory.u64, this.#page + DATA_TAIL, BigInt(this.#tail));
  }

  close(): void {
    this.#context.releaseMappings(this, this.#mappings);
    this.#context.disown(this);
    this.#context.release({ fd: this.fd, memory: this.#whole });
  }

  #inOnePiece(header: Address, size: number): Address {
    const end = this.#data + this.#size;
    if (header + size <= end) return header;
    const { u8 } = this.#memory;
    u8.copyWithin(this.#whole, header, end);
    u8.copyWithin(this.#whole + (end - header), this.#data, header + size - this.#size);
    return this.#whole;
  }
}

import { BlockAllocator } from "./block-allocator.ts";
import { PAGE_SIZE, PageAllocator, type Pages, pageAlign } from "./page-allocator.ts";

/** A place in an address space: bytes from its beginning. 0 is the null pointer; the first 64 KiB are never handed out. */
export type Address = number;

/** The bytes that a layout reads and writes: one memory as the two views that it needs. */
export interface Memory {
  readonly u8: Uint8Array;
  readonly view: DataView;
}

const WASM_PAGE = 65536;
const FOUR_GIB = 2 ** 32;
const INITIAL_BYTES = 16 * WASM_PAGE;
/**
 * Where what is handed out begins. A program may move a pointer back by so much as an instruction's offset, less than
 * 32 KiB, leads forward again: what it points to meanwhile must be an address as well.
 */
const FIRST = WASM_PAGE;
/** The end of the largest memory. Of 4 GiB the last page is left out: there are addresses at which nothing ever lies. */
const LAST_END = FOUR_GIB - WASM_PAGE;

/** An address space has no room left: what was asked for, and what it still has. */
export class OutOfMemoryError extends RangeError {
  override readonly name = "OutOfMemoryError";
}

/** A memory that other threads have as well, and who hands out its pages among all of them. */
export interface GivenMemory {
  /** The `WebAssembly.Memory`, which whoever compiles without types of the platform has no name for. */
  readonly memory: object;
  readonly pages: Pages;
}

/**
 * One linear memory, in which everything that `bpf(2)` is told lies: attrs, keys, values, and on the embedded kernel
 * the maps themselves. It grows on demand up to a limit, its base never moves, and fresh memory is zero.
 *
 * The views are replaced when the memory grows: take them from here for each use, never keep one across a call that
 * may allocate.
 */
export class AddressSpace implements Memory {
  u8: Uint8Array;
  i32: Int32Array;
  u32: Uint32Array;
  i64: BigInt64Array;
  u64: BigUint64Array;
  view: DataView;

  /** The most bytes that it may grow to. */
  readonly limit: number;
  readonly #end: number;
  #memory: WebAssembly.Memory;
  readonly #pages: Pages;
  readonly #blocks: BlockAllocator;
  /** Bytes of each allocation of whole pages. */
  readonly #ranges = new Map<Address, number>();

  /**
   * An empty address space that may grow to `limit` bytes, rounded up to 64 KiB; or with `isWhole` is as large as that from
   * the beginning, for which an engine looks for garbage once, and when it grows so far twice. Throws a `RangeError` for a
   * limit below 1 MiB or above 4 GiB, the reach of a 32-bit address, and when the system has not even the addresses. A memory
   * that is given is used instead of one of its own.
   */
  constructor(limit: number = FOUR_GIB, isWhole = false, given?: GivenMemory) {
    this.limit = checkedLimit(limit);
    this.#end = Math.min(this.limit, LAST_END);
    const maximum = this.#end / WASM_PAGE;
    this.#memory =
      (given?.memory as WebAssembly.Memory | undefined) ??
      reserve(isWhole ? maximum : INITIAL_BYTES / WASM_PAGE, maximum);
    this.#pages = given?.pages ?? new PageAllocator(FIRST, this.#end);
    this.#blocks = new BlockAllocator(this.#pages);
    const buffer = this.#memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.view = new DataView(buffer);
  }

  /**
   * The memory itself, for WebAssembly to import.
   * @internal
   */
  get wasm(): WebAssembly.Memory {
    return this.#memory;
  }

  /** Whether other threads or processes may write what lies in it. */
  get isShared(): boolean {
    return false;
  }

  /**
   * Whether `wasm` is a memory that threads share: whatever imports it has to say so.
   * @internal
   */
  get isThreaded(): boolean {
    return false;
  }

  /** How many bytes it spans now. */
  get size(): number {
    return this.u8.length;
  }

  /** The most bytes that one allocation can still get. */
  get largestFree(): number {
    return this.#pages.largest;
  }

  /** Takes `bytes` of zeroed memory, aligned to 8 or better, to a page from half a page up; 0 when there is no room. */
  tryAllocate(bytes: number): Address {
    return BlockAllocator.holds(bytes) ? this.#allocateBlock(bytes) : this.#allocatePages(bytes);
  }

  /** Takes `bytes` as `tryAllocate` does. Throws an `OutOfMemoryError` that names `purpose` when there is no room. */
  allocate(bytes: number, purpose: string): Address {
    const address = this.tryAllocate(bytes);
    if (address === 0) throw new OutOfMemoryError(this.describeShortage(bytes, purpose));
    return address;
  }

  /**
   * Grows to the limit at once, so that the memory never grows again; what is not touched costs nothing. False when the
   * system has not even the addresses.
   */
  growToLimit(): boolean {
    return this.reach(this.#end);
  }

  /**
   * Empties the views that were taken from here before, which then reach nothing; its own are new.
   */
  detachViews(): void {
    this.#grow(this.size);
  }

  /** What `OutOfMemoryError` says: the need, what is left, the limit and how to raise it. */
  describeShortage(bytes: number, purpose: string): string {
    return (
      `${purpose} needs ${bytes} bytes, but at most ${this.largestFree} in one piece are left of the ` +
      `address space's ${this.limit}; close what is not needed, ask for less, or raise the limit`
    );
  }

  /** How many bytes an allocation has; `undefined` for an address that is none. */
  sizeOf(address: Address): number | undefined {
    return this.#ranges.get(address) ?? this.#blocks.sizeOf(address);
  }

  /** Takes zeroed memory for the segment of a map, whole pages of it: see `tryAllocate`. An address space whose segments are files overrides it. */
  tryAllocateSegment(bytes: number): Address {
    return this.tryAllocate(Math.max(bytes, PAGE_SIZE));
  }

  /** Gives back what `tryAllocateSegment` returned. */
  releaseSegment(address: Address): void {
    this.release(address);
  }

  /** Gives back what an allocation returned. */
  release(address: Address): void {
    const bytes = this.#ranges.get(address);
    if (bytes === undefined) return this.#blocks.release(address);
    this.#ranges.delete(address);
    this.#pages.release(address, bytes);
  }

  #allocateBlock(bytes: number): Address {
    const address = this.#blocks.allocate(bytes);
    if (address === 0) return 0;
    const end = address + (this.#blocks.sizeOf(address) ?? 0);
    if (!this.reach(end)) {
      this.#blocks.release(address);
      return 0;
    }
    this.u8.fill(0, address, end);
    return address;
  }

  #allocatePages(bytes: number): Address {
    const address = this.takePages(bytes);
    if (address !== 0) this.#ranges.set(address, bytes);
    return address;
  }

  /** Takes zeroed pages that nobody gives back with `release`; 0 when there is no room. */
  protected takePages(bytes: number): Address {
    const address = this.#pages.allocate(bytes);
    if (address === 0) return 0;
    const end = address + pageAlign(bytes);
    const { writtenEnd } = this.#pages;
    if (!this.reach(end)) {
      this.#pages.release(address, bytes);
      return 0;
    }
    if (address < writtenEnd) this.u8.fill(0, address, Math.min(end, writtenEnd));
    return address;
  }

  /**
   * Sees to it that the views reach to `end`: grows the memory if need be, by an eighth at least so that many small maps do
   * not grow it often. False when the system has no more.
   */
  protected reach(end: number): boolean {
    if (end <= this.size) return true;
    if (this.isThreaded && this.#grow(this.size) && end <= this.size) return true;
    const { size } = this;
    const generous = Math.min(Math.max(end, size + size / 8), this.#end);
    return this.#grow(generous) || this.#grow(end);
  }

  /** Lets go of its memory, and has one that nobody else has and in which nothing lies, just as large. */
  protected leaveMemory(): void {
    const pages = this.size / WASM_PAGE;
    this.#memory = reserve(pages, pages);
    this.#renewViews();
  }

  #grow(size: number): boolean {
    try {
      this.#memory.grow(Math.ceil((size - this.size) / WASM_PAGE));
    } catch {
      return false;
    }
    this.#renewViews();
    return true;
  }

  #renewViews(): void {
    const buffer = this.#memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i64 = new BigInt64Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.view = new DataView(buffer);
  }
}

/** The bytes that an address space of `limit` bytes may grow to: whole pages of WebAssembly. Throws a `RangeError` as the constructor does. */
export function checkedLimit(limit: number): number {
  if (limit >= INITIAL_BYTES && limit <= FOUR_GIB) return Math.ceil(limit / WASM_PAGE) * WASM_PAGE;
  throw new RangeError(`an address space holds between ${INITIAL_BYTES} and ${FOUR_GIB} bytes, not ${limit}`);
}

function reserve(initial: number, maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial, maximum });
  } catch (cause) {
    const bytes = maximum * WASM_PAGE;
    throw new RangeError(`the system has no ${bytes} bytes of addresses left for this kernel's memory`, { cause });
  }
}

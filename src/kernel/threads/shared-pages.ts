import type { Address } from "../../memory/address-space.ts";
import { PAGE_SIZE, PageAllocator, type Pages, pageAlign } from "../../memory/page-allocator.ts";
import { CONTROL, type Control, type ControlLock, controlPages } from "./control.ts";

/** To whom a range of pages belongs: to nobody, to the agent of a number above 0, or to all. */
export const OWNER = {
  FREE: 0,
  /** The segment of a map that has its id. */
  MAP: -1,
  /** What maps and pins need besides. */
  ATTACHED: -2,
} as const;

/**
 * The pages of a memory that threads share. The page map says where ranges begin: for the first page of each how many pages
 * it has, and whose it is. Ranges lie one behind another, from the end of the page map to that of the memory; free ones are
 * joined when somebody comes by. A page at which no range begins is nobody's. Each store leaves all in order.
 */
export class SharedPages implements Pages {
  readonly #control: Control;
  readonly #lock: ControlLock;
  readonly #agent: number;
  /** The first page that can be taken, and the end of the last. */
  readonly #first: number;
  readonly #end: number;
  /** After the agent has left: pages of a memory that is nobody else's. */
  #own: PageAllocator | undefined;
  #writtenEnd = 0;

  constructor(control: Control, lock: ControlLock, agent: number) {
    this.#control = control;
    this.#lock = lock;
    this.#agent = agent;
    this.#first = controlPages(control.pages);
    this.#end = control.pages;
  }

  /** Makes all pages of a new memory free. */
  static initialize(control: Control): void {
    const first = controlPages(control.pages);
    control.i32[wordOf(first)] = control.pages - first;
    control.i32[CONTROL.WRITTEN_END >>> 2] = first * PAGE_SIZE;
  }

  get writtenEnd(): number {
    return this.#own?.writtenEnd ?? this.#writtenEnd;
  }

  get largest(): number {
    if (this.#own !== undefined) return this.#own.largest;
    return this.#lock.hold(() => {
      let largest = 0;
      for (const page of this.#freeRanges()) largest = Math.max(largest, this.#lengthOf(page));
      return largest * PAGE_SIZE;
    });
  }

  allocate(bytes: number): Address {
    if (this.#own !== undefined) return this.#own.allocate(bytes);
    return this.#lock.hold(() => this.#take(pageAlign(bytes) / PAGE_SIZE));
  }

  release(start: Address, bytes: number): void {
    if (this.#own !== undefined) return this.#own.release(start, bytes);
    this.#lock.hold(() => {
      if (this.ownerOf(start) === this.#agent) this.free(start);
    });
  }

  /** From now on this hands out pages of a memory of so many bytes that the agent has for itself. */
  leave(bytes: number): void {
    this.#own = new PageAllocator(CONTROL.MAGIC, bytes);
  }

  /** The bytes of the range that begins at an address; `undefined` when none does that is in use. */
  sizeOf(start: Address): number | undefined {
    const owner = this.ownerOf(start);
    return owner === OWNER.FREE ? undefined : this.#lengthOf(start / PAGE_SIZE) * PAGE_SIZE;
  }

  /** Whose the range is that begins at an address. */
  ownerOf(start: Address): number {
    return this.#ownerOf(start / PAGE_SIZE);
  }

  /** Only for who holds the lock, as all that follows. */
  give(start: Address, owner: number): void {
    Atomics.store(this.#control.i32, wordOf(start / PAGE_SIZE) + 1, owner);
  }

  free(start: Address): void {
    this.give(start, OWNER.FREE);
  }

  /** The ranges of an owner: where they begin. */
  *rangesOf(owner: number): Generator<Address> {
    for (let page = this.#first; page < this.#end; page += this.#lengthOf(page)) {
      if (this.#ownerOf(page) === owner) yield page * PAGE_SIZE;
    }
  }

  /** Joins free ranges, and gives the first page of each. */
  *#freeRanges(): Generator<number> {
    const { i32 } = this.#control;
    for (let page = this.#first; page < this.#end; page += this.#lengthOf(page)) {
      if (this.#ownerOf(page) !== OWNER.FREE) continue;
      let end = page + this.#lengthOf(page);
      while (end < this.#end && this.#ownerOf(end) === OWNER.FREE) end += this.#lengthOf(end);
      Atomics.store(i32, wordOf(page), end - page);
      yield page;
    }
  }

  /** The first page of the smallest free range that is long enough; of the last range, most of which was never written, only when there is no other. */
  #bestFit(length: number): number {
    let best = 0;
    for (const page of this.#freeRanges()) {
      const size = this.#lengthOf(page);
      if (size < length) continue;
      if (best === 0 || (page + size < this.#end && size < this.#lengthOf(best))) best = page;
    }
    return best;
  }

  #take(length: number): Address {
    const { i32, u32 } = this.#control;
    const page = this.#bestFit(length);
    if (page === 0) return 0;
    const rest = this.#lengthOf(page) - length;
    if (rest > 0) Atomics.store(i32, wordOf(page + length), rest);
    Atomics.store(i32, wordOf(page), length);
    const end = (page + length) * PAGE_SIZE;
    this.#writtenEnd = u32[CONTROL.WRITTEN_END >>> 2] as number;
    if (end > this.#writtenEnd) Atomics.store(u32, CONTROL.WRITTEN_END >>> 2, end);
    this.give(page * PAGE_SIZE, this.#agent);
    return page * PAGE_SIZE;
  }

  #lengthOf(page: number): number {
    return this.#control.i32[wordOf(page)] as number;
  }

  #ownerOf(page: number): number {
    return this.#control.i32[wordOf(page) + 1] as number;
  }
}

/** The word of the memory at which the page map says what it knows of a page. */
function wordOf(page: number): number {
  return (CONTROL.PAGE_MAP >>> 2) + 2 * page;
}

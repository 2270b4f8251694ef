/** The unit of the address space: segments begin on a page and fill whole pages. Linux's own on x64. */
export const PAGE_SIZE = 4096;

/** `bytes` rounded up to whole pages. */
export function pageAlign(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
}

/** Who hands out the pages of a linear memory. */
export interface Pages {
  /** The most bytes that one allocation can still get. */
  readonly largest: number;
  /** To where what was allocated last may have been written before: what lies above is zero. */
  readonly writtenEnd: number;
  /** Takes `bytes` rounded up to pages; 0 when no free range is long enough. */
  allocate(bytes: number): number;
  /** Gives back what `allocate` took: the same start, the same number of bytes. */
  release(start: number, bytes: number): void;
}

/** A free range of pages. */
interface Range {
  start: number;
  end: number;
}

/**
 * Which pages of a linear memory are taken. Best fit among the free ranges, neighbours joined on release; what was
 * never handed out is one open end above them.
 */
export class PageAllocator implements Pages {
  /** Free ranges below `#top`, by address. */
  readonly #free: Range[] = [];
  readonly #limit: number;
  #top: number;
  #writtenEnd = 0;

  /** Hands out the pages from `start` to `limit`, both addresses of pages. */
  constructor(start: number, limit: number) {
    this.#top = start;
    this.#limit = limit;
  }

  get writtenEnd(): number {
    return this.#writtenEnd;
  }

  get largest(): number {
    let largest = this.#limit - this.#openEnd();
    for (const range of this.#free) largest = Math.max(largest, range.end - range.start);
    return largest;
  }

  allocate(bytes: number): number {
    const length = pageAlign(bytes);
    this.#writtenEnd = this.#top;
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const size = this.#length(i);
      if (size >= length && (best < 0 || size < this.#length(best))) best = i;
    }
    if (best >= 0) return this.#takeFrom(best, length);

    const start = this.#openEnd();
    if (start + length > this.#limit) return 0;
    if (start < this.#top) this.#free.pop();
    this.#top = start + length;
    return start;
  }

  release(start: number, bytes: number): void {
    const end = start + pageAlign(bytes);
    let at = this.#free.findIndex((range) => range.start > start);
    if (at < 0) at = this.#free.length;
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const joinsBefore = before?.end === start;
    const joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#free.splice(at, 1);
    } else if (joinsBefore) {
      before.end = end;
    } else if (joinsAfter) {
      after.start = start;
    } else {
      this.#free.splice(at, 0, { start, end });
    }
  }

  #length(index: number): number {
    const range = this.#free[index] as Range;
    return range.end - range.start;
  }

  #takeFrom(index: number, length: number): number {
    const range = this.#free[index] as Range;
    const start = range.start;
    range.start += length;
    if (range.start === range.end) this.#free.splice(index, 1);
    return start;
  }

  /** Where an allocation at the open end would begin: a free range that reaches the top belongs to it. */
  #openEnd(): number {
    const last = this.#free[this.#free.length - 1];
    return last?.end === this.#top ? last.start : this.#top;
  }
}

import { PAGE_SIZE, type Pages } from "./page-allocator.ts";

const SMALLEST = 16;
const LARGEST = PAGE_SIZE / 2;

/**
 * Blocks smaller than a page, in powers of two from 16 to 2,048 bytes, cut from pages that it keeps. A block is
 * aligned to its own size.
 */
export class BlockAllocator {
  readonly #pages: Pages;
  readonly #free: number[][] = [];
  readonly #sizes = new Map<number, number>();

  constructor(pages: Pages) {
    this.#pages = pages;
  }

  /** Whether a block of so many bytes is for this allocator, and not a matter of whole pages. */
  static holds(bytes: number): boolean {
    return bytes <= LARGEST;
  }

  /** Takes a block of at least `bytes`; 0 when there are no pages left. Its content is not cleared. */
  allocate(bytes: number): number {
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const list = (this.#free[Math.log2(size)] ??= []);
    if (list.length === 0 && !this.#cutPage(size, list)) return 0;
    const address = list.pop() as number;
    this.#sizes.set(address, size);
    return address;
  }

  /** The size of a block that is taken; `undefined` when there is none at the address. */
  sizeOf(address: number): number | undefined {
    return this.#sizes.get(address);
  }

  /** Gives a block back. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    this.#free[Math.log2(size)]?.push(address);
  }

  #cutPage(size: number, list: number[]): boolean {
    const page = this.#pages.allocate(PAGE_SIZE);
    if (page === 0) return false;
    for (let at = page + PAGE_SIZE - size; at >= page; at -= size) list.push(at);
    return true;
  }
}

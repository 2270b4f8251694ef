import type { AddressSpace } from "../../../memory/address-space.ts";

/** Where the pieces of a pool lie, in words of the memory. */
interface PoolPlace {
  /** Two words of the segment's header: the first free piece, and how many pieces were ever used. */
  readonly state: number;
  /** Where the segment begins: pieces are known by their distance from here. */
  readonly origin: number;
  /** The first piece, from the segment's start. */
  readonly first: number;
  readonly words: number;
  readonly capacity: number;
}

/**
 * Pieces of a segment that are all of one size, to be taken and given back: words from the segment's start, or 0 for
 * none. The first word of a piece that was given back links to the next such piece; pieces that were never used are not
 * touched. All state lies in the segment.
 */
export class Pool {
  readonly #memory: AddressSpace;
  readonly #free: number;
  readonly #used: number;
  readonly #origin: number;
  readonly #first: number;
  readonly #words: number;
  readonly #capacity: number;

  constructor(memory: AddressSpace, { state, origin, first, words, capacity }: PoolPlace) {
    this.#memory = memory;
    this.#free = state;
    this.#used = state + 1;
    this.#origin = origin;
    this.#first = first;
    this.#words = words;
    this.#capacity = capacity;
  }

  /** A piece, whatever is in it; 0 when all are taken. */
  take(): number {
    const { i32, u32 } = this.#memory;
    const piece = i32[this.#free] as number;
    if (piece !== 0) {
      i32[this.#free] = i32[this.#origin + piece] as number;
      return piece;
    }
    const index = u32[this.#used] as number;
    if (index >= this.#capacity) return 0;
    u32[this.#used] = index + 1;
    return this.#first + index * this.#words;
  }

  giveBack(piece: number): void {
    const { i32 } = this.#memory;
    i32[this.#origin + piece] = i32[this.#free] as number;
    i32[this.#free] = piece;
  }
}

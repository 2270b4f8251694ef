import type { AddressSpace } from "../../../memory/address-space.ts";

/** Where the pieces of a segment lie, in words. */
export interface PiecesPlace {
  /** The word of the memory at which the segment begins. */
  readonly origin: number;
  /** Two words of the memory: the first free piece, and how many pieces were ever used. */
  readonly state: number;
  /** The first piece, from the segment's start. */
  readonly first: number;
  readonly words: number;
  /** How many pieces can be taken. */
  readonly capacity: number;
  /** How many there are: some may be spare ones that are never free. */
  readonly count: number;
}

/**
 * The pieces of a segment that is shared, all of one size, as a `Pool` keeps them in memory that is not. Only for who holds
 * the lock of the map. Each step leaves them in order: whoever dies amid it has lost a piece at most. Nothing that is no
 * piece is ever taken for one.
 */
export class Pieces {
  readonly #memory: AddressSpace;
  readonly #place: PiecesPlace;
  readonly #last: number;

  constructor(memory: AddressSpace, place: PiecesPlace) {
    this.#memory = memory;
    this.#place = place;
    this.#last = (place.count - 1) * place.words;
  }

  /** The piece that a word of the memory links to, from the segment's start; 0 for none, and for whatever is no piece. */
  linked(word: number): number {
    const link = this.#memory.i32[word] as number;
    return (link - this.#place.first) >>> 0 <= this.#last ? link : 0;
  }

  /** The piece number `index`. */
  at(index: number): number {
    return this.#place.first + index * this.#place.words;
  }

  /** A piece, whatever is in it; 0 when all are taken. */
  take(): number {
    const { i32, u32 } = this.#memory;
    const { origin, state, capacity } = this.#place;
    const free = this.linked(state);
    if (free !== 0) {
      Atomics.store(i32, state, i32[origin + free] as number);
      return free;
    }
    const index = u32[state + 1] as number;
    if (index >= capacity) return 0;
    Atomics.store(u32, state + 1, index + 1);
    return this.at(index);
  }

  giveBack(piece: number): void {
    const { i32 } = this.#memory;
    const { origin, state } = this.#place;
    i32[origin + piece] = i32[state] as number;
    Atomics.store(i32, state, piece);
  }

  /**
   * Makes free whatever is not in use: see `mark`. The first such piece is not made free but answered, to be the spare one;
   * 0 when there is none.
   */
  collect(isInUse: Uint8Array): number {
    const { i32, u32 } = this.#memory;
    const { state, capacity, count } = this.#place;
    isInUse.fill(1, Math.min(u32[state + 1] as number, capacity), capacity);
    Atomics.store(i32, state, 0);
    let spare = 0;
    for (let index = count - 1; index >= 0; index--) {
      if (isInUse[index] === 1) continue;
      if (spare === 0) spare = this.at(index);
      else this.giveBack(this.at(index));
    }
    return spare;
  }

  /** Notes that a piece is in use; false when that was known. */
  mark(isInUse: Uint8Array, piece: number): boolean {
    const index = Math.floor((piece - this.#place.first) / this.#place.words);
    if (isInUse[index] === 1) return false;
    isInUse[index] = 1;
    return true;
  }

  /** Nothing in use yet. */
  unmarked(): Uint8Array {
    return new Uint8Array(this.#place.count);
  }
}

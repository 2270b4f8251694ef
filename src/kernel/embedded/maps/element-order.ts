import type { AddressSpace } from "../../../memory/address-space.ts";
import type { HashGeometry } from "./hash-code.ts";

/** Where the elements of a table lie, as far as it takes to go through them. */
type Elements = Pick<HashGeometry, "origin" | "firstElement" | "elementWords" | "used" | "bucketMask" | "seed">;

/** Of buckets that hold one entry on average, so many hold any: 1 − 1/e. */
const GROUPS_PER_POSITION = 0.632;

/**
 * The order of a table without BPF_F_ZERO_SEED. Linux has none there that anybody could know beforehand, so a table is read
 * as its elements lie in memory, and not by chains whose elements lie anywhere. An element stays in its place as long as
 * its key is there: who goes through all positions meets it once, whatever becomes of the others.
 *
 * The element at a position is that whose number differs from the position in the bits of `turn`, which the seed decides:
 * neighbours stay neighbours, but that the entry that came first is read first is nothing to rely on.
 *
 * Linux reads whole buckets, so that a batch is rarely full, and `ENOSPC` when the next bucket alone is too much for it. Who
 * tests here must meet that, too: positions are taken together as if each group were a bucket. The seed decides where one
 * begins, and the groups of a table that is full are as long as Linux's buckets are, one entry in most, several in some.
 */
export class ElementOrder {
  /** The first position behind all others. */
  readonly end: number;
  readonly #seed: number;
  readonly turn: number;
  /** The word of the memory at which the first element begins. */
  readonly first: number;
  readonly elementWords: number;
  readonly #memory: AddressSpace;
  readonly #firstElement: number;
  readonly #used: number;

  constructor(memory: AddressSpace, { origin, firstElement, elementWords, used, bucketMask, seed }: Elements) {
    this.end = bucketMask + 1;
    this.turn = seed & bucketMask;
    this.#seed = seed;
    this.first = origin + firstElement;
    this.elementWords = elementWords;
    this.#memory = memory;
    this.#firstElement = firstElement;
    this.#used = used;
  }

  /** How many elements were ever used: others have no link that says that they are free. */
  get used(): number {
    return this.#memory.i32[this.#used] as number;
  }

  /** The first position from `position` on, and before `end`, whose element is in use; `end` when there is none. */
  next(position: number, end = this.end): number {
    const { i32 } = this.#memory;
    const { used } = this;
    let at = position;
    while (at < end && !((at ^ this.turn) < used && (i32[this.elementAt(at)] as number) >= 0)) at++;
    return at;
  }

  /** The first position from `position` on at which a group begins; `end` when there is none. */
  groupFrom(position: number): number {
    let at = position;
    while (at < this.end && !this.#beginsGroup(at)) at++;
    return at;
  }

  /** The last position up to `position` at which a group begins, or `least` when that is behind it. */
  groupUpTo(position: number, least: number): number {
    let at = position;
    while (at > least && at < this.end && !this.#beginsGroup(at)) at--;
    return at;
  }

  /** The word of the memory at which the element at a position begins. */
  elementAt(position: number): number {
    return this.first + (position ^ this.turn) * this.elementWords;
  }

  /** The link to the element behind one that is in use, to the first of all for 0; 0 behind the last. */
  after(link: number): number {
    const number = (link - this.#firstElement) / this.elementWords;
    const position = this.next(link === 0 ? 0 : (number ^ this.turn) + 1);
    return position === this.end ? 0 : this.#firstElement + (position ^ this.turn) * this.elementWords;
  }

  #beginsGroup(position: number): boolean {
    let bits = Math.imul(position ^ this.#seed, 0x85eb_ca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
    return (bits ^ (bits >>> 16)) >>> 0 < GROUPS_PER_POSITION * 2 ** 32;
  }
}

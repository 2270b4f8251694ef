import type { AddressSpace } from "../../../memory/address-space.ts";
import { GUARD, SHARES, shareStride } from "../guards.ts";
import { jhash, jhashTwoWords, jhashWord } from "../jhash.ts";
import { HASH_HEADER } from "../maps/hash-segment.ts";
import type { SharedHashPlan } from "../maps/shared-hash-plan.ts";
import { SEGMENT } from "../segment.ts";
import type { Agent } from "./agent.ts";
import { bumpVersion, Locks } from "./locks.ts";

/** A table in a segment: its sizes, which were checked, and where it lies. */
export interface HashTablePlace extends SharedHashPlan {
  readonly base: number;
  readonly keySize: number;
  readonly maxEntries: number;
  readonly seed: number;
}

/**
 * The chains and the free elements of a hash table that is shared.
 *
 * A bucket's chain changes by single stores: a new element is filled before it is linked, and one that replaces another
 * takes its place in the chain. What was taken out of a chain is counted in the version of the bucket's guard before
 * anybody may use it again: a reader that finds the version as it was has seen the chain as it stood. Whoever dies on the
 * way leaves an element that is in no chain and not free either; `sweep` finds those.
 *
 * Nothing that is read from the segment is followed out of it. Elements are known by their number, from 1; 0 is none. Chains
 * and guards are found by the hash of a key.
 */
export class HashElements {
  readonly locks: Locks;
  readonly bucketMask: number;
  readonly keyWords: number;
  readonly valueWord: number;
  readonly elements: number;
  /** The bits of a link that are the number of an element; those above are of the hash of its key. */
  readonly linkMask: number;
  /** The words of the memory at which the segment, the buckets and the guards begin. */
  readonly origin: number;
  readonly buckets: number;
  /** The words of the memory before the link of the first element, which follow each other, and of an element before the first. */
  readonly links: number;
  readonly elementZero: number;
  readonly elementWords: number;
  readonly guards: number;
  readonly guardMask: number;
  /** The word of the first guard's first share, the words from one share to the next, and how far on the share of this agent is. */
  readonly shares: number;
  readonly shareWords: number;
  readonly ownShare: number;
  readonly seed: number;
  readonly #memory: AddressSpace;
  readonly #keySize: number;
  readonly #maxEntries: number;
  readonly #finish: (guard: number) => void;

  /** `finish` is called for a guard whose owner had died, and may have been overwriting a value where it is. */
  constructor(memory: AddressSpace, agent: Agent, place: HashTablePlace, finish: (guard: number) => void) {
    this.#memory = memory;
    this.#finish = finish;
    this.locks = new Locks(memory, agent);
    this.origin = place.base >>> 2;
    this.buckets = this.origin + SEGMENT.HEADER_SIZE / 4;
    this.bucketMask = place.buckets - 1;
    this.links = ((place.base + place.firstLink) >>> 2) - 1;
    this.elementWords = place.elementBytes >>> 2;
    this.elementZero = ((place.base + place.firstElement) >>> 2) - this.elementWords;
    this.elements = place.elements;
    this.linkMask = place.linkMask;
    this.guards = (place.base + place.firstGuard) >>> 2;
    this.guardMask = place.guards - 1;
    this.shares = (place.base + place.firstShare) >>> 2;
    this.shareWords = shareStride(place.guards) / 4;
    this.ownShare = (agent.number & (SHARES - 1)) * this.shareWords;
    this.keyWords = Math.ceil(place.keySize / 4);
    this.valueWord = place.valueWord;
    this.seed = place.seed;
    this.#keySize = place.keySize;
    this.#maxEntries = place.maxEntries;
  }

  /** Gives each guard of a new table its spare element. */
  initialise(): void {
    for (let index = 0; index <= this.guardMask; index++) {
      this.#memory.i32[this.guards + index * GUARD.WORDS + GUARD.SPARE] = this.#maxEntries + index + 1;
    }
  }

  /** The word of the memory at which an element begins, with its key. */
  at(element: number): number {
    return this.elementZero + element * this.elementWords;
  }

  /** The element in which a word of the memory lies. */
  around(word: number): number {
    return Math.floor((word - this.elementZero) / this.elementWords);
  }

  /** The element that a link is of; 0 for none, and for whatever is no link into this table. */
  #elementOf(link: number): number {
    const element = link & this.linkMask;
    return (element - 1) >>> 0 < this.elements ? element : 0;
  }

  /** The element that a word links to. */
  linked(word: number): number {
    return this.#elementOf(this.#memory.i32[word] as number);
  }

  /** The element behind another one in its chain. */
  after(element: number): number {
    return this.linked(this.links + element);
  }

  /** The hash of the key at a word of the memory. */
  hashOf(keyAt: number): number {
    const { i32 } = this.#memory;
    if (this.keyWords === 1 && this.#keySize === 4) return jhashWord(i32[keyAt] as number, this.seed);
    if (this.keyWords === 2)
      return jhashTwoWords(i32[keyAt] as number, i32[keyAt + 1] as number, this.#keySize, this.seed);
    return jhash(i32, keyAt, this.#keySize, this.seed);
  }

  /** The word of the bucket of a hash. */
  bucketOf(hash: number): number {
    return this.buckets + (hash & this.bucketMask);
  }

  /** The guard of the bucket of a hash, or of the bucket of a number. */
  guardOf(hash: number): number {
    return this.guards + (hash & this.guardMask) * GUARD.WORDS;
  }

  /**
   * Takes a guard. Who held it and died may have lost an element, and may not have told readers that it had taken one out of
   * its chain.
   */
  lock(guard: number): void {
    if (this.locks.take(guard + GUARD.LOCK)) {
      bumpVersion(this.#memory.i32, guard);
      this.#suspectLoss();
      this.#finish(guard);
    }
    this.awaitSharers(guard);
  }

  /** Waits until nobody has a share of a guard. For who holds it. */
  awaitSharers(guard: number): void {
    let share = this.#shareOf(guard);
    for (let count = 0; count < SHARES; count++) {
      this.locks.awaitRelease(share);
      share += this.shareWords;
    }
  }

  /** Takes a share of a guard, with which no chain may be changed but values may be overwritten. False when that has to wait. */
  tryShare(guard: number): boolean {
    const share = this.#shareOf(guard) + this.ownShare;
    if (!this.locks.tryTake(share)) return false;
    if (Atomics.load(this.#memory.i32, guard + GUARD.LOCK) === 0) return true;
    this.locks.release(share);
    return false;
  }

  unshare(guard: number): void {
    this.locks.release(this.#shareOf(guard) + this.ownShare);
  }

  /** The first share of a guard. */
  #shareOf(guard: number): number {
    return this.shares + (guard - this.guards) / GUARD.WORDS;
  }

  unlock(guard: number): void {
    this.locks.release(guard + GUARD.LOCK);
  }

  /** The element of the key at a word, which has a hash; 0 when it is not there. Without the guard only as good as its version. */
  find(hash: number, keyAt: number): number {
    const { i32 } = this.#memory;
    let link = i32[this.bucketOf(hash)] as number;
    for (let steps = 0; steps < this.elements; steps++) {
      const element = this.#elementOf(link);
      if (element === 0) return 0;
      if (((link ^ hash) & ~this.linkMask) === 0 && this.hasKey(element, keyAt)) return element;
      link = i32[this.links + element] as number;
    }
    return 0;
  }

  /** The word that links to the element of a key; 0 when it is not there. For who holds the guard. */
  linkTo(hash: number, keyAt: number): number {
    const { i32 } = this.#memory;
    let word = this.bucketOf(hash);
    for (let steps = 0; steps < this.elements; steps++) {
      const link = i32[word] as number;
      const element = this.#elementOf(link);
      if (element === 0) return 0;
      if (((link ^ hash) & ~this.linkMask) === 0 && this.hasKey(element, keyAt)) return word;
      word = this.links + element;
    }
    return 0;
  }

  hasKey(element: number, keyAt: number): boolean {
    const { i32 } = this.#memory;
    const own = this.at(element);
    for (let word = 0; word < this.keyWords; word++) {
      if (i32[own + word] !== i32[keyAt + word]) return false;
    }
    return true;
  }

  /** Puts an element, whose key has a hash, at the head of its chain. For who holds the guard. */
  insert(hash: number, element: number): void {
    const { i32 } = this.#memory;
    const bucket = this.bucketOf(hash);
    i32[this.links + element] = i32[bucket] as number;
    Atomics.store(i32, bucket, (hash & ~this.linkMask) | element);
  }

  /** Puts an element of the same key in the place of the one that a word links to. For who holds the guard. */
  replace(guard: number, word: number, element: number): void {
    const { i32 } = this.#memory;
    const link = i32[word] as number;
    i32[this.links + element] = i32[this.links + this.#elementOf(link)] as number;
    Atomics.store(i32, word, (link & ~this.linkMask) | element);
    bumpVersion(i32, guard);
  }

  /** Takes the element that a word links to out of its chain. For who holds the guard. */
  remove(guard: number, word: number): number {
    const { i32 } = this.#memory;
    const element = this.linked(word);
    Atomics.store(i32, word, i32[this.links + element] as number);
    bumpVersion(i32, guard);
    return element;
  }

  /** Takes all elements out of a chain: those that were there, in order. For who holds the guard. */
  removeAll(guard: number, bucket: number): number[] {
    const { i32 } = this.#memory;
    const all = this.chain(bucket);
    Atomics.store(i32, bucket, 0);
    bumpVersion(i32, guard);
    return all;
  }

  /** The elements of a chain, in order. Without the guard only as good as its version. */
  chain(bucket: number): number[] {
    const all: number[] = [];
    for (let element = this.linked(bucket); element !== 0 && all.length < this.elements; ) {
      all.push(element);
      element = this.after(element);
    }
    return all;
  }

  /** Takes the spare element of a guard; 0 when it has none. For who holds the guard. */
  takeSpare(guard: number): number {
    const spare = this.linked(guard + GUARD.SPARE);
    Atomics.store(this.#memory.i32, guard + GUARD.SPARE, 0);
    return spare;
  }

  /** Makes an element that is in no chain the spare one of a guard that has none. For who holds the guard. */
  giveSpare(guard: number, element: number): void {
    Atomics.store(this.#memory.i32, guard + GUARD.SPARE, element);
  }

  /** The spare element of a guard, 0 when it has none. */
  spareOf(guard: number): number {
    return this.linked(guard + GUARD.SPARE);
  }

  /** The element whose value is being overwritten where it is, by that of the spare element; 0 for none. */
  overwrittenOf(guard: number): number {
    return this.#elementOf(Atomics.load(this.#memory.i32, guard + GUARD.OVERWRITTEN));
  }

  /** Tells readers which element is being overwritten, 0 when none is any more. For who holds the guard. */
  setOverwritten(guard: number, element: number): void {
    const { i32 } = this.#memory;
    Atomics.store(i32, guard + GUARD.OVERWRITTEN, element);
    bumpVersion(i32, guard);
  }

  /** Takes a free element; 0 when there is none. */
  take(): number {
    const { i32, u32 } = this.#memory;
    this.#lockFree();
    const free = this.origin + HASH_HEADER.FREE / 4;
    const used = this.origin + HASH_HEADER.USED / 4;
    let element = this.linked(free);
    if (element !== 0) {
      Atomics.store(i32, free, i32[this.links + element] as number);
    } else {
      const count = u32[used] as number;
      if (count < this.#maxEntries) {
        element = count + 1;
        Atomics.store(u32, used, element);
      }
    }
    this.#unlockFree();
    return element;
  }

  /** Makes an element that is in no chain a free one. */
  giveBack(element: number): void {
    const { i32 } = this.#memory;
    this.#lockFree();
    const free = this.origin + HASH_HEADER.FREE / 4;
    i32[this.links + element] = i32[free] as number;
    Atomics.store(i32, free, element);
    this.#unlockFree();
  }

  /** Waits until whoever holds a lock now has let go, or is known to have died. For who holds no lock. */
  awaitHolders(): void {
    const { i32 } = this.#memory;
    for (let index = 0; index <= this.guardMask; index++) {
      const guard = this.guards + index * GUARD.WORDS;
      if (Atomics.load(i32, guard + GUARD.LOCK) === 0) continue;
      this.lock(guard);
      this.unlock(guard);
    }
  }

  /** Whether someone died with a lock in hand since the last sweep. */
  get isLeaky(): boolean {
    return Atomics.load(this.#memory.i32, this.origin + HASH_HEADER.IS_LEAKY / 4) !== 0;
  }

  /**
   * Finds the elements that were lost and makes them free: those that are in no chain and no spare ones. Everybody else
   * waits for so long. For who holds no lock.
   */
  sweep(): void {
    const { i32 } = this.#memory;
    const sweeping = this.origin + HASH_HEADER.SWEEP_LOCK / 4;
    this.locks.take(sweeping);
    for (let index = 0; index <= this.guardMask; index++) this.lock(this.guards + index * GUARD.WORDS);
    this.#lockFree();
    if (this.isLeaky) {
      this.#collect();
      Atomics.store(i32, this.origin + HASH_HEADER.IS_LEAKY / 4, 0);
    }
    this.#unlockFree();
    for (let index = this.guardMask; index >= 0; index--) this.unlock(this.guards + index * GUARD.WORDS);
    this.locks.release(sweeping);
  }

  /** The free elements anew, by what is not in use. Dying amid it loses elements, which the next sweep finds. */
  #collect(): void {
    const { i32, u32 } = this.#memory;
    const inUse = new Uint8Array(this.elements + 1);
    for (let bucket = this.buckets; bucket <= this.buckets + this.bucketMask; bucket++) {
      for (let element = this.linked(bucket); element !== 0; element = this.after(element)) {
        if (inUse[element] === 1) break;
        inUse[element] = 1;
      }
    }
    const free = this.origin + HASH_HEADER.FREE / 4;
    const unused = Math.min(u32[this.origin + HASH_HEADER.USED / 4] as number, this.#maxEntries);
    inUse.fill(1, unused + 1, this.#maxEntries + 1);
    Atomics.store(i32, free, 0);
    const bare: number[] = [];
    for (let index = 0; index <= this.guardMask; index++) {
      const guard = this.guards + index * GUARD.WORDS;
      const spare = this.linked(guard + GUARD.SPARE);
      const isFit = spare !== 0 && inUse[spare] === 0;
      if (isFit) inUse[spare] = 1;
      else bare.push(guard);
    }
    for (let element = 1; element <= this.elements; element++) {
      if (inUse[element] === 1) continue;
      const guard = bare.pop();
      if (guard !== undefined) {
        this.giveSpare(guard, element);
        continue;
      }
      i32[this.links + element] = i32[free] as number;
      Atomics.store(i32, free, element);
    }
  }

  /** The version of a guard: see `Locks.version`. */
  version(guard: number): number {
    return this.locks.version(guard);
  }

  #lockFree(): void {
    if (this.locks.take(this.origin + HASH_HEADER.FREE_LOCK / 4)) this.#suspectLoss();
  }

  #unlockFree(): void {
    this.locks.release(this.origin + HASH_HEADER.FREE_LOCK / 4);
  }

  #suspectLoss(): void {
    Atomics.store(this.#memory.i32, this.origin + HASH_HEADER.IS_LEAKY / 4, 1);
  }
}

import type { Address } from "../../../memory/address-space.ts";
import { GUARD } from "../guards.ts";
import { HASH_HEADER } from "../maps/hash-segment.ts";
import { lruStoredSize, usedOffset } from "../maps/lru-hash.ts";
import type { SharingHost } from "./agent.ts";
import { SharedHash } from "./shared-hash.ts";

/**
 * A hash table that evicts, shared by threads and processes: second chance, as in memory that is not shared. The entry that
 * goes may be of any bucket; the hand passes over those whose guard somebody else holds.
 */
export class SharedLruHash extends SharedHash {
  /** The word of an element that is 1 when the entry was used since the hand last came by. */
  readonly #used: number;
  readonly #hand: number;

  constructor(host: SharingHost, base: Address, userValueSize: number, isPercpu: boolean, isNew: boolean) {
    super(host, base, { userValueSize, storedSize: lruStoredSize(userValueSize), isPercpu }, isNew);
    this.#used = this.table.valueWord + usedOffset(userValueSize) / 4;
    this.#hand = (base + HASH_HEADER.HAND) >>> 2;
  }

  override lookedUp(value: Address): void {
    this.memory.i32[(value >>> 2) - this.table.valueWord + this.#used] = 1;
  }

  protected override get evicts(): boolean {
    return true;
  }

  protected override storeValue(element: number, value: Address, replaced: number): void {
    super.storeValue(element, value, replaced);
    if (replaced !== 0) this.memory.i32[this.table.at(element) + this.#used] = 1;
  }

  /** What is overwritten comes in another element, as its use has to be noted too. */
  protected override get overwritesInPlace(): boolean {
    return false;
  }

  /** Whatever comes in the place of a deleted entry may lie right before the hand, which must not take it for the oldest. */
  protected override dropValue(element: number): void {
    this.memory.i32[this.table.at(element) + this.#used] = 1;
  }

  protected override evict(held: number): number {
    const { i32, u32 } = this.memory;
    const { table } = this;
    for (let steps = 0; steps < 3 * table.elements; steps++) {
      const element = ((Atomics.add(u32, this.#hand, 1) >>> 0) % table.elements) + 1;
      if (i32[table.at(element) + this.#used] !== 0) {
        i32[table.at(element) + this.#used] = 0;
        continue;
      }
      if (this.#unlink(element, held)) {
        i32[table.at(element) + this.#used] = 0;
        return element;
      }
    }
    return 0;
  }

  /** Takes an element out of its chain; false when it is in none, or in one whose guard somebody else holds. */
  #unlink(element: number, held: number): boolean {
    const { table } = this;
    const own = table.at(element);
    const hash = table.hashOf(own);
    const guard = table.guardOf(hash);
    if (guard !== held && !table.locks.tryTake(guard + GUARD.LOCK)) return false;
    const link = table.linkTo(hash, own);
    const isLinked = link !== 0 && table.linked(link) === element;
    if (isLinked) table.remove(guard, link);
    if (guard !== held) table.unlock(guard);
    return isLinked;
  }
}

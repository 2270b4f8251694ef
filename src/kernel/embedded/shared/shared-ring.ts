import { E2BIG, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BPF_ANY, BPF_EXIST } from "../../../abi/flags.ts";
import type { Address } from "../../../memory/address-space.ts";
import { GUARD, guardsAt } from "../guards.ts";
import { EmbeddedMap } from "../map-ops.ts";
import { RING_HEADER } from "../maps/queue-stack.ts";
import { SEGMENT } from "../segment.ts";
import { copyBytes } from "../user-memory.ts";
import type { SharingHost } from "./agent.ts";
import { bumpVersion, Locks } from "./locks.ts";

const U32 = 2n ** 32n;

/**
 * A queue or a stack that threads and processes share. Pushes and pops take one lock. A value is written into the slot that
 * is always free, and then one store makes it a part of the ring; peeking takes no lock.
 */
export class SharedRing extends EmbeddedMap {
  readonly #isStack: boolean;
  readonly #slots: number;
  readonly #head: number;
  readonly #tail: number;
  readonly #guard: number;
  readonly #locks: Locks;

  /** Over a segment whose sizes were checked. */
  constructor({ memory, agent }: SharingHost, base: Address, isStack: boolean) {
    super(memory, base);
    this.#isStack = isStack;
    this.#slots = this.maxEntries + 1;
    this.#head = (base + RING_HEADER.HEAD) >>> 2;
    this.#tail = (base + RING_HEADER.TAIL) >>> 2;
    this.#guard = (base + guardsAt(SEGMENT.HEADER_SIZE + this.#slots * this.valueSize)) >>> 2;
    this.#locks = new Locks(memory, agent);
  }

  /** There are no keys to look for: `queue_stack_map_lookup_elem`. */
  override lookup(_key: Address): Address {
    return 0;
  }

  /** With BPF_EXIST a full map drops its oldest value, of a stack too: `queue_stack_map_push_elem`. */
  override update(_key: Address, value: Address, flags: number): number {
    if (flags !== BPF_ANY && flags !== BPF_EXIST) return -EINVAL;
    this.#lock();
    const result = this.#push(value, flags);
    this.#locks.release(this.#guard + GUARD.LOCK);
    return result;
  }

  override delete(_key: Address): number {
    return -EINVAL;
  }

  override getNextKey(_key: Address, _next: Address): number {
    return -EINVAL;
  }

  override copyValue(_key: Address, value: Address): number {
    for (;;) {
      const version = this.#locks.version(this.#guard);
      const result = this.#copyNext(value);
      if (this.#locks.version(this.#guard) === version) return result;
    }
  }

  override lookupAndDelete(_key: Address, value: Address): number {
    const { u32, i32 } = this.memory;
    this.#lock();
    const result = this.#copyNext(value);
    if (result === 0) {
      if (this.#isStack) Atomics.store(u32, this.#head, this.#before(this.#slotIn(this.#head)));
      else Atomics.store(u32, this.#tail, this.#after(this.#slotIn(this.#tail)));
      bumpVersion(i32, this.#guard);
    }
    this.#locks.release(this.#guard + GUARD.LOCK);
    return result;
  }

  /** Who held the lock and died may not have told readers that a value has gone. */
  #lock(): void {
    if (this.#locks.take(this.#guard + GUARD.LOCK)) bumpVersion(this.memory.i32, this.#guard);
  }

  #push(value: Address, flags: number): number {
    const { i32, u32, i64 } = this.memory;
    const head = this.#slotIn(this.#head);
    const tail = this.#slotIn(this.#tail);
    const next = this.#after(head);
    const isFull = next === tail;
    if (isFull && flags !== BPF_EXIST) return -E2BIG;
    copyBytes(this.memory, this.#placeOf(head), value, this.valueSize);
    if (!isFull) {
      Atomics.store(u32, this.#head, next);
      return 0;
    }
    // The oldest value goes as the new one comes: both words at once.
    Atomics.store(i64, this.#head >>> 1, BigInt(next) + BigInt(this.#after(tail)) * U32);
    bumpVersion(i32, this.#guard);
    return 0;
  }

  #copyNext(value: Address): number {
    const head = this.#slotIn(this.#head);
    const tail = this.#slotIn(this.#tail);
    if (head === tail) return -ENOENT;
    copyBytes(this.memory, value, this.#placeOf(this.#isStack ? this.#before(head) : tail), this.valueSize);
    return 0;
  }

  /** The slot that a word names; the first one for whatever is no slot. */
  #slotIn(word: number): number {
    const slot = Atomics.load(this.memory.u32, word);
    return slot < this.#slots ? slot : 0;
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1;
  }

  #before(slot: number): number {
    return (slot === 0 ? this.#slots : slot) - 1;
  }

  #placeOf(slot: number): Address {
    return this.base + SEGMENT.HEADER_SIZE + slot * this.valueSize;
  }
}

import type { AddressSpace } from "../../../memory/address-space.ts";
import { GUARD } from "../guards.ts";
import type { Agent } from "./agent.ts";

/**
 * The locks of maps that are shared: words that hold the number of the agent that took them, 0 when they are free. An agent
 * that dies with a lock in hand does no harm: whoever waits for it takes its place. So everything that is done under a lock
 * must leave the tables in order after each of its stores; what may be lost is a piece of them that was in nobody's hands.
 *
 * The order in which locks are taken: that of a sweep, guards by their place, the free list's.
 */
export class Locks {
  readonly #memory: Pick<AddressSpace, "i32">;
  readonly #agent: Agent;

  constructor(memory: Pick<AddressSpace, "i32">, agent: Agent) {
    this.#memory = memory;
    this.#agent = agent;
  }

  /** Takes the lock in a word of the memory. True when its owner had died, and may have lost something. */
  take(word: number): boolean {
    for (;;) {
      const dead = this.takeUnlessDead(word);
      if (dead === 0) return false;
      if (this.takeOver(word, dead)) return true;
    }
  }

  /** Takes a lock, and answers 0; or leaves it with its owner who has died, and answers who that is. */
  takeUnlessDead(word: number): number {
    const { i32 } = this.#memory;
    const own = this.#agent.number;
    for (let attempt = 0; ; attempt++) {
      const owner = Atomics.compareExchange(i32, word, 0, own);
      if (owner === 0) return 0;
      // No agent waits for itself: a lock with its own number is one that somebody forged.
      if (owner === own || this.#agent.waitFor(owner, attempt)) return owner;
    }
  }

  /** Takes a lock from its owner who has died; false when somebody else was quicker. */
  takeOver(word: number, dead: number): boolean {
    return Atomics.compareExchange(this.#memory.i32, word, dead, this.#agent.number) === dead;
  }

  /** Takes a lock that is free; false when it is not. */
  tryTake(word: number): boolean {
    return Atomics.compareExchange(this.#memory.i32, word, 0, this.#agent.number) === 0;
  }

  /** Waits until nobody holds the lock in a word. One whose owner has died is free then. */
  awaitRelease(word: number): void {
    const { i32 } = this.#memory;
    const own = this.#agent.number;
    for (let attempt = 0; Atomics.load(i32, word) !== 0; attempt++) {
      const owner = Atomics.compareExchange(i32, word, 0, 0);
      const isDead = owner !== 0 && (owner === own || this.#agent.waitFor(owner, attempt));
      if (isDead) Atomics.compareExchange(i32, word, owner, 0);
    }
  }

  release(word: number): void {
    Atomics.store(this.#memory.i32, word, 0);
  }

  /**
   * The version of a guard, to be asked before and after reading. What was read before is read before the version is: an atomic
   * store waits for the loads before it, and an atomic load for the atomic stores.
   */
  version(guard: number): number {
    const { i32 } = this.#memory;
    const { fence } = this.#agent;
    if (fence !== 0) Atomics.store(i32, fence, 0);
    return Atomics.load(i32, guard + GUARD.VERSION);
  }
}

/**
 * Tells readers that something which they may be standing on has gone. Only for who holds the guard. What is stored from then
 * on is stored after the version: the load waits for it, and all stores wait for the load.
 */
export function bumpVersion(i32: Int32Array, guard: number): void {
  Atomics.store(i32, guard + GUARD.VERSION, ((i32[guard + GUARD.VERSION] as number) + 1) | 0);
  Atomics.load(i32, guard + GUARD.VERSION);
}

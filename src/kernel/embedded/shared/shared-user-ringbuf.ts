import type { Address } from "../../../memory/address-space.ts";
import { RING } from "../maps/ring-map.ts";
import { UserRingbufMap } from "../maps/user-ringbuf.ts";
import type { Agent, SharingHost } from "./agent.ts";
import { Locks } from "./locks.ts";
import { positionAt, setPosition } from "./ring-positions.ts";
import { SharedWaiters } from "./shared-waiters.ts";

/**
 * A user ring buffer that threads and processes share. One program at a time reads it; who comes meanwhile is told so, unless
 * the agent of that one has died. The record that it had then is given to the next.
 */
export class SharedUserRingbuf extends UserRingbufMap {
  readonly #agent: Agent;
  readonly #locks: Locks;
  readonly #lockWord: number;

  /** Over a segment whose sizes were checked. */
  constructor(host: SharingHost, base: Address) {
    const { memory, agent } = host;
    const waiters = new SharedWaiters(host, base);
    super(memory, base, waiters);
    waiters.settle = () => this.#settle();
    this.#agent = agent;
    this.#locks = new Locks(memory, agent);
    this.#lockWord = (base + RING.BUSY) >>> 2;
  }

  protected override begin(): boolean {
    return this.#locks.tryTake(this.#lockWord) || this.#takeFromDead();
  }

  protected override end(): void {
    this.#locks.release(this.#lockWord);
  }

  protected override loadPosition(offset: number): number {
    return positionAt(this.memory, (this.base + offset) >>> 2);
  }

  protected override storePosition(offset: number, value: number): void {
    setPosition(this.memory, (this.base + offset) >>> 2, value);
  }

  /** Who read records and died may not have said that there is room. */
  #settle(): void {
    if (this.#takeFromDead()) this.end();
  }

  #takeFromDead(): boolean {
    const owner = Atomics.load(this.memory.u32, this.#lockWord);
    if (owner === 0 || !this.#agent.isDead(owner) || !this.#locks.takeOver(this.#lockWord, owner)) return false;
    this.wake();
    return true;
  }
}

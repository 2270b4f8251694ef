import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { RING } from "../maps/ring-map.ts";
import { RingWaiters } from "../maps/ring-waiters.ts";
import { Readiness } from "../readiness.ts";

/** In milliseconds: how soon those who wait look for news that others have, and how long they nap when none comes for long. */
const SHORTEST_NAP = 1;
const LONGEST_NAP = 4;

/** Those of this kernel who wait for news of a ring buffer that threads and processes share. */
export class SharedWaiters extends RingWaiters {
  /** Finishes what those who died have left unfinished, which may be news. */
  settle: () => void = () => {};
  readonly #memory: AddressSpace;
  readonly #news: number;
  /** How much of the news was told here. */
  #told: number;
  #nap = SHORTEST_NAP;
  #napping: ReturnType<typeof setTimeout> | undefined;

  constructor(memory: AddressSpace, base: Address) {
    super();
    this.#memory = memory;
    this.#news = (base + RING.NEWS) >>> 2;
    this.#told = Atomics.load(memory.u32, this.#news);
  }

  override readiness(file: object, isReady: () => boolean): Readiness {
    // What was news before is not news for a file that was opened since.
    this.#look();
    return super.readiness(file, isReady);
  }

  override wake(): void {
    this.#told = (Atomics.add(this.#memory.u32, this.#news, 1) + 1) >>> 0;
    super.wake();
  }

  protected override makeReadiness(hasNews: boolean): Readiness {
    return new SharedReadiness(hasNews, () => this.#attend());
  }

  /** Somebody waits, or does not any more. */
  #attend(): void {
    if (!this.isAwaited) {
      clearTimeout(this.#napping);
      this.#napping = undefined;
    } else if (this.#napping === undefined) {
      this.#nap = SHORTEST_NAP;
      this.#look();
      this.#rest();
    }
  }

  /** Looks again after a nap, as long as somebody waits. The process stays alive meanwhile. */
  #rest(): void {
    if (!this.isAwaited || this.#napping !== undefined) return;
    this.#napping = setTimeout(() => {
      this.#napping = undefined;
      this.settle();
      this.#look();
      this.#nap = Math.min(2 * this.#nap, LONGEST_NAP);
      this.#rest();
    }, this.#nap);
  }

  /** Tells the news that others have. */
  #look(): void {
    const news = Atomics.load(this.#memory.u32, this.#news);
    if (news === this.#told) return;
    this.#told = news;
    super.wake();
  }
}

/** Tells when somebody begins to wait, or ceases to. */
class SharedReadiness extends Readiness {
  readonly #onChange: () => void;

  constructor(hasNews: boolean, onChange: () => void) {
    super(hasNews);
    this.#onChange = onChange;
  }

  override raise(): void {
    super.raise();
    this.#onChange();
  }

  override whenReady(callback: () => void): () => void {
    const off = super.whenReady(callback);
    this.#onChange();
    return () => {
      off();
      this.#onChange();
    };
  }
}

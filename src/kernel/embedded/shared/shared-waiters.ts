import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { RING } from "../maps/ring-map.ts";
import { RingWaiters } from "../maps/ring-waiters.ts";
import { Readiness } from "../readiness.ts";
import type { Bell, Ear, SharingHost } from "./agent.ts";

/**
 * In milliseconds: how soon those who wait look for news by themselves, and how long they nap when none comes for long. Who has
 * a bell looks only for what those left behind who died before they rang it.
 */
const SHORTEST_NAP = 1;
const LONGEST_NAP = { WITH_BELL: 128, WITHOUT: 4 } as const;

/** Those of this kernel who wait for news of a ring buffer that threads and processes share. */
export class SharedWaiters extends RingWaiters {
  /** Finishes what those who died have left unfinished, which may be news. */
  settle: () => void = () => {};
  readonly #memory: AddressSpace;
  readonly #bell: Bell | undefined;
  readonly #base: Address;
  readonly #news: number;
  readonly #isAwaitedWord: number;
  /** How much of the news was told here. */
  #told: number;
  #ear: Ear | undefined;
  #nap = SHORTEST_NAP;
  #napping: ReturnType<typeof setTimeout> | undefined;

  constructor({ memory, bell }: SharingHost, base: Address) {
    super();
    this.#memory = memory;
    this.#bell = bell;
    this.#base = base;
    this.#news = (base + RING.NEWS) >>> 2;
    this.#isAwaitedWord = (base + RING.IS_AWAITED) >>> 2;
    this.#told = Atomics.load(memory.u32, this.#news);
  }

  override readiness(file: object, isReady: () => boolean): Readiness {
    // What was news before is not news for a file that was opened since.
    this.#look();
    return super.readiness(file, isReady);
  }

  override fileClosed(file: object): void {
    super.fileClosed(file);
    if (this.isEmpty) this.close();
  }

  /** Nobody waits any more. */
  close(): void {
    this.#ear?.close();
    this.#ear = undefined;
  }

  override wake(): void {
    const { u32 } = this.#memory;
    this.#told = (Atomics.add(u32, this.#news, 1) + 1) >>> 0;
    super.wake();
    if (Atomics.exchange(u32, this.#isAwaitedWord, 0) !== 0) this.#bell?.ring(this.#base);
  }

  protected override makeReadiness(hasNews: boolean): Readiness {
    return new SharedReadiness(hasNews, () => this.#attend());
  }

  /** Somebody waits, or does not any more. The process stays alive meanwhile. */
  #attend(): void {
    const { isAwaited } = this;
    if (isAwaited === (this.#napping !== undefined)) return;
    if (!isAwaited) {
      clearTimeout(this.#napping);
      this.#napping = undefined;
      this.#ear?.keepAlive(false);
      return;
    }
    this.#ear ??= this.#bell?.listen(this.#base, () => this.#look());
    this.#ear?.keepAlive(true);
    this.#nap = SHORTEST_NAP;
    this.#rest();
    this.#look();
  }

  #rest(): void {
    this.#napping = setTimeout(() => {
      this.#nap = Math.min(2 * this.#nap, this.#ear === undefined ? LONGEST_NAP.WITHOUT : LONGEST_NAP.WITH_BELL);
      this.#rest();
      this.settle();
      this.#look();
    }, this.#nap);
  }

  /** Tells the news that others have; as long as somebody waits they are to wake this kernel. */
  #look(): void {
    const { u32 } = this.#memory;
    if (this.isAwaited) Atomics.store(u32, this.#isAwaitedWord, 1);
    const news = Atomics.load(u32, this.#news);
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

import { CONTROL, type Control, MOST_AGENTS } from "./control.ts";

/** How often a lock is tried in a row before its owner is given time, and after how many naps it is asked whether it lives. */
const SPINS = 100;
const NAPS = 4;
const SHORTEST_NAP = 0.05;
const LONGEST_NAP = 1;
/** How long somebody waits at most for a lock that nobody holds for so long who is alive, in milliseconds. */
const LONGEST_WAIT = 10_000;

const NEVER_LET_GO =
  `another thread holds a lock of the maps that are shared, and has not let go of it for ${LONGEST_WAIT / 1000} seconds: ` +
  "if it has been terminated, call reclaim() with what share() gave for it";

/** One of those who share a memory: its number, which is nobody else's ever, and its place among those that live. */
export interface Member {
  readonly number: number;
  readonly place: number;
}

/**
 * The agents of a memory that threads share. Nothing of the platform says that a thread has ended: an agent leaves by itself,
 * or another thread says that it has ended, and then its number is negative until what it held has been given back.
 */
export class Agents {
  readonly #control: Control;
  readonly #canSleep: boolean;
  /** When this thread began to wait for the lock that it waits for. */
  #waitsSince = 0;

  constructor(control: Control) {
    this.#control = control;
    this.#canSleep = canSleep(control.i32);
  }

  /** Becomes an agent, by a handle and in a thread; 0 is the handle of who has made the memory. Throws an `Error` when there are too many. */
  join(handle: number, thread: number): Member {
    const { i32, i64 } = this.#control;
    const number = this.#control.next(CONTROL.LAST_AGENT);
    const entry = BigInt(number) | (BigInt(handle) << 32n);
    for (let place = 0; place < MOST_AGENTS; place++) {
      if (Atomics.compareExchange(i64, (CONTROL.AGENTS >>> 3) + place, 0n, entry) !== 0n) continue;
      Atomics.store(i32, threadWordOf(place), thread);
      return { number, place };
    }
    throw new Error(
      `${MOST_AGENTS} kernels share these maps, and there can be no more: close some, and call reclaim() for threads that were terminated`,
    );
  }

  /** Whether an agent is still in the table, alive or not. */
  has({ number, place }: Member): boolean {
    return Math.abs(Atomics.load(this.#control.i32, wordOf(place))) === number;
  }

  /** Takes an agent out of the table, who holds nothing any more. */
  leave({ place }: Member): void {
    Atomics.store(this.#control.i32, threadWordOf(place), 0);
    Atomics.store(this.#control.i64, (CONTROL.AGENTS >>> 3) + place, 0n);
  }

  /** Notes that the agents made from a handle have ended. Answers who they were; some may have been told of before. */
  endHandle(handle: number): Member[] {
    return this.#end((place) => Atomics.load(this.#control.i32, wordOf(place) + 1) === handle);
  }

  /** Notes that the agents of a thread other than the main one have ended, as `endHandle` does. */
  endThread(thread: number): Member[] {
    return this.#end((place) => Atomics.load(this.#control.i32, threadWordOf(place)) === thread);
  }

  #end(hasEnded: (place: number) => boolean): Member[] {
    const { i32 } = this.#control;
    const ended: Member[] = [];
    for (let place = 0; place < MOST_AGENTS; place++) {
      const number = Atomics.load(i32, wordOf(place));
      if (number === 0 || !hasEnded(place)) continue;
      if (number > 0) Atomics.compareExchange(i32, wordOf(place), number, -number);
      ended.push({ number: Math.abs(number), place });
    }
    return ended;
  }

  /**
   * Waits a moment for an agent that holds a lock: see `Agent`. The main thread of a page must not sleep. Throws an `Error` that
   * says what to do when the lock is never let go.
   */
  waitFor(owner: number, attempt: number): boolean {
    if (attempt < SPINS) return false;
    if (attempt === SPINS) this.#waitsSince = performance.now();
    else if (performance.now() - this.#waitsSince > LONGEST_WAIT) throw new Error(NEVER_LET_GO);
    const naps = attempt - SPINS;
    if (naps % NAPS === NAPS - 1 && this.isDead(owner)) return true;
    const nap = Math.min(SHORTEST_NAP * 2 ** naps, LONGEST_NAP);
    if (this.#canSleep) Atomics.wait(this.#control.i32, CONTROL.NEVER >>> 2, 0, nap);
    return false;
  }

  /** Whether the agent of a number has left or been ended. */
  isDead(number: number): boolean {
    const { i32 } = this.#control;
    for (let place = 0; place < MOST_AGENTS; place++) if (Atomics.load(i32, wordOf(place)) === number) return false;
    return true;
  }
}

function wordOf(place: number): number {
  return (CONTROL.AGENTS >>> 2) + 2 * place;
}

function threadWordOf(place: number): number {
  return (CONTROL.THREADS >>> 2) + place;
}

function canSleep(i32: Int32Array): boolean {
  try {
    Atomics.wait(i32, CONTROL.NEVER >>> 2, 0, 0);
    return true;
  } catch {
    return false;
  }
}

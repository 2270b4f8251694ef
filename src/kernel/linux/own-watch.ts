import type { Libc } from "./libc.ts";
import { type Watch, watch } from "./loop-watch.ts";

/**
 * Those who wait for one fd that the event loop watches itself. A perf event forgets its news when it is asked for them
 * (`kernel/events/core.c: perf_poll`), and an epoll inside another asks more than once.
 */
export class OwnWatch {
  readonly #watch: Watch;
  readonly #waiting = new Set<() => void>();

  constructor(libc: Libc, fd: number) {
    this.#watch = watch(libc, fd, () => this.#tellAll());
  }

  /** Calls back at the next news, once and not at once; answers how to call it off. */
  whenReady(callback: () => void): () => void {
    let isOff = false;
    const tell = (): void => {
      if (!isOff) callback();
    };
    if (this.#waiting.size === 0) this.#watch.start();
    this.#waiting.add(tell);
    return () => {
      isOff = true;
      if (this.#waiting.delete(tell) && this.#waiting.size === 0) this.#watch.stop();
    };
  }

  /** There will never be news any more: whoever waits is told. Before the fd is closed. */
  close(): void {
    this.#tellAll();
    this.#watch.close();
  }

  /** There is news. */
  #tellAll(): void {
    if (this.#waiting.size === 0) return;
    this.#watch.stop();
    for (const callback of this.#waiting) queueMicrotask(callback);
    this.#waiting.clear();
  }
}

/**
 * Whether there is news of an fd for those who wait for it, as an edge-triggered `epoll(7)` tells it: news that nobody
 * waited for is kept until somebody asks, and told once.
 */
export class Readiness {
  readonly #waiting = new Set<() => void>();
  #hasNews: boolean;

  /** `hasNews`: whether there is something from the beginning. */
  constructor(hasNews: boolean) {
    this.#hasNews = hasNews;
  }

  /** Whether somebody waits now. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** There is news. Whoever waits is told when what runs now is done, not in the midst of it. */
  raise(): void {
    if (this.#waiting.size === 0) {
      this.#hasNews = true;
      return;
    }
    for (const callback of this.#waiting) queueMicrotask(callback);
    this.#waiting.clear();
  }

  /** Calls back at the next news, once; answers how to call it off. */
  whenReady(callback: () => void): () => void {
    let isOff = false;
    const tell = (): void => {
      if (!isOff) callback();
    };
    this.#waiting.add(tell);
    if (this.#hasNews) {
      this.#hasNews = false;
      this.raise();
    }
    return () => {
      isOff = true;
      this.#waiting.delete(tell);
    };
  }
}

import { Readiness } from "../readiness.ts";

/** Those who wait for news of a ring buffer, by the open file through which they do. */
export class RingWaiters {
  readonly #waiting = new Map<object, Readiness>();

  /** The news for one open file; `isReady` says whether there is some from the beginning. */
  readiness(file: object, isReady: () => boolean): Readiness {
    let readiness = this.#waiting.get(file);
    if (readiness === undefined) {
      readiness = this.makeReadiness(isReady());
      this.#waiting.set(file, readiness);
    }
    return readiness;
  }

  fileClosed(file: object): void {
    this.#waiting.get(file)?.raise();
    this.#waiting.delete(file);
  }

  /** Tells all: `bpf_ringbuf_notify`. */
  wake(): void {
    for (const readiness of this.#waiting.values()) readiness.raise();
  }

  /** Whether somebody waits now. */
  protected get isAwaited(): boolean {
    return [...this.#waiting.values()].some((readiness) => readiness.isAwaited);
  }

  /** Whether nobody has asked for news through a file that is open. */
  protected get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  protected makeReadiness(hasNews: boolean): Readiness {
    return new Readiness(hasNews);
  }
}

import type { OutputStream } from "../output/stream.ts";

/** A transfer that takes no longer than this shows nothing. */
const PATIENCE_MS = 1000;
const REFRESH_MS = 100;
const WIDTH = 24;

/** How far a transfer is, on one line of a terminal; nothing where there is none, or when it is quick. */
export class ProgressBar {
  readonly #stream: OutputStream;
  readonly #what: string;
  readonly #start: number;
  readonly #now: () => number;
  #next: number;
  #isShown = false;

  constructor(stream: OutputStream, what: string, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#what = what;
    this.#now = now;
    this.#start = now();
    this.#next = this.#start + PATIENCE_MS;
  }

  /** Shows so many entries, and what part of the whole that is, when it is known. */
  show(entries: number, part: number | undefined): void {
    if (!this.#stream.isTTY) return;
    const now = this.#now();
    if (now < this.#next) return;
    this.#next = now + REFRESH_MS;
    this.#isShown = true;
    const rate = Math.round(entries / ((now - this.#start) / 1000));
    const numbers = `${entries.toLocaleString("en")} entries  ${rate.toLocaleString("en")}/s`;
    const bar = part === undefined ? "" : `${String(Math.floor(part * 100)).padStart(3)}% ${barOf(part)} `;
    this.#stream.write(`\r${this.#what} ${bar}${numbers}\x1b[K`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown) this.#stream.write("\r\x1b[K");
  }
}

function barOf(part: number): string {
  const full = Math.min(WIDTH, Math.floor(part * WIDTH));
  return `${"█".repeat(full)}${"░".repeat(WIDTH - full)}`;
}

import { closeSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { type LockWord, lockWords, Segment } from "./segment-geometry.ts";

interface Watched {
  readonly fd: number;
  readonly words: readonly LockWord[];
  /** The first of these words, and the bytes from there to behind the last. */
  readonly first: number;
  readonly bytes: Int32Array;
}

interface Held extends LockWord {
  readonly of: Watched;
  readonly agent: number;
}

/** How many locks and shares of locks those who were killed had in their hands, and how many of them others have taken over. */
export interface HeldCount {
  readonly locks: number;
  readonly shares: number;
  readonly takenOver: number;
}

/** Looks into the files of maps for what those who were killed had in their hands: so that it is known that some had anything. */
export class HeldLocks {
  readonly #watched: readonly Watched[];
  readonly #held: Held[] = [];

  constructor(directory: string, names: readonly string[]) {
    this.#watched = names
      .map((name) => ({ path: join(directory, name), words: lockWords(new Segment(join(directory, name))) }))
      .filter(({ words }) => words.length > 0)
      .map(({ path, words }) => {
        const numbers = words.map(({ word }) => word);
        const first = Math.min(...numbers);
        return { fd: openSync(path, "r"), words, first, bytes: new Int32Array(Math.max(...numbers) + 1 - first) };
      });
  }

  close(): void {
    for (const { fd } of this.#watched) closeSync(fd);
  }

  /** Notes what is still in the hands of agents that have just died. What others were quicker to take over is not known. */
  note(agents: readonly number[]): void {
    for (const of of this.#watched) {
      readSync(of.fd, of.bytes, 0, of.bytes.byteLength, of.first * 4);
      for (const lock of of.words) {
        const agent = of.bytes[lock.word - of.first] as number;
        if (agents.includes(agent)) this.#held.push({ ...lock, of, agent });
      }
    }
  }

  count(): HeldCount {
    const locks = this.#held.filter(({ kind }) => kind === "lock").length;
    const word = new Int32Array(1);
    const takenOver = this.#held.filter(({ of, word: at, agent }) => {
      readSync(of.fd, word, 0, 4, at * 4);
      return word[0] !== agent;
    });
    return { locks, shares: this.#held.length - locks, takenOver: takenOver.length };
  }
}

/** The agents of a process that lives, by the files that it has open; none where the system does not tell. */
export function agentsOf(pid: number): number[] {
  const folder = `/proc/${pid}/fd`;
  const agents: number[] = [];
  try {
    for (const fd of readdirSync(folder)) {
      const [, number] = /\/\.mapiary\/agents\/(\d+)$/.exec(readlinkSync(`${folder}/${fd}`)) ?? [];
      if (number !== undefined) agents.push(Number(number));
    }
  } catch {
    // It closes files, or has no such folder.
  }
  return agents;
}

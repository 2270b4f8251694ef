import { createHash } from "node:crypto";
import fs, { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path, { join } from "node:path";
import { makeDirectories } from "../../kernel/directory/make-directories.ts";
import { CliError } from "../cli-error.ts";
import type { Session } from "../session.ts";

/** How far a transfer has come. */
export interface Progress {
  /** Entries that are done. */
  readonly entries: number;
  /** Bytes of the file that are done. */
  readonly offset?: number;
  /** The last bytes before `offset`, to know the file again. */
  readonly tail?: string;
  /** The lines of the file that are done. */
  readonly lines?: number;
  /** The first line of a CSV file. */
  readonly header?: string;
  /** Where the source map goes on, in its kernel's terms. */
  readonly cursor?: string;
}

/**
 * What keeps how far a transfer has come, so that another run can go on there: a small file in the user's state
 * directory. It is replaced as a whole after each batch that the kernel has taken, and goes when all is done. A process
 * that is killed leaves what was true after the last batch.
 */
export class Journal {
  readonly #path: string;

  /** `names` say which transfer it is: the same again has the same journal. */
  constructor({ world }: Session, names: readonly string[]) {
    const state = world.env["XDG_STATE_HOME"] ?? join(world.env["HOME"] ?? homedir(), ".local/state");
    const digest = createHash("sha256").update(JSON.stringify(names)).digest("hex");
    this.#path = join(state, "mapiary", `${digest.slice(0, 32)}.json`);
  }

  /** How far the last run came that did not end; `undefined` when there was none. */
  read(): Progress | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, "utf8")) as Progress;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new CliError(`can't read ${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }

  write(progress: Progress): void {
    this.#change(() => this.#replace(progress));
  }

  /** Forgets it: the transfer is done, or begins anew. */
  clear(): void {
    this.#change(() => rmSync(this.#path, { force: true }));
  }

  #change(action: () => void): void {
    try {
      action();
    } catch (error) {
      const hint = "It says how far a transfer is, for --resume; XDG_STATE_HOME names another directory for it.";
      throw new CliError(`can't write ${this.#path}: ${(error as Error).message}`, { hint, cause: error });
    }
  }

  #replace(progress: Progress): void {
    const next = `${this.#path}.next`;
    try {
      writeFileSync(next, JSON.stringify(progress));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      makeDirectories({ fs, path }, path.dirname(this.#path));
      writeFileSync(next, JSON.stringify(progress));
    }
    renameSync(next, this.#path);
  }
}

/** How much of what lies before an offset is kept. */
export const TAIL = 4096;

/** What a journal keeps of the bytes before an offset. */
export function tailOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(Math.max(0, bytes.length - TAIL))).toString("base64");
}

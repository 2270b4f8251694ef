import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";

/**
 * A file for what does not fit into memory. It loses its name as soon as it is open, so that it is gone with the process,
 * whatever ends it.
 */
export class SpillFile implements Disposable {
  readonly #fd: number;
  #size = 0;

  constructor() {
    this.#fd = inTemporaryFiles(() => {
      const directory = mkdtempSync(join(tmpdir(), "mapiary-"));
      try {
        return openSync(join(directory, "entries"), "wx+", 0o600);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }

  /** Where the next bytes will lie. */
  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    inTemporaryFiles(() => {
      for (let done = 0; done < bytes.length; ) {
        const written = writeSync(this.#fd, bytes, done, bytes.length - done, this.#size);
        done += written;
        this.#size += written;
      }
    });
  }

  /** Fills `bytes` with what lies at an offset, as far as there is anything; answers how much that is. */
  read(offset: number, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      const length = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      if (length === 0) break;
      done += length;
    }
    return done;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function inTemporaryFiles<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const hint = "A map that is sorted needs room for its entries there; TMPDIR names another directory.";
    throw new CliError(`can't write to ${tmpdir()}: ${(error as Error).message}`, { hint, cause: error });
  }
}

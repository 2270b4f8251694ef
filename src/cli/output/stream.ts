import { writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Where a command writes: standard output or error, or what a test has in their place. */
export interface OutputStream {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  /** Writes text. Throws a `ClosedPipe` when nobody reads it any more. */
  write(text: string): void;
}

/** Nobody reads the output any more: `mapiary … | head`. */
export class ClosedPipe extends Error {
  override readonly name = "ClosedPipe";
}

/**
 * One of the process's own streams. Node's own object for it, which takes a tenth of the process's start to make, is asked
 * for the size of a terminal alone.
 */
export function processStream(fd: 1 | 2, stream: () => { columns?: number; rows?: number }): OutputStream {
  return {
    isTTY: isatty(fd),
    get columns() {
      return stream().columns ?? 80;
    },
    get rows() {
      return stream().rows ?? 24;
    },
    write: (text) => writeWhole(fd, Buffer.from(text)),
  };
}

/** How long to wait for a reader of a full pipe that does not block, in milliseconds. */
const PATIENCE = 1;

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" || code === "EBADF") throw new ClosedPipe("nobody reads the output", { cause: error });
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PATIENCE);
    }
  }
}

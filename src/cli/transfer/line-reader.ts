import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CliError } from "../cli-error.ts";

/** About so many bytes are read at once. */
const PIECE = 1 << 17;
const NEWLINE = 0x0a;

/** Lines of a text that belong together: they are read, and are done, at once. */
export interface Lines {
  /** Each is made when it is asked for, and is garbage soon. */
  readonly lines: Iterable<string>;
  /** The bytes of the text up to and with the last of them. */
  readonly end: number;
  /** All of them, until the next ones are read. */
  readonly bytes: Uint8Array;
}

/** A text that is read from its beginning, or from an offset on. */
export interface TextSource {
  /** How many bytes it has, as far as that can be known. */
  readonly size: number | undefined;
  /** Reads the next bytes; 0 of them at the end. */
  read(bytes: Uint8Array): number;
  /** Goes on at an offset, and answers the last bytes before it, at most as many as given. */
  skip(offset: number, kept: number): Uint8Array;
  close(): void;
}

/** A file, or standard input for `-`. Throws a `CliError` when there is none. */
export function openSource(path: string): TextSource {
  const fd = path === "-" ? 0 : openFile(path);
  const stat = fstatSync(fd);
  let position: number | null = stat.isFile() && path !== "-" ? 0 : null;
  const read = (bytes: Uint8Array): number => {
    const length = readPatiently(fd, bytes, position);
    if (position !== null) position += length;
    return length;
  };
  return {
    size: stat.isFile() ? stat.size : undefined,
    read,
    skip(offset, kept) {
      if (position === null) return discard(read, offset, kept);
      position = Math.max(0, offset - kept);
      return discard(read, offset - position, kept);
    },
    close: () => {
      if (fd !== 0) closeSync(fd);
    },
  };
}

/** Reads so many bytes, and answers the last of them. */
function discard(read: TextSource["read"], count: number, kept: number): Uint8Array {
  let tail = Buffer.alloc(0);
  for (let left = count; left > 0; ) {
    const bytes = Buffer.alloc(Math.min(left, PIECE));
    const length = read(bytes);
    if (length === 0) break;
    left -= length;
    tail = Buffer.concat([tail, bytes.subarray(0, length)]);
    tail = Buffer.from(tail.subarray(Math.max(0, tail.length - kept)));
  }
  return tail;
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(`can't open ${path}: ${code === "ENOENT" ? "No such file or directory" : message}`, {
      cause: error,
    });
  }
}

/** A pipe that does not block answers EAGAIN while nothing is in it. */
function readPatiently(fd: number, bytes: Uint8Array, position: number | null): number {
  for (;;) {
    try {
      return readSync(fd, bytes, 0, bytes.length, position);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** The lines of a text from an offset on, some hundred thousand bytes at once; a last line needs no newline. */
export function* readLines(source: TextSource, offset: number): Generator<Lines> {
  let piece = Buffer.alloc(PIECE);
  /** Of a line whose end is not there yet. */
  let kept = 0;
  let end = offset;
  for (;;) {
    if (kept === piece.length) piece = Buffer.concat([piece], 2 * piece.length);
    const length = source.read(piece.subarray(kept));
    const filled = kept + length;
    const isLast = length === 0;
    const whole = isLast ? filled : wholeLines(piece, kept, filled);
    if (whole > 0) {
      end += whole;
      const bytes = piece.subarray(0, whole);
      yield { lines: linesOf(bytes), end, bytes };
    }
    if (isLast) return;
    piece.copyWithin(0, whole, filled);
    kept = filled - whole;
  }
}

/** How many bytes belong to whole lines, when no line ends before `from`. */
function wholeLines(bytes: Buffer, from: number, end: number): number {
  const newline = bytes.subarray(from, end).lastIndexOf(NEWLINE);
  return newline === -1 ? 0 : from + newline + 1;
}

function* linesOf(bytes: Buffer): Generator<string> {
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 ? bytes.length : newline;
    yield bytes.toString("utf8", at, end);
    at = end + 1;
  }
}

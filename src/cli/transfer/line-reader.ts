import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { CliError } from "../cli-error.ts";

/** About so many bytes are read at once. */
const PIECE = 1 << 17;
const NEWLINE = 0x0a;

/** Lines of a text that belong together: they are read, and are done, at once. */
export interface Lines {
  readonly lines: readonly string[];
  /** The bytes of the text up to and with the last of them. */
  readonly end: number;
  /** The last bytes of them, by which a later run knows the text again. */
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
  let rest = Buffer.alloc(0);
  let end = offset;
  const piece = Buffer.alloc(PIECE);
  for (;;) {
    const length = source.read(piece);
    const bytes = Buffer.concat([rest, piece.subarray(0, length)]);
    const isLast = length === 0;
    const whole = isLast ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    if (whole > 0) {
      end += whole;
      yield { lines: linesOf(bytes.toString("utf8", 0, whole)), end, bytes: bytes.subarray(0, whole) };
    }
    if (isLast) return;
    rest = Buffer.from(bytes.subarray(whole));
  }
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

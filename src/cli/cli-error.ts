import { errnoCode, errnoDescription } from "../abi/errno.ts";

/** What bpftool ends with when it was called wrongly: −1, as a shell sees it. */
const FAILED = 255;

/** The number of an error that Linux keeps to itself, which has no words in C. */
const ENOTSUPP = 524;

/** What else a refusal says. */
export interface CliErrorOptions {
  /** What to do about it, in a sentence or two. */
  readonly hint?: string | undefined;
  /** What the process ends with. */
  readonly exitCode?: number;
  /** The error of the kernel, `−errno`. Then `exitCode` follows from it, as bpftool's does. */
  readonly errno?: number;
  readonly cause?: unknown;
}

/**
 * Why a command line is not done, for the person who wrote it. The message is in bpftool's words where bpftool refuses
 * the same; the hint is what mapiary knows beyond that.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly hint: string | undefined;
  readonly exitCode: number;
  /** The name of the kernel's error, when a kernel refused. */
  readonly code: string | undefined;

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, { cause: options.cause });
    const { errno } = options;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? (errno === undefined ? FAILED : exitCodeOf(errno));
    this.code = errno === undefined ? undefined : errnoCode(errno);
  }
}

/** The words of C's `strerror` for an error number of either sign. */
export function strerror(errno: number): string {
  const number = Math.abs(errno);
  const description = errnoDescription(number);
  if (number === ENOTSUPP || description === "unknown error") return `Unknown error ${number}`;
  return description.charAt(0).toUpperCase() + description.slice(1);
}

/** `exit(−errno)` as a shell sees it: a byte. */
function exitCodeOf(errno: number): number {
  return -Math.abs(errno) & 0xff;
}

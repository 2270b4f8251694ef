import { COMMAND_NAMES } from "../abi/commands.ts";
import { errnoCode } from "../abi/errno.ts";
import { diagnose, type Failure } from "./diagnosis.ts";

/**
 * A command that a kernel refused, shaped like Node's own system errors. The message names the actual mistake and what
 * to do about it, found out when the command had failed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { BpfError, embedded, u32 } from "mapiary";
 *
 * using bpf = embedded();
 * using hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u32, maxEntries: 1 });
 * hits.set(1, 1);
 * try {
 *   hits.set(2, 1);
 * } catch (error) {
 *   assert(error instanceof BpfError);
 *   assert.equal(error.code, "E2BIG");
 *   assert.equal(error.errno, -7);
 *   assert.equal(error.command, "BPF_MAP_UPDATE_ELEM");
 *   assert.equal(error.map, "hits");
 * }
 * ```
 */
export class BpfError extends Error {
  override readonly name = "BpfError";
  /** The name of the error: `"E2BIG"`. */
  readonly code: string;
  /** The error as the system call answered it: `−7`. */
  readonly errno: number;
  /** Always `"bpf"`, but for pins that are removed and directories, which are other system calls. */
  readonly syscall: string;
  /** The command that failed: `"BPF_MAP_UPDATE_ELEM"`. */
  readonly command: string;
  /** The name of the map, when there is one. */
  readonly map: string | undefined;
  /** The name of the program, when there is one. */
  readonly program: string | undefined;
  /** What the verifier said of the program, when it was asked. */
  readonly log: string | undefined;
  /** The path, when the command had one. */
  readonly path: string | undefined;
  /** How many entries a batch had done when it failed. */
  readonly count: number | undefined;

  /** The error for a command that failed; what is wrong with it is asked of its kernel now. */
  constructor(failure: Failure) {
    super(`${failureName(failure)}: ${errnoCode(failure.errno)}: ${diagnose(failure)}`);
    this.code = errnoCode(failure.errno);
    this.errno = failure.errno;
    this.syscall = typeof failure.command === "number" ? "bpf" : failure.command;
    this.command = failureName(failure);
    this.map = failure.map;
    this.program = failure.program;
    this.log = failure.log;
    this.path = failure.path;
    this.count = failure.count;
  }
}

function failureName({ command }: Failure): string {
  return typeof command === "number" ? (COMMAND_NAMES[command] ?? `command ${command}`) : command;
}

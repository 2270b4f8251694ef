import { errnoDescription } from "../abi/errno.ts";
import type { MapCreateOptions, Sys } from "./sys.ts";

/** A command that failed, and what is known of it above `sys`: what a diagnosis starts from. */
export interface Failure {
  /** The kernel's commands, for questions. */
  readonly sys: Sys;
  /** The number of a `bpf(2)` command, or the name of another system call. */
  readonly command: number | "unlink" | "mkdir" | "rmdir" | "readdir" | "mmap";
  /** `−errno`. */
  readonly errno: number;
  /** The name of the map. */
  readonly map?: string | undefined;
  /** The fd that was used. */
  readonly fd?: number | undefined;
  /** What BPF_MAP_CREATE was given. */
  readonly create?: MapCreateOptions | undefined;
  /** Flags of the element command or of opening. */
  readonly flags?: number | undefined;
  /** The key, for people. */
  readonly key?: string | undefined;
  /** The key, for the kernel. */
  readonly keyBytes?: Uint8Array | undefined;
  readonly path?: string | undefined;
  readonly id?: number | undefined;
  /** How many entries a batch had done. */
  readonly count?: number | undefined;
}

/** What went wrong and what to do about it, in a sentence. */
export function diagnose(failure: Failure): string {
  return errnoDescription(failure.errno);
}

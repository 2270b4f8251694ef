import type { Kernel } from "../kernel/kernel.ts";
import { BpfError } from "../sys/bpf-error.ts";
import type { Failure } from "../sys/diagnosis.ts";
import type { Sys } from "../sys/sys.ts";

/**
 * The BPF filesystem of a kernel, where pins live: usually below `/sys/fs/bpf`, and there alone on the embedded kernel.
 * Every method throws a `BpfError` with the code that the system call gives: `ENOENT`, `EEXIST`, `ENOTEMPTY`, `EPERM` …
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { embedded, u32 } from "mapiary";
 *
 * using bpf = embedded();
 * using map = bpf.createMap({ type: "array", value: u32, maxEntries: 1 });
 * bpf.bpffs.mkdir("/sys/fs/bpf/app");
 * map.pin("/sys/fs/bpf/app/config");
 * assert.deepEqual(bpf.bpffs.readdir("/sys/fs/bpf/app"), ["config"]);
 * ```
 *
 * Source: `kernel/bpf/inode.c`, Linux 6.18.
 */
export class Bpffs {
  readonly #kernel: Kernel;
  readonly #sys: Sys;

  /** @internal */
  constructor(kernel: Kernel, sys: Sys) {
    this.#kernel = kernel;
    this.#sys = sys;
  }

  /** Makes a directory, whose parent must be there. */
  mkdir(path: string): void {
    this.#check("mkdir", path, this.#kernel.mkdir(path));
  }

  /** Removes an empty directory. */
  rmdir(path: string): void {
    this.#check("rmdir", path, this.#kernel.rmdir(path));
  }

  /** Removes a pin. What it named lives on while something else refers to it. */
  unlink(path: string): void {
    this.#check("unlink", path, this.#kernel.unlink(path));
  }

  /** The names in a directory, sorted. */
  readdir(path: string): string[] {
    const names = this.#kernel.readdir(path);
    if (typeof names === "number") throw this.#failure("readdir", names, path);
    return names;
  }

  #check(command: "mkdir" | "rmdir" | "unlink", path: string, result: number): void {
    if (result < 0) throw this.#failure(command, result, path);
  }

  #failure(command: Failure["command"], errno: number, path: string): BpfError {
    return new BpfError({ kernel: this.#kernel, sys: this.#sys, command, errno, path });
  }
}

import { attrUse } from "../../src/abi/attr-pointers.ts";
import {
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_PIN,
  COMMAND_NAMES,
} from "../../src/abi/commands.ts";
import type { Address } from "../../src/memory/address-space.ts";
import { DelegatingKernel } from "../delegating-kernel.ts";

const CHANGES: ReadonlySet<number> = new Set([
  BPF_MAP_UPDATE_ELEM,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_FREEZE,
  BPF_OBJ_PIN,
]);

/** A kernel that remembers what was opened and changed on it after the first call that it refused. */
export class WatchedKernel extends DelegatingKernel {
  readonly #opened = new Set<number>();
  readonly #changes: string[] = [];
  #hasRefused = false;

  /** What is open that was opened since the first refusal, and what was changed. */
  leftBehind(): string[] {
    return [...this.#changes, ...[...this.#opened].map((fd) => `fd ${fd}`)];
  }

  override bpf(cmd: number, attr: Address, size: number): number {
    const result = this.#note(
      COMMAND_NAMES[cmd] ?? `command ${cmd}`,
      CHANGES.has(cmd),
      this.kernel.bpf(cmd, attr, size),
    );
    if (result >= 0 && this.#hasRefused && attrUse(cmd, this.memory.view)?.opensFd) this.#opened.add(result);
    return result;
  }

  override close(fd: number): number {
    this.#opened.delete(fd);
    return this.kernel.close(fd);
  }

  override mmap(fd: number, length: number, protection: number, offset: number): Address {
    return this.#note("mmap", true, this.kernel.mmap(fd, length, protection, offset));
  }

  override mkdir(path: string): number {
    return this.#note("mkdir", true, this.kernel.mkdir(path));
  }

  override rmdir(path: string): number {
    return this.#note("rmdir", true, this.kernel.rmdir(path));
  }

  override unlink(path: string): number {
    return this.#note("unlink", true, this.kernel.unlink(path));
  }

  override readdir(path: string): string[] | number {
    const names = this.kernel.readdir(path);
    this.#note("readdir", false, typeof names === "number" ? names : 0);
    return names;
  }

  #note(call: string, isChange: boolean, result: number): number {
    if (result < 0) this.#hasRefused = true;
    else if (isChange && this.#hasRefused) this.#changes.push(call);
    return result;
  }
}

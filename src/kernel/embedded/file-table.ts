import { EBADF, EINVAL } from "../../abi/errno.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "../../abi/flags.ts";
import type { KernelObject } from "./kernel-object.ts";
import type { EmbeddedMap } from "./map-ops.ts";

/** An open file: an object of the kernel as one fd refers to it. */
export class OpenFile {
  readonly object: KernelObject;
  /** False once its fd is closed. */
  isOpen = true;

  constructor(object: KernelObject) {
    this.object = object;
  }
}

/** A map as one fd may use it. */
export class MapFile extends OpenFile {
  readonly map: EmbeddedMap;
  readonly canRead: boolean;
  readonly canWrite: boolean;

  /** `flags` may have BPF_F_RDONLY or BPF_F_WRONLY, not both. */
  constructor(map: EmbeddedMap, flags: number) {
    super(map);
    this.map = map;
    this.canRead = (flags & BPF_F_WRONLY) === 0;
    this.canWrite = (flags & BPF_F_RDONLY) === 0;
  }
}

/** The first fd: below it lie the three that every process begins with. */
const FIRST_FD = 3;

/** The file descriptors of one kernel: small numbers, the lowest free one first, as POSIX has it. */
export class FileTable {
  readonly #files: (OpenFile | undefined)[] = [undefined, undefined, undefined];
  #lowest = FIRST_FD;

  /** The file of an fd; `undefined` when it is not open, or one of the standard streams. */
  file(fd: number): OpenFile | undefined {
    return this.#files[fd];
  }

  /** The map of an fd; `undefined` when it is not open, or open as something else. */
  map(fd: number): MapFile | undefined {
    const file = this.#files[fd];
    return file instanceof MapFile ? file : undefined;
  }

  /** Whether an fd is open, as an object of the kernel or as one of the standard streams. */
  isOpen(fd: number): boolean {
    return this.#files[fd] !== undefined || (fd >= 0 && fd < FIRST_FD);
  }

  /** What a command answers for an fd that is not what it asks for: open as something else, or not open at all. */
  refusal(fd: number): number {
    return this.isOpen(fd) ? -EINVAL : -EBADF;
  }

  open(file: OpenFile): number {
    const fd = this.#lowest;
    this.#files[fd] = file;
    let next = fd + 1;
    while (this.#files[next] !== undefined) next++;
    this.#lowest = next;
    return fd;
  }

  /** Takes the file of an fd out of the table; `undefined` when it is not open. */
  close(fd: number): OpenFile | undefined {
    const file = this.#files[fd];
    if (file === undefined) return undefined;
    this.#files[fd] = undefined;
    file.isOpen = false;
    this.#lowest = Math.min(this.#lowest, fd);
    return file;
  }

  /** Every fd that is open. */
  fds(): number[] {
    return [...this.#files.keys()].filter((fd) => this.#files[fd] !== undefined);
  }
}

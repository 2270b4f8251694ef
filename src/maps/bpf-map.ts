import { BPF_MAP_FREEZE, BPF_OBJ_GET_INFO_BY_FD, BPF_OBJ_PIN } from "../abi/commands.ts";
import { EBADF } from "../abi/errno.ts";
import type { MapTypeName } from "../abi/map-types.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { INSPECT, type Inspect, inspected } from "../layout/inspect.ts";
import type { Layout } from "../layout/layout.ts";
import { BpfError } from "../sys/bpf-error.ts";
import type { Failure } from "../sys/diagnosis.ts";
import type { MapInfo } from "../sys/map-info.ts";
import type { MapContext } from "./map-context.ts";

/** What every typed map is made of besides its fd. */
export interface MapParts<V> {
  readonly context: MapContext;
  readonly info: MapInfo;
  readonly value: Layout<V>;
  readonly pinnedAt?: string | undefined;
}

/**
 * What all typed maps have: an fd that they own, and what concerns the map and not its elements. The fd is closed by
 * `close`, by `using`, and at the latest when the object is collected; the map lives on while a pin, another fd or a
 * program refers to it.
 */
export abstract class BpfMap {
  /** bpftool's name of the map's type. */
  readonly type: MapTypeName;
  /** The map's name as its kernel keeps it: at most 15 bytes; empty when it has none. */
  readonly name: string;
  /** The kernel's number for the map, by which `bpf.mapById` opens it. */
  readonly id: number;
  readonly maxEntries: number;
  /** Bytes of a key, as its kernel has it. */
  readonly keySize: number;
  /** Bytes of a value, as its kernel has it. */
  readonly valueSize: number;
  /** @internal */
  protected readonly context: MapContext;
  #fd: number;
  #pinnedAt: string | undefined;

  /** @internal Takes over an fd, and memory of the address space that is released with it. */
  constructor(context: MapContext, fd: number, info: MapInfo, memory: number, pinnedAt: string | undefined) {
    this.context = context;
    this.type = info.type as MapTypeName;
    this.name = info.name;
    this.id = info.id;
    this.maxEntries = info.maxEntries;
    this.keySize = info.keySize;
    this.valueSize = info.valueSize;
    this.#fd = fd;
    this.#pinnedAt = pinnedAt;
    context.own(this, { fd, memory });
    this.#memory = memory;
  }

  readonly #memory: number;

  /** The map's file descriptor, for `bpf.sys` and for other maps and programs; −1 once it is closed. It stays this object's to close. */
  get fd(): number {
    return this.#fd;
  }

  /** What the kernel says of the map now. Throws a `BpfError` when it is closed. */
  info(): MapInfo {
    this.#assertFd(BPF_OBJ_GET_INFO_BY_FD);
    const info = this.context.sys.objGetInfoByFd(this.#fd);
    if (typeof info === "number") throw this.failure(BPF_OBJ_GET_INFO_BY_FD, info);
    return info;
  }

  /**
   * Makes the map read-only for user space, for good; programs may still write it. Throws a `BpfError`: `EPERM` when it
   * is frozen already or was opened read-only, `EBUSY` while it is mapped for writing.
   */
  freeze(): void {
    this.#assertFd(BPF_MAP_FREEZE);
    const result = this.context.sys.mapFreeze(this.#fd);
    if (result < 0) throw this.failure(BPF_MAP_FREEZE, result);
  }

  /**
   * Gives the map a name in a BPF filesystem, usually below `/sys/fs/bpf`, under which `bpf.openMap` finds it and which
   * keeps it alive. Throws a `BpfError`: `EEXIST` when the name is taken, `ENOENT` when its directory is missing,
   * `EPERM` for a name with a dot and for a path outside a BPF filesystem.
   */
  pin(path: string): void {
    this.#assertFd(BPF_OBJ_PIN);
    const result = this.context.sys.objPin(this.#fd, path);
    if (result < 0) throw this.failure(BPF_OBJ_PIN, result, { path });
    this.#pinnedAt = path;
  }

  /**
   * Takes a pin away: the one at `path`, or the last one that `pin` made or `openMap` opened. The map lives on while this
   * object or another refers to it. Throws a `BpfError`, `ENOENT` when there is none, and a `TypeError` when no path is known.
   */
  unpin(path: string | undefined = this.#pinnedAt): void {
    if (path === undefined)
      throw new TypeError(`map ${this.label} was not pinned by this object: say which path to unpin`);
    const result = this.context.kernel.unlink(path);
    if (result < 0) throw this.failure("unlink", result, { path });
    if (path === this.#pinnedAt) this.#pinnedAt = undefined;
  }

  /**
   * Closes the fd. A second time does nothing; every other method but `unpin` then throws a `BpfError` with the code
   * `EBADF`.
   */
  close(): void {
    if (this.#fd < 0) return;
    this.context.disown(this);
    const resources = { fd: this.#fd, memory: this.#memory };
    this.#fd = -1;
    this.closed();
    this.context.release(resources);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal What `console.log` shows: what the map is, and no element of it, for that would ask the kernel. */
  [INSPECT](_depth: number, options: object, inspect: Inspect): string {
    return inspected(this, this.described(), options, inspect);
  }

  /** @internal What the map is, to be shown. */
  protected described(): Record<string, unknown> {
    const { name, id, type, maxEntries } = this;
    return { name, id, type, maxEntries, ...(this.#fd < 0 ? { closed: true } : {}) };
  }

  /** @internal Whether the map is one of a kernel. */
  isOn(kernel: Kernel): boolean {
    return this.context.kernel === kernel;
  }

  /** @internal The memory of the map's commands is about to be released: forget it. */
  protected closed(): void {}

  /** @internal How a person knows the map: its name, or its id. */
  protected get label(): string {
    return this.name === "" ? `#${this.id}` : this.name;
  }

  /** @internal The error for a command of this map that failed. */
  protected failure(
    command: Failure["command"],
    errno: number,
    details: Omit<Partial<Failure>, "kernel" | "sys" | "command" | "errno" | "fd" | "map"> = {},
  ): BpfError {
    const { kernel, sys } = this.context;
    return new BpfError({ kernel, sys, command, errno, fd: this.#fd, map: this.label, ...details });
  }

  /** @internal The error for a command on a map that is closed. */
  protected closedError(command: number): BpfError {
    return this.failure(command, -EBADF);
  }

  /** What Linux says of an fd that is none depends on the command; of a map that is closed we say the same in all. */
  #assertFd(command: number): void {
    if (this.#fd < 0) throw this.closedError(command);
  }
}

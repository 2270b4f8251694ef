import { ENOENT, ENOTEMPTY } from "../../abi/errno.ts";
import type { KernelObject } from "./kernel-object.ts";

/** A name in a BPF filesystem that keeps an object alive. */
export interface Pin {
  /** The object, or `−errno` when it cannot be had. */
  open(): KernelObject | number;
}

/**
 * A directory of a BPF filesystem, as whatever keeps it sees it. Names are single, not empty, and neither `.` nor `..`;
 * whether they are allowed is the caller's to know.
 */
export abstract class Directory {
  readonly parent: Directory | undefined;
  /** False for the directories outside the BPF filesystem, which take nothing. */
  readonly isBpf: boolean;

  constructor(parent: Directory | undefined, isBpf: boolean) {
    this.parent = parent;
    this.isBpf = isBpf;
  }

  /** What a name stands for, or `−errno`. */
  abstract find(name: string): Directory | Pin | number;
  /** The names that there are, in any order, or `−errno`. */
  abstract names(): string[] | number;
  /** Gives an object a name, which keeps it alive. */
  abstract pin(name: string, object: KernelObject): number;
  /** Takes a pin away, and with it the object when nothing else refers to it. */
  abstract unpin(name: string): number;
  abstract makeDirectory(name: string): number;
  /** Removes a directory that is empty; `−ENOTEMPTY` when it is not. */
  abstract removeDirectory(name: string): number;
}

/** A directory in the memory of one kernel, which goes with it. */
export class MemoryDirectory extends Directory {
  readonly #entries = new Map<string, MemoryDirectory | (Pin & { readonly object: KernelObject })>();
  readonly #put: (object: KernelObject) => void;

  /** `put` drops the reference by which a pin has kept an object. */
  constructor(parent: Directory | undefined, isBpf: boolean, put: (object: KernelObject) => void) {
    super(parent, isBpf);
    this.#put = put;
  }

  find(name: string): Directory | Pin | number {
    return this.#entries.get(name) ?? -ENOENT;
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  pin(name: string, object: KernelObject): number {
    object.references++;
    this.#entries.set(name, { object, open: () => object });
    return 0;
  }

  unpin(name: string): number {
    const pin = this.#entries.get(name);
    if (pin === undefined || pin instanceof Directory) return -ENOENT;
    this.#entries.delete(name);
    this.#put(pin.object);
    return 0;
  }

  makeDirectory(name: string): number {
    this.#entries.set(name, new MemoryDirectory(this, true, this.#put));
    return 0;
  }

  removeDirectory(name: string): number {
    const directory = this.#entries.get(name);
    if (!(directory instanceof MemoryDirectory)) return -ENOENT;
    if (directory.#entries.size > 0) return -ENOTEMPTY;
    this.#entries.delete(name);
    return 0;
  }
}

/** A directory whose entries are what they are: those of a Linux outside the BPF filesystem. */
export class FixedDirectory extends Directory {
  readonly #entries: Map<string, Directory>;

  constructor(parent: Directory | undefined, entries: Map<string, Directory> = new Map()) {
    super(parent, false);
    this.#entries = entries;
  }

  find(name: string): Directory | number {
    return this.#entries.get(name) ?? -ENOENT;
  }

  names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Puts a directory here while the tree is being made. */
  add(name: string, directory: Directory): void {
    this.#entries.set(name, directory);
  }

  pin(): number {
    return -ENOENT;
  }

  unpin(): number {
    return -ENOENT;
  }

  makeDirectory(): number {
    return -ENOENT;
  }

  removeDirectory(): number {
    return -ENOENT;
  }
}

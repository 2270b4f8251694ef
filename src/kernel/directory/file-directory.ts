import { EACCES, ENOTSUP } from "../../abi/errno.ts";
import { Directory, type Pin } from "../embedded/bpffs-directory.ts";
import type { KernelObject } from "../embedded/kernel-object.ts";
import { EmbeddedMap } from "../embedded/map-ops.ts";
import type { DirectoryMaps } from "./directory-maps.ts";
import { attempt, errorOf, type System } from "./system.ts";

/** A directory of a BPF filesystem that is one of the system's: pins are files, or rather further names of the files of maps. */
export class FileDirectory extends Directory {
  readonly #system: System;
  readonly #maps: DirectoryMaps;
  readonly #path: string;

  constructor(parent: Directory | undefined, system: System, maps: DirectoryMaps, path: string) {
    super(parent, true);
    this.#system = system;
    this.#maps = maps;
    this.#path = path;
  }

  find(name: string): Directory | Pin | number {
    const path = this.#pathOf(name);
    const status = attempt(() => this.#system.fs.lstatSync(path));
    if (typeof status === "number") return status;
    if (status.isDirectory()) return new FileDirectory(this, this.#system, this.#maps, path);
    return { open: () => (status.isFile() ? this.#maps.open(path) : -EACCES) };
  }

  /** The names that programs can see, which have no dots. */
  names(): string[] | number {
    const names = attempt(() => this.#system.fs.readdirSync(this.#path));
    return typeof names === "number" ? names : names.filter((name) => !name.includes("."));
  }

  /** Programs live in the memory of one process, and nothing of them in files. */
  pin(name: string, object: KernelObject): number {
    return object instanceof EmbeddedMap ? this.#maps.link(object, this.#pathOf(name)) : -ENOTSUP;
  }

  unpin(name: string): number {
    return this.#maps.unlink(this.#pathOf(name));
  }

  makeDirectory(name: string): number {
    return errorOf(() => this.#system.fs.mkdirSync(this.#pathOf(name), { mode: 0o700 }));
  }

  removeDirectory(name: string): number {
    return errorOf(() => this.#system.fs.rmdirSync(this.#pathOf(name)));
  }

  #pathOf(name: string): string {
    return `${this.#path}/${name}`;
  }
}

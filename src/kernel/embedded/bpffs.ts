import { EACCES, EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../abi/errno.ts";
import type { KernelObject } from "./kernel-object.ts";

/** Where programs find the BPF filesystem, on every system. */
const MOUNT_POINT = ["sys", "fs", "bpf"];
/** The other directories that every Linux has, hier(7): nothing is in them, and nothing gets in. */
const ELSEWHERE = "bin boot dev etc home lib media mnt opt proc root run sbin srv tmp usr var".split(" ");
const NAME_MAX = 255;

class Directory {
  readonly parent: Directory | undefined;
  readonly entries = new Map<string, Directory | KernelObject>();
  /** False for the directories outside the BPF filesystem, which take nothing. */
  readonly isBpf: boolean;

  constructor(parent: Directory | undefined, isBpf: boolean) {
    this.parent = parent;
    this.isBpf = isBpf;
  }
}

/** A path walked to its last name: the directory that has or may get it. */
interface Place {
  readonly directory: Directory;
  readonly name: string;
  readonly hasTrailingSlash: boolean;
}

/**
 * The BPF filesystem of one kernel, mounted at `/sys/fs/bpf` in a tree that is otherwise empty: directories and pins.
 * Paths that do not begin with `/` begin at the root. Answers are 0 or more, or `−errno`, in the order in which Linux finds them: `kernel/bpf/inode.c` and `fs/namei.c`, 6.18.
 */
export class Bpffs {
  readonly #root = new Directory(undefined, false);

  constructor() {
    for (const name of ELSEWHERE) this.#root.entries.set(name, new Directory(this.#root, false));
    let directory = this.#root;
    for (const name of MOUNT_POINT) {
      const child = new Directory(directory, name === "bpf");
      directory.entries.set(name, child);
      directory = child;
    }
  }

  /** Pins an object: `bpf_obj_do_pin`. The caller has taken the reference that the pin keeps. */
  pin(path: string, object: KernelObject): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const refusal = refusalToCreate(place, false);
    if (refusal !== 0) return refusal;
    place.directory.entries.set(place.name, object);
    return 0;
  }

  /** The object that is pinned at a path, or `−errno`: `bpf_obj_do_get`. */
  get(path: string): KernelObject | number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (found instanceof Directory) return -EACCES;
    return place.hasTrailingSlash ? -ENOTDIR : found;
  }

  mkdir(path: string): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const refusal = refusalToCreate(place, true);
    if (refusal !== 0) return refusal;
    place.directory.entries.set(place.name, new Directory(place.directory, true));
    return 0;
  }

  rmdir(path: string): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    if (place.name === ".") return -EINVAL;
    if (place.name === "..") return -ENOTEMPTY;
    if (!place.directory.isBpf) return -EPERM;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (!(found instanceof Directory)) return -ENOTDIR;
    if (found.entries.size > 0) return -ENOTEMPTY;
    place.directory.entries.delete(place.name);
    return 0;
  }

  /** Takes a pin away and answers the object that it kept, whose reference is now the caller's to drop; or `−errno`. */
  unlink(path: string): KernelObject | number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    if (!place.directory.isBpf) return -EPERM;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (found instanceof Directory) return -EISDIR;
    if (place.hasTrailingSlash) return -ENOTDIR;
    place.directory.entries.delete(place.name);
    return found;
  }

  /** Outside, the answer is EPERM as on the running kernel: mapiary reads BPF filesystems alone. */
  readdir(path: string): string[] | number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (!(found instanceof Directory)) return -ENOTDIR;
    return found.isBpf ? [...found.entries.keys()].sort() : -EPERM;
  }

  #placeOf(path: string): Place | number {
    if (path === "") return -ENOENT;
    const names = path.split("/").filter((name) => name !== "");
    const name = names.pop() ?? ".";
    let directory = this.#root;
    for (const step of names) {
      const found = lookUp(directory, step);
      if (typeof found === "number") return found;
      if (!(found instanceof Directory)) return -ENOTDIR;
      directory = found;
    }
    return { directory, name, hasTrailingSlash: path.endsWith("/") };
  }
}

/** What a name stands for in a directory. In a BPF filesystem a name with a dot is not even looked for: `bpf_lookup`. */
function lookUp(directory: Directory, name: string): Directory | KernelObject | number {
  if (name === ".") return directory;
  if (name === "..") return directory.parent ?? directory;
  if (new TextEncoder().encode(name).length > NAME_MAX) return -ENAMETOOLONG;
  const found = directory.entries.get(name);
  if (found !== undefined) return found;
  return directory.isBpf && name.includes(".") ? -EPERM : -ENOENT;
}

/** Why nothing can be created at a place; 0 when it can: `filename_create`, then the directory's own rules. */
function refusalToCreate(place: Place, isDirectory: boolean): number {
  if (place.name === "." || place.name === "..") return -EEXIST;
  const found = lookUp(place.directory, place.name);
  if (typeof found !== "number") return -EEXIST;
  if (found !== -ENOENT) return found;
  if (place.hasTrailingSlash && !isDirectory) return -ENOENT;
  return place.directory.isBpf ? 0 : -EPERM;
}

import { EACCES, EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../abi/errno.ts";
import { Directory, FixedDirectory, type Pin } from "./bpffs-directory.ts";
import type { KernelObject } from "./kernel-object.ts";

/** Where programs find the BPF filesystem, on every system. */
const MOUNT_POINT = ["sys", "fs", "bpf"];
/** The other directories that every Linux has, hier(7): nothing is in them, and nothing gets in. */
const ELSEWHERE = "bin boot dev etc home lib media mnt opt proc root run sbin srv tmp usr var".split(" ");
const NAME_MAX = 255;

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
  readonly #root = new FixedDirectory(undefined);

  /** `mount` makes the root of the filesystem, below the directory that it is mounted in. */
  constructor(mount: (parent: Directory) => Directory) {
    for (const name of ELSEWHERE) this.#root.add(name, new FixedDirectory(this.#root));
    let directory = this.#root;
    for (const name of MOUNT_POINT.slice(0, -1)) {
      const child = new FixedDirectory(directory);
      directory.add(name, child);
      directory = child;
    }
    directory.add(MOUNT_POINT.at(-1) as string, mount(directory));
  }

  /** Pins an object: `bpf_obj_do_pin`. */
  pin(path: string, object: KernelObject): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const refusal = refusalToCreate(place, false);
    return refusal === 0 ? place.directory.pin(place.name, object) : refusal;
  }

  /** The object that is pinned at a path, or `−errno`: `bpf_obj_do_get`. */
  get(path: string): KernelObject | number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (found instanceof Directory) return -EACCES;
    return place.hasTrailingSlash ? -ENOTDIR : found.open();
  }

  mkdir(path: string): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const refusal = refusalToCreate(place, true);
    return refusal === 0 ? place.directory.makeDirectory(place.name) : refusal;
  }

  rmdir(path: string): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    if (place.name === ".") return -EINVAL;
    if (place.name === "..") return -ENOTEMPTY;
    if (!place.directory.isBpf) return -EPERM;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    return found instanceof Directory ? place.directory.removeDirectory(place.name) : -ENOTDIR;
  }

  /** Takes a pin away, and with it its object when nothing else refers to it. */
  unlink(path: string): number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    if (!place.directory.isBpf) return -EPERM;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (found instanceof Directory) return -EISDIR;
    return place.hasTrailingSlash ? -ENOTDIR : place.directory.unpin(place.name);
  }

  /** Outside, the answer is EPERM as on the running kernel: mapiary reads BPF filesystems alone. */
  readdir(path: string): string[] | number {
    const place = this.#placeOf(path);
    if (typeof place === "number") return place;
    const found = lookUp(place.directory, place.name);
    if (typeof found === "number") return found;
    if (!(found instanceof Directory)) return -ENOTDIR;
    if (!found.isBpf) return -EPERM;
    const names = found.names();
    return typeof names === "number" ? names : names.sort();
  }

  #placeOf(path: string): Place | number {
    if (path === "") return -ENOENT;
    const names = path.split("/").filter((name) => name !== "");
    const name = names.pop() ?? ".";
    let directory: Directory = this.#root;
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
function lookUp(directory: Directory, name: string): Directory | Pin | number {
  if (name === ".") return directory;
  if (name === "..") return directory.parent ?? directory;
  if (new TextEncoder().encode(name).length > NAME_MAX) return -ENAMETOOLONG;
  return directory.isBpf && name.includes(".") ? -EPERM : directory.find(name);
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

import { OBJ } from "../abi/attr.ts";
import { BPF_OBJ_GET, BPF_OBJ_PIN } from "../abi/commands.ts";
import type { Address } from "../memory/address-space.ts";
import { Commands } from "./commands.ts";

/** The options of `objPin` and `objGet`. */
export interface PathOptions {
  /** BPF_F_PATH_FD; for `objGet` also BPF_F_RDONLY or BPF_F_WRONLY. */
  readonly fileFlags?: number | undefined;
  /** With BPF_F_PATH_FD: the directory in which a relative path begins. */
  readonly pathFd?: number | undefined;
}

/** The commands on objects of every kind: pins. */
export abstract class ObjectCommands extends Commands {
  /** BPF_OBJ_PIN: gives a map a name in a BPF filesystem. `−EEXIST` when the name is taken, `−EPERM` for a name with a dot or outside. */
  objPin(fd: number, path: string, options: PathOptions = {}): number {
    const attr = this.path(path, options);
    this.u32(attr + OBJ.BPF_FD, fd);
    return this.kernel.bpf(BPF_OBJ_PIN, attr, OBJ.END);
  }

  /** BPF_OBJ_GET: opens what is pinned at a path. Answers an fd, or `−errno`: `−ENOENT` when there is nothing. */
  objGet(path: string, options: PathOptions = {}): number {
    return this.opened(this.kernel.bpf(BPF_OBJ_GET, this.path(path, options), OBJ.END));
  }

  path(path: string, options: PathOptions): Address {
    const bytes = new TextEncoder().encode(`${path}\0`);
    const attr = this.frame.begin(bytes.length);
    this.u64(attr + OBJ.PATHNAME, this.frame.put(bytes, bytes.length));
    this.u32(attr + OBJ.FILE_FLAGS, options.fileFlags);
    this.u32(attr + OBJ.PATH_FD, options.pathFd);
    return attr;
  }
}

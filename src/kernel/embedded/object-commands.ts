import { GET_ID, OBJ, OBJ_INFO } from "../../abi/attr.ts";
import { EBADF, EBADFD, EFAULT, EINVAL, ENOENT } from "../../abi/errno.ts";
import { BPF_F_PATH_FD, BPF_F_RDONLY, BPF_F_TOKEN_FD, BPF_F_WRONLY } from "../../abi/flags.ts";
import type { Address } from "../../memory/address-space.ts";
import { getBtfInfo } from "./btf/btf-commands.ts";
import { BtfObject } from "./btf/btf-object.ts";
import { MapFile, OpenFile } from "./file-table.ts";
import type { KernelObject, ObjectKind } from "./kernel-object.ts";
import { i32At, type KernelState, tableOf } from "./kernel-state.ts";
import { hasValidAccessMode } from "./map-create.ts";
import { getMapInfo } from "./map-info.ts";
import { EmbeddedMap } from "./map-ops.ts";
import type { ProgramSubsystem } from "./program-subsystem.ts";
import { accessOk, pointerAt, stringAt } from "./user-memory.ts";

const PATH_MAX = 4096;
const AT_FDCWD = -100;
const INT_MAX = 2 ** 31 - 1;
const OPEN_FLAGS = BPF_F_RDONLY | BPF_F_WRONLY;

/** The commands that are the same for maps, programs and BTF: pins, ids, infos. `kernel/bpf/syscall.c`, 6.18. */
export class ObjectCommands {
  readonly #state: KernelState;
  readonly #programs: ProgramSubsystem;

  constructor(state: KernelState, programs: ProgramSubsystem) {
    this.#state = state;
    this.#programs = programs;
  }

  /** A new fd of an object, which it keeps alive; `flags` say how a map may be used by it. */
  open(object: KernelObject, flags: number): number {
    object.references++;
    return this.#state.files.open(object instanceof EmbeddedMap ? new MapFile(object, flags) : new OpenFile(object));
  }

  /** BPF_OBJ_PIN. BTF cannot be pinned. */
  pin(attr: Address): number {
    const state = this.#state;
    const fileFlags = i32At(state, attr + OBJ.FILE_FLAGS);
    if ((fileFlags & ~BPF_F_PATH_FD) !== 0) return -EINVAL;
    if (fileFlags === 0 && i32At(state, attr + OBJ.PATH_FD) !== 0) return -EINVAL;
    const object = state.files.file(i32At(state, attr + OBJ.BPF_FD))?.object;
    if (object?.kind !== "map" && object?.kind !== "program") return -EINVAL;
    const path = this.#path(attr);
    if (typeof path === "number") return path;
    return state.bpffs.pin(path, object);
  }

  /** BPF_OBJ_GET. Only a map can be opened for less than everything: `bpf_obj_get_user`. */
  get(attr: Address): number {
    const state = this.#state;
    const fileFlags = i32At(state, attr + OBJ.FILE_FLAGS);
    if (i32At(state, attr + OBJ.BPF_FD) !== 0 || (fileFlags & ~(OPEN_FLAGS | BPF_F_PATH_FD)) !== 0) return -EINVAL;
    if ((fileFlags & BPF_F_PATH_FD) === 0 && i32At(state, attr + OBJ.PATH_FD) !== 0) return -EINVAL;
    if (!hasValidAccessMode(fileFlags)) return -EINVAL;
    const path = this.#path(attr);
    if (typeof path === "number") return path;
    const object = state.bpffs.get(path);
    if (typeof object === "number") return object;
    if (object.kind !== "map" && (fileFlags & OPEN_FLAGS) !== 0) return -EINVAL;
    return this.open(object, fileFlags);
  }

  /** BPF_MAP_GET_NEXT_ID and its like; the id goes into the caller's own attr at `uattr`. */
  getNextId(kind: ObjectKind, attr: Address, uattr: Address): number {
    const { memory } = this.#state;
    const start = memory.view.getUint32(attr + GET_ID.ID, true);
    if (start >= INT_MAX) return -EINVAL;
    const id = tableOf(this.#state, kind).idFrom(start + 1);
    if (id === undefined) return -ENOENT;
    if (!accessOk(memory, uattr + GET_ID.NEXT_ID, 4)) return -EFAULT;
    memory.view.setUint32(uattr + GET_ID.NEXT_ID, id, true);
    return 0;
  }

  /** BPF_MAP_GET_FD_BY_ID and its like; `openFlags` say how a map may be used by the fd. */
  getFdById(kind: ObjectKind, attr: Address, openFlags: number): number {
    if ((openFlags & ~OPEN_FLAGS) !== 0 || !hasValidAccessMode(openFlags)) return -EINVAL;
    const object = tableOf(this.#state, kind).get(this.#state.memory.view.getUint32(attr + GET_ID.ID, true));
    return object === undefined ? -ENOENT : this.open(object, openFlags);
  }

  /** BPF_BTF_GET_FD_BY_ID. No file is a token. */
  getBtfFdById(attr: Address): number {
    const { files } = this.#state;
    const flags = i32At(this.#state, attr + GET_ID.OPEN_FLAGS);
    if ((flags & ~BPF_F_TOKEN_FD) !== 0) return -EINVAL;
    if (flags !== 0) return files.isOpen(i32At(this.#state, attr + GET_ID.TOKEN_FD)) ? -EINVAL : -EBADF;
    return this.getFdById("btf", attr, 0);
  }

  /** BPF_OBJ_GET_INFO_BY_FD. */
  getInfoByFd(attr: Address, uattr: Address): number {
    const { files, memory } = this.#state;
    const fd = i32At(this.#state, attr + OBJ_INFO.BPF_FD);
    const object = files.file(fd)?.object;
    if (object instanceof EmbeddedMap) return getMapInfo(memory, object, attr, uattr);
    if (object?.kind === "program") return this.#programs.getInfo(object, attr, uattr);
    if (object instanceof BtfObject) return getBtfInfo(this.#state, object, attr, uattr);
    return files.isOpen(fd) ? -EINVAL : -EBADFD;
  }

  /** The path of a pin. There are no directory fds here, so with BPF_F_PATH_FD only the current directory is one. */
  #path(attr: Address): string | number {
    const state = this.#state;
    const bytes = stringAt(state.memory, pointerAt(state.memory, attr + OBJ.PATHNAME), PATH_MAX);
    if (typeof bytes === "number") return bytes;
    if (bytes.length === 0) return -ENOENT;
    const path = new TextDecoder().decode(bytes);
    const usesPathFd = (i32At(state, attr + OBJ.FILE_FLAGS) & BPF_F_PATH_FD) !== 0;
    const isRelative = !path.startsWith("/");
    if (usesPathFd && isRelative && i32At(state, attr + OBJ.PATH_FD) !== AT_FDCWD) return -EBADF;
    return path;
  }
}

import { ATTR_SIZE, GET_ID, MAP_BATCH, MAP_CREATE, MAP_ELEM, MAP_FREEZE, OBJ, OBJ_INFO } from "../../abi/attr.ts";
import {
  BPF_MAP_CREATE,
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_FREEZE,
  BPF_MAP_GET_FD_BY_ID,
  BPF_MAP_GET_NEXT_ID,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET,
  BPF_OBJ_GET_INFO_BY_FD,
  BPF_OBJ_PIN,
} from "../../abi/commands.ts";
import { E2BIG, EBADF, EBADFD, EBUSY, EFAULT, EINVAL, ENOENT, EPERM } from "../../abi/errno.ts";
import { BPF_F_PATH_FD, BPF_F_RDONLY, BPF_F_WRONLY } from "../../abi/flags.ts";
import { type Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Kernel } from "../kernel.ts";
import { PlainCommand, type PreparedCommand } from "../prepared-command.ts";
import { Bpffs } from "./bpffs.ts";
import { FileTable, OpenFile } from "./file-table.ts";
import { createMap, hasValidAccessMode } from "./map-create.ts";
import { MapCreateAttr } from "./map-create-attr.ts";
import { MapElements } from "./map-elements.ts";
import { getMapInfo } from "./map-info.ts";
import type { EmbeddedMap, MapHost } from "./map-ops.ts";
import { MapTable } from "./map-table.ts";
import { Mappings } from "./mappings.ts";
import { prepareElement } from "./prepared-elements.ts";
import { accessOk, pointerAt, stringAt } from "./user-memory.ts";

/** Where the last field of each command ends: libbpf gives just so many bytes, and what lies behind must be zero. */
const ATTR_END: readonly number[] = attrEnds();

const PATH_MAX = 4096;
const AT_FDCWD = -100;
const INT_MAX = 2 ** 31 - 1;
const OPEN_FLAGS = BPF_F_RDONLY | BPF_F_WRONLY;

/** Options of the embedded kernel. */
export interface EmbeddedOptions {
  /** How many values a per-CPU map holds for one key, from 1; 1 when not given. */
  readonly possibleCpus?: number;
  /** The most bytes that all maps together may take, up to and by default 4 GiB. */
  readonly maxMemory?: number;
}

/**
 * The map subsystem of Linux, in process: it answers `bpf(2)` with Linux's results, errors and bytes, for a caller
 * with every capability. `kernel/bpf/syscall.c: __sys_bpf`, 6.18.
 */
export class EmbeddedKernel implements Kernel {
  readonly name = "embedded";
  readonly memory: AddressSpace;
  readonly possibleCpus: number;
  readonly #files = new FileTable();
  readonly #maps = new MapTable();
  readonly #bpffs = new Bpffs();
  readonly #mappings = new Mappings();
  readonly #elements: MapElements;
  readonly #host: MapHost;
  /** Where an attr is completed that the caller gave in another shape than the kernel's own. */
  readonly #attr: Address;
  #isReleased = false;

  /** Throws a `RangeError` for options out of range. */
  constructor(options: EmbeddedOptions = {}) {
    const cpus = options.possibleCpus ?? 1;
    if (!Number.isInteger(cpus) || cpus < 1 || cpus > 8192) {
      throw new RangeError(`possibleCpus is a whole number from 1 to 8192, not ${cpus}`);
    }
    this.memory = new AddressSpace(options.maxMemory);
    this.possibleCpus = cpus;
    this.#host = { memory: this.memory, possibleCpus: cpus, files: this.#files, maps: this.#maps };
    this.#elements = new MapElements(this.memory, this.#files);
    this.#attr = this.memory.allocate(ATTR_SIZE, "the embedded kernel");
  }

  bpf(cmd: number, attr: Address, size: number): number {
    if (this.#isReleased) return -EBADF;
    if (this.#isReleased) return -EBADF;
    const end = ATTR_END[cmd];
    if (end === size && (attr & 7) === 0 && accessOk(this.memory, attr, size)) return this.#answer(cmd, attr, attr);
    const error = this.#takeAttr(attr, size);
    if (error !== 0) return error;
    if (end === undefined || !this.#isZero(this.#attr + end, this.#attr + ATTR_SIZE)) return -EINVAL;
    return this.#answer(cmd, this.#attr, attr);
  }

  prepare(cmd: number, attr: Address, size: number): PreparedCommand {
    const plain = new PlainCommand(this, cmd, attr, size);
    const isWhole = ATTR_END[cmd] === size && size === MAP_ELEM.END && (attr & 7) === 0;
    if (!isWhole || !accessOk(this.memory, attr, size)) return plain;
    return prepareElement(this.memory, this.#files, plain, cmd, attr);
  }

  close(fd: number): number {
    const file = this.#files.close(fd);
    if (file === undefined) return -EBADF;
    this.#maps.put(file.map);
    return 0;
  }

  mmap(fd: number, length: number, protection: number, offset: number): Address {
    const file = this.#files.get(fd);
    return file === undefined ? -EBADF : this.#mappings.map(file, length, protection, offset);
  }

  munmap(address: Address, length: number): number {
    if (this.#isReleased) return -EBADF;
    const map = this.#mappings.unmap(address, length);
    if (map === undefined) return -EINVAL;
    this.#maps.put(map);
    return 0;
  }

  mkdir(path: string): number {
    return this.#isReleased ? -EBADF : this.#bpffs.mkdir(path);
  }

  rmdir(path: string): number {
    return this.#isReleased ? -EBADF : this.#bpffs.rmdir(path);
  }

  unlink(path: string): number {
    if (this.#isReleased) return -EBADF;
    const map = this.#bpffs.unlink(path);
    if (typeof map === "number") return map;
    this.#maps.put(map);
    return 0;
  }

  readdir(path: string): string[] | number {
    return this.#isReleased ? -EBADF : this.#bpffs.readdir(path);
  }

  release(): void {
    this.#isReleased = true;
    for (const fd of this.#files.fds()) this.#files.close(fd);
  }

  /** `attr` is whole and zero behind the command's last field; `uattr` is the caller's own, where answers go. */
  #answer(cmd: number, attr: Address, uattr: Address): number {
    switch (cmd) {
      case BPF_MAP_LOOKUP_ELEM:
        return this.#elements.lookup(attr);
      case BPF_MAP_UPDATE_ELEM:
        return this.#elements.update(attr);
      case BPF_MAP_DELETE_ELEM:
        return this.#elements.delete(attr);
      case BPF_MAP_GET_NEXT_KEY:
        return this.#elements.getNextKey(attr);
      case BPF_MAP_LOOKUP_AND_DELETE_ELEM:
        return this.#elements.lookupAndDelete(attr);
      case BPF_MAP_LOOKUP_BATCH:
      case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
      case BPF_MAP_UPDATE_BATCH:
      case BPF_MAP_DELETE_BATCH:
        return this.#elements.batch(cmd, attr, uattr);
      case BPF_MAP_CREATE:
        return this.#mapCreate(attr);
      case BPF_MAP_FREEZE:
        return this.#mapFreeze(attr);
      case BPF_OBJ_PIN:
        return this.#objPin(attr);
      case BPF_OBJ_GET:
        return this.#objGet(attr);
      case BPF_MAP_GET_NEXT_ID:
        return this.#mapGetNextId(attr, uattr);
      case BPF_MAP_GET_FD_BY_ID:
        return this.#mapGetFdById(attr);
      case BPF_OBJ_GET_INFO_BY_FD:
        return this.#objGetInfoByFd(attr, uattr);
      default:
        return -EINVAL;
    }
  }

  #mapCreate(attr: Address): number {
    const create = new MapCreateAttr(this.memory, attr);
    const map = createMap(this.#host, create);
    if (typeof map === "number") return map;
    this.#maps.add(map);
    return this.#open(map, create.flags);
  }

  /** `map_freeze`: a map that is frozen already cannot be written, so a second time is EPERM. */
  #mapFreeze(attr: Address): number {
    const fd = this.#i32(attr + MAP_FREEZE.MAP_FD);
    const file = this.#files.get(fd);
    if (file === undefined) return FileTable.refusal(fd);
    if (!file.canWrite || file.map.isFrozen) return -EPERM;
    if (file.map.writableMappings > 0) return -EBUSY;
    file.map.freeze();
    return 0;
  }

  #objPin(attr: Address): number {
    const fileFlags = this.#i32(attr + OBJ.FILE_FLAGS);
    if ((fileFlags & ~BPF_F_PATH_FD) !== 0) return -EINVAL;
    if (fileFlags === 0 && this.#i32(attr + OBJ.PATH_FD) !== 0) return -EINVAL;
    const file = this.#files.get(this.#i32(attr + OBJ.BPF_FD));
    if (file === undefined) return -EINVAL;
    const path = this.#path(attr);
    if (typeof path === "number") return path;
    const error = this.#bpffs.pin(path, file.map);
    if (error === 0) file.map.references++;
    return error;
  }

  #objGet(attr: Address): number {
    const fileFlags = this.#i32(attr + OBJ.FILE_FLAGS);
    if (this.#i32(attr + OBJ.BPF_FD) !== 0 || (fileFlags & ~(OPEN_FLAGS | BPF_F_PATH_FD)) !== 0) return -EINVAL;
    if ((fileFlags & BPF_F_PATH_FD) === 0 && this.#i32(attr + OBJ.PATH_FD) !== 0) return -EINVAL;
    if (!hasValidAccessMode(fileFlags)) return -EINVAL;
    const path = this.#path(attr);
    if (typeof path === "number") return path;
    const map = this.#bpffs.get(path);
    return typeof map === "number" ? map : this.#open(map, fileFlags);
  }

  #mapGetNextId(attr: Address, uattr: Address): number {
    const { view } = this.memory;
    const start = view.getUint32(attr + GET_ID.ID, true);
    if (start >= INT_MAX) return -EINVAL;
    const id = this.#maps.idFrom(start + 1);
    if (id === undefined) return -ENOENT;
    if (!accessOk(this.memory, uattr + GET_ID.NEXT_ID, 4)) return -EFAULT;
    view.setUint32(uattr + GET_ID.NEXT_ID, id, true);
    return 0;
  }

  #mapGetFdById(attr: Address): number {
    const openFlags = this.#i32(attr + GET_ID.OPEN_FLAGS);
    if ((openFlags & ~OPEN_FLAGS) !== 0 || !hasValidAccessMode(openFlags)) return -EINVAL;
    const map = this.#maps.get(this.memory.view.getUint32(attr + GET_ID.ID, true));
    return map === undefined ? -ENOENT : this.#open(map, openFlags);
  }

  #objGetInfoByFd(attr: Address, uattr: Address): number {
    const fd = this.#i32(attr + OBJ_INFO.BPF_FD);
    const file = this.#files.get(fd);
    if (file !== undefined) return getMapInfo(this.memory, file.map, attr, uattr);
    return FileTable.refusal(fd) === -EBADF ? -EBADFD : -EINVAL;
  }

  #open(map: EmbeddedMap, flags: number): number {
    map.references++;
    return this.#files.open(new OpenFile(map, flags));
  }

  /** The path of a pin. There are no directory fds here, so with BPF_F_PATH_FD only the current directory is one. */
  #path(attr: Address): string | number {
    const bytes = stringAt(this.memory, pointerAt(this.memory, attr + OBJ.PATHNAME), PATH_MAX);
    if (typeof bytes === "number") return bytes;
    if (bytes.length === 0) return -ENOENT;
    const path = new TextDecoder().decode(bytes);
    const usesPathFd = (this.#i32(attr + OBJ.FILE_FLAGS) & BPF_F_PATH_FD) !== 0;
    const isRelative = !path.startsWith("/");
    if (usesPathFd && isRelative && this.#i32(attr + OBJ.PATH_FD) !== AT_FDCWD) return -EBADF;
    return path;
  }

  #i32(at: Address): number {
    return this.memory.view.getInt32(at, true);
  }

  /** Completes the caller's attr in the kernel's own: `bpf_check_uarg_tail_zero` and the copy after it. */
  #takeAttr(attr: Address, size: number): number {
    if (size > PAGE_SIZE) return -E2BIG;
    if (!accessOk(this.memory, attr, size)) return -EFAULT;
    if (!this.#isZero(attr + ATTR_SIZE, attr + size)) return -E2BIG;
    const length = Math.min(size, ATTR_SIZE);
    const { u8 } = this.memory;
    u8.copyWithin(this.#attr, attr, attr + length);
    u8.fill(0, this.#attr + length, this.#attr + ATTR_SIZE);
    return 0;
  }

  #isZero(from: Address, to: Address): boolean {
    const { u8 } = this.memory;
    for (let at = from; at < to; at++) if (u8[at] !== 0) return false;
    return true;
  }
}

function attrEnds(): number[] {
  const ends: number[] = [];
  ends[BPF_MAP_CREATE] = MAP_CREATE.END;
  ends[BPF_MAP_LOOKUP_ELEM] = MAP_ELEM.END;
  ends[BPF_MAP_UPDATE_ELEM] = MAP_ELEM.END;
  ends[BPF_MAP_DELETE_ELEM] = MAP_ELEM.KEY_END;
  ends[BPF_MAP_GET_NEXT_KEY] = MAP_ELEM.NEXT_KEY_END;
  ends[BPF_MAP_LOOKUP_AND_DELETE_ELEM] = MAP_ELEM.END;
  ends[BPF_MAP_FREEZE] = MAP_FREEZE.END;
  ends[BPF_OBJ_PIN] = OBJ.END;
  ends[BPF_OBJ_GET] = OBJ.END;
  ends[BPF_MAP_GET_NEXT_ID] = GET_ID.NEXT_ID_END;
  ends[BPF_MAP_GET_FD_BY_ID] = GET_ID.END;
  ends[BPF_OBJ_GET_INFO_BY_FD] = OBJ_INFO.END;
  for (const cmd of [
    BPF_MAP_LOOKUP_BATCH,
    BPF_MAP_LOOKUP_AND_DELETE_BATCH,
    BPF_MAP_UPDATE_BATCH,
    BPF_MAP_DELETE_BATCH,
  ]) {
    ends[cmd] = MAP_BATCH.END;
  }
  return ends;
}

import {
  ATTR_SIZE,
  BTF_LOAD,
  GET_ID,
  MAP_BATCH,
  MAP_CREATE,
  MAP_ELEM,
  MAP_FREEZE,
  OBJ,
  OBJ_INFO,
  PROG_LOAD,
  PROG_TEST_RUN,
} from "../../abi/attr.ts";
import {
  BPF_BTF_GET_FD_BY_ID,
  BPF_BTF_GET_NEXT_ID,
  BPF_BTF_LOAD,
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
  BPF_PROG_GET_FD_BY_ID,
  BPF_PROG_GET_NEXT_ID,
  BPF_PROG_LOAD,
  BPF_PROG_TEST_RUN,
} from "../../abi/commands.ts";
import { E2BIG, EBADF, EBUSY, EFAULT, EINVAL, ENOTSUPP, EPERM } from "../../abi/errno.ts";
import { type Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Kernel, KernelHandle } from "../kernel.ts";
import { PlainCommand, type PreparedCommand } from "../prepared-command.ts";
import type { Backing } from "./backing.ts";
import { Bpffs } from "./bpffs.ts";
import { MemoryDirectory } from "./bpffs-directory.ts";
import { loadBtf } from "./btf/btf-commands.ts";
import { fdinfoOf } from "./fdinfo.ts";
import { FileTable, MapFile, type OpenFile } from "./file-table.ts";
import type { KernelObject } from "./kernel-object.ts";
import { i32At, type KernelState, put } from "./kernel-state.ts";
import { createMap } from "./map-create.ts";
import { MapCreateAttr } from "./map-create-attr.ts";
import { MapElements } from "./map-elements.ts";
import type { EmbeddedMap } from "./map-ops.ts";
import { Mappings } from "./mappings.ts";
import { ObjectCommands } from "./object-commands.ts";
import { ObjectTable } from "./object-table.ts";
import { PerfEvent } from "./perf-event.ts";
import { prepareElement } from "./prepared-elements.ts";
import { type MakePrograms, NO_PROGRAMS, type ProgramSubsystem } from "./program-subsystem.ts";
import { Clock } from "./programs/clock.ts";
import { accessOk } from "./user-memory.ts";

/** Where the last field of each command ends: libbpf gives just so many bytes, and what lies behind must be zero. */
const ATTR_END: readonly number[] = attrEnds();

/** Lets go of what kernels shared that nobody refers to any more. */
const collected = new FinalizationRegistry<Backing>((backing) => backing.release());

/** How large a kernel is. */
export interface KernelSize {
  /** How many values a per-CPU map holds for one key, from 1; 1 when not given. */
  readonly possibleCpus?: number;
  /** The most bytes that all maps together may take, up to and by default 4 GiB. */
  readonly maxMemory?: number;
}

/**
 * The map subsystem of Linux, in process: it answers `bpf(2)` with Linux's results, errors and bytes, for a caller
 * with every capability. `kernel/bpf/syscall.c: __sys_bpf`, 6.18. Programs it has when it is given what runs them.
 */
export class MapKernel implements Kernel {
  readonly name = "embedded";
  readonly memory: AddressSpace;
  readonly possibleCpus: number;
  readonly pageSize = PAGE_SIZE;
  readonly #files = new FileTable();
  readonly #bpffs: Bpffs;
  readonly #backing: Backing | undefined;
  readonly #mappings = new Mappings();
  readonly #clock = new Clock();
  readonly #elements: MapElements;
  readonly #state: KernelState;
  readonly #objects: ObjectCommands;
  readonly #programs: ProgramSubsystem;
  /** Where an attr is completed that the caller gave in another shape than the kernel's own. */
  readonly #attr: Address;
  /** Why no map can be made here, whatever it is; 0 when one can. */
  readonly #createRefusal: () => number;
  #isReleased = false;

  /** Throws a `RangeError` for sizes out of range. Without a backing all that it has is its own. */
  constructor(size: KernelSize, backing?: Backing, makePrograms: MakePrograms = () => NO_PROGRAMS) {
    const cpus = size.possibleCpus ?? 1;
    if (!Number.isInteger(cpus) || cpus < 1 || cpus > 8192) {
      throw new RangeError(`possibleCpus is a whole number from 1 to 8192, not ${cpus}`);
    }
    this.#backing = backing;
    if (backing !== undefined) collected.register(this, backing, this);
    this.memory = backing?.memory ?? new AddressSpace(size.maxMemory);
    this.possibleCpus = backing?.possibleCpus ?? cpus;
    const programs = new ObjectTable<KernelObject>();
    const perfEvents = new ObjectTable<KernelObject>();
    const host = { memory: this.memory, possibleCpus: this.possibleCpus, files: this.#files, programs, perfEvents };
    const btfs = new ObjectTable<KernelObject>(backing?.nextBtfId);
    const shared = backing?.open(host, btfs);
    const putPinned = (object: KernelObject): void => put(this.#state, object);
    this.#bpffs = new Bpffs((parent) => shared?.mount(parent) ?? new MemoryDirectory(parent, true, putPinned));
    this.#state = {
      ...host,
      cpu: backing?.cpu ?? 0,
      bpffs: this.#bpffs,
      maps: shared?.maps ?? new ObjectTable<EmbeddedMap>(),
      btfs,
    };
    this.#createRefusal = () => shared?.createRefusal() ?? 0;
    this.#programs = makePrograms(this.#state);
    this.#objects = new ObjectCommands(this.#state, this.#programs);
    this.#elements = new MapElements(this.memory, this.#files);
    this.#attr = this.memory.allocate(ATTR_SIZE, "the embedded kernel");
  }

  bpf(cmd: number, attr: Address, size: number): number {
    if (this.#isReleased) return -EBADF;
    const end = ATTR_END[cmd];
    if (end === size && (attr & 7) === 0 && accessOk(this.memory, attr, size))
      return this.#answer(cmd, attr, attr, size);
    const error = this.#takeAttr(attr, size);
    if (error !== 0) return error;
    if (end === undefined || !this.#isZero(this.#attr + end, this.#attr + ATTR_SIZE)) return -EINVAL;
    return this.#answer(cmd, this.#attr, attr, size);
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
    fileClosed(file);
    put(this.#state, file.object);
    return 0;
  }

  mmap(fd: number, length: number, protection: number, offset: number): Address {
    const file = this.#files.file(fd);
    if (file === undefined) return -EBADF;
    if (file.object instanceof PerfEvent) return this.#mappings.mapEvent(file.object, length, protection, offset);
    return this.#mappings.map(file, length, protection, offset);
  }

  munmap(address: Address, length: number): number {
    if (this.#isReleased) return -EBADF;
    const object = this.#mappings.unmap(address, length);
    if (object === undefined) return -EINVAL;
    put(this.#state, object);
    return 0;
  }

  openBpfOutput(cpu: number): number {
    if (this.#isReleased) return -EBADF;
    if (!(cpu >= 0 && cpu < this.possibleCpus)) return -EINVAL;
    const event = new PerfEvent(this.memory, cpu, this.#clock.monotonic());
    this.#state.perfEvents.add(event);
    return this.#objects.open(event, 0);
  }

  whenReady(fd: number, callback: () => void): (() => void) | number {
    const file = this.#files.file(fd);
    if (file instanceof MapFile) return file.map.readiness(file).whenReady(callback);
    if (file?.object instanceof PerfEvent) return file.object.readiness.whenReady(callback);
    return this.#files.isOpen(fd) ? -EPERM : -EBADF;
  }

  fdinfo(fd: number): string | number {
    const file = this.#files.file(fd);
    return file === undefined ? -EBADF : fdinfoOf(file.object);
  }

  mkdir(path: string): number {
    return this.#isReleased ? -EBADF : this.#bpffs.mkdir(path);
  }

  rmdir(path: string): number {
    return this.#isReleased ? -EBADF : this.#bpffs.rmdir(path);
  }

  unlink(path: string): number {
    return this.#isReleased ? -EBADF : this.#bpffs.unlink(path);
  }

  readdir(path: string): string[] | number {
    return this.#isReleased ? -EBADF : this.#bpffs.readdir(path);
  }

  share(): KernelHandle {
    return this.#shared().share();
  }

  reclaim(handle: KernelHandle): void {
    this.#shared().reclaim(handle);
  }

  #shared(): Backing {
    if (this.#backing !== undefined) return this.#backing;
    throw new Error(
      "the maps of this kernel lie in the memory of one thread: make it with embedded({ shared: true }) to share them with " +
        "other threads, or with embedded({ bpffs: directory }) to share them with other processes too",
    );
  }

  release(): void {
    this.#isReleased = true;
    this.#programs.release();
    for (const fd of this.#files.fds()) {
      const file = this.#files.close(fd);
      if (file !== undefined) fileClosed(file);
    }
    collected.unregister(this);
    this.#backing?.release();
    this.memory.detachViews();
  }

  /** `attr` is whole and zero behind the command's last field; `uattr` is the caller's own, `size` bytes, where answers go. */
  #answer(cmd: number, attr: Address, uattr: Address, size: number): number {
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
        return this.#objects.pin(attr);
      case BPF_OBJ_GET:
        return this.#objects.get(attr);
      case BPF_MAP_GET_NEXT_ID:
        return this.#objects.getNextId("map", attr, uattr);
      case BPF_MAP_GET_FD_BY_ID:
        return this.#objects.getFdById("map", attr, i32At(this.#state, attr + GET_ID.OPEN_FLAGS));
      case BPF_BTF_LOAD:
        return loadBtf(this.#state, attr, uattr, size);
      case BPF_BTF_GET_NEXT_ID:
        return this.#objects.getNextId("btf", attr, uattr);
      case BPF_BTF_GET_FD_BY_ID:
        return this.#objects.getBtfFdById(attr);
      case BPF_PROG_LOAD:
        return this.#progLoad(attr, uattr, size);
      case BPF_PROG_TEST_RUN:
        return this.#programs.testRun(attr, uattr);
      case BPF_PROG_GET_NEXT_ID:
        return this.#objects.getNextId("program", attr, uattr);
      case BPF_PROG_GET_FD_BY_ID:
        return this.#objects.getFdById("program", attr, 0);
      case BPF_OBJ_GET_INFO_BY_FD:
        return this.#objects.getInfoByFd(attr, uattr);
      default:
        return -EINVAL;
    }
  }

  #progLoad(attr: Address, uattr: Address, size: number): number {
    const program = this.#programs.load(attr, uattr, size);
    return typeof program === "number" ? program : this.#objects.open(program, 0);
  }

  #mapCreate(attr: Address): number {
    const refusal = this.#createRefusal();
    if (refusal !== 0) return refusal;
    const create = new MapCreateAttr(this.memory, attr);
    const made = createMap(this.#state, create);
    if (typeof made === "number") return made;
    const map = this.#state.maps.add(made);
    return typeof map === "number" ? map : this.#objects.open(map, create.flags);
  }

  /** `map_freeze`: a map that is frozen already cannot be written, so a second time is EPERM. */
  #mapFreeze(attr: Address): number {
    const fd = i32At(this.#state, attr + MAP_FREEZE.MAP_FD);
    const file = this.#files.map(fd);
    if (file === undefined) return this.#files.refusal(fd);
    if (file.map.record !== undefined) return -ENOTSUPP;
    if (!file.canWrite || file.map.isFrozen) return -EPERM;
    if (file.map.writableMappings > 0) return -EBUSY;
    file.map.freeze();
    return 0;
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

/** Tells those who wait for news of a file that it was closed. */
function fileClosed(file: OpenFile): void {
  if (file instanceof MapFile) file.map.fileClosed(file);
  if (file.object instanceof PerfEvent) file.object.readiness.raise();
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
  ends[BPF_BTF_LOAD] = BTF_LOAD.END;
  ends[BPF_BTF_GET_NEXT_ID] = GET_ID.NEXT_ID_END;
  ends[BPF_BTF_GET_FD_BY_ID] = GET_ID.TOKEN_END;
  ends[BPF_PROG_LOAD] = PROG_LOAD.END;
  ends[BPF_PROG_TEST_RUN] = PROG_TEST_RUN.END;
  ends[BPF_PROG_GET_NEXT_ID] = GET_ID.NEXT_ID_END;
  ends[BPF_PROG_GET_FD_BY_ID] = GET_ID.NEXT_ID;
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

import { ATTR_SIZE, MAP_ELEM, OBJ_INFO } from "../../abi/attr.ts";
import { type AttrUse, attrUse } from "../../abi/attr-pointers.ts";
import {
  BPF_MAP_DELETE_ELEM,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM,
  BPF_MAP_LOOKUP_ELEM,
  BPF_MAP_UPDATE_ELEM,
  BPF_OBJ_GET_INFO_BY_FD,
} from "../../abi/commands.ts";
import { E2BIG, EBADF, EINVAL } from "../../abi/errno.ts";
import { type Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Kernel, KernelHandle } from "../kernel.ts";
import { PlainCommand, type PreparedCommand } from "../prepared-command.ts";
import { AbsoluteAddresses, NOWHERE } from "./absolute-addresses.ts";
import { mkdir, readdir, rmdir, unlink } from "./bpffs.ts";
import { rebaseInfo } from "./info-pointers.ts";
import { BPF_SYSCALL, type Libc, loadLibc } from "./libc.ts";
import { LinuxUnavailableError, linuxAvailability } from "./linux-availability.ts";
import { countPossibleCpus } from "./possible-cpus.ts";
import { Resources } from "./resources.ts";
import { ScratchAttr } from "./scratch-attr.ts";
import { type Lifetime, settledCommand } from "./settled-command.ts";

/** The commands on one element, as bits. They take up to 32 bytes: an fd, the key, the value, flags. */
const ELEMENT_COMMANDS =
  (1 << BPF_MAP_LOOKUP_ELEM) |
  (1 << BPF_MAP_UPDATE_ELEM) |
  (1 << BPF_MAP_DELETE_ELEM) |
  (1 << BPF_MAP_GET_NEXT_KEY) |
  (1 << BPF_MAP_LOOKUP_AND_DELETE_ELEM);

/** A command that no Linux has or will have. */
const NO_COMMAND = -1;

const collected = new FinalizationRegistry<Resources>((resources) => resources.release());

/**
 * The running Linux kernel: `bpf(2)` itself, on the addresses of a linear memory.
 *
 * The system call is given a copy of each attr whose pointers are absolute (`ScratchAttr`); keys, values and paths are
 * read and written where they lie. What Linux writes into the attr is put back into the caller's.
 *
 * fds belong to the object: those that `bpf` answered are closed by `close` or `release`, at the latest when the object
 * is collected. `mmap` maps into the linear memory; a store to pages that were mapped without PROT_WRITE ends the
 * process, as in C.
 */
export class LinuxKernel implements Kernel {
  readonly name = "linux";
  readonly memory: AddressSpace;
  readonly possibleCpus: number;
  readonly pageSize: number;

  readonly #libc: Libc;
  readonly #syscall: Libc["syscall"];
  readonly #errno: Libc["errno"];
  readonly #number: number;
  readonly #addresses: AbsoluteAddresses;
  readonly #scratch: ScratchAttr;
  readonly #callOnScratch: (command: number, size: number) => number;
  readonly #resources: Resources;
  /** The view of the memory for which `#addresses` holds; `undefined` once released. */
  #words: Uint32Array | undefined;
  readonly #lifetime: Lifetime = { isOver: false };

  /**
   * Opens the kernel for the attrs, keys and values in `memory`. Throws a `LinuxUnavailableError` whose message says
   * what is missing and what to do about it.
   */
  constructor(memory: AddressSpace = new AddressSpace()) {
    const availability = linuxAvailability();
    if (!availability.available) throw new LinuxUnavailableError(availability);
    const libc = loadLibc();
    this.memory = memory;
    this.possibleCpus = countPossibleCpus();
    this.pageSize = libc.pageSize;
    this.#libc = libc;
    this.#syscall = libc.syscall;
    this.#errno = libc.errno;
    this.#number = BPF_SYSCALL[process.arch] as number;
    this.#addresses = new AbsoluteAddresses(libc, memory);
    this.#words = memory.u32;
    this.#scratch = new ScratchAttr(libc, memory, this.#addresses);
    this.#callOnScratch = bind(libc, this.#number, this.#scratch.address);
    this.#resources = new Resources(libc, memory, this.#addresses);
    collected.register(this, this.#resources, this);
  }

  bpf(command: number, attr: Address, size: number): number {
    const words = this.memory.u32;
    if (words !== this.#words && !this.#refresh()) return -EBADF;
    if (!isElement(words, command, attr, size)) return this.#anyCommand(command, attr, size >>> 0);
    this.#scratch.takeElement(words, attr);
    const result = this.#callOnScratch(command, size);
    return result < 0 ? -this.#errno() : result;
  }

  prepare(command: number, attr: Address, size: number): PreparedCommand {
    const words = this.memory.u32;
    const isLive = words === this.#words || this.#refresh();
    if (!isLive || !isElement(words, command, attr, size)) return new PlainCommand(this, command, attr, size);
    const addresses = this.#addresses;
    for (const pointer of [MAP_ELEM.KEY, MAP_ELEM.VALUE]) {
      const word = (attr + pointer) >>> 2;
      if (pointer < size) addresses.place(words, word, words[word] as number, words[word + 1] as number);
    }
    return settledCommand(this.#lifetime, this.#libc, this.#number, command, addresses.of(attr), size);
  }

  close(fd: number): number {
    return this.#resources.close(fd);
  }

  mmap(fd: number, length: number, protection: number, offset: number): Address {
    return this.#lifetime.isOver ? -EBADF : this.#resources.mmap(fd, length, protection, offset);
  }

  munmap(address: Address, length: number): number {
    return this.#lifetime.isOver ? -EBADF : this.#resources.munmap(address, length);
  }

  fdinfo(fd: number): string | number {
    return this.#resources.fdinfo(fd);
  }

  openBpfOutput(cpu: number): number {
    return this.#lifetime.isOver ? -EBADF : this.#resources.openBpfOutput(cpu);
  }

  whenReady(fd: number, callback: () => void): (() => void) | number {
    return this.#lifetime.isOver ? -EBADF : this.#resources.whenReady(fd, callback);
  }

  mkdir(path: string): number {
    return this.#lifetime.isOver ? -EBADF : mkdir(path);
  }

  rmdir(path: string): number {
    return this.#lifetime.isOver ? -EBADF : rmdir(path);
  }

  unlink(path: string): number {
    return this.#lifetime.isOver ? -EBADF : unlink(path);
  }

  readdir(path: string): string[] | number {
    return this.#lifetime.isOver ? -EBADF : readdir(path);
  }

  share(): KernelHandle {
    throw new Error("the maps of Linux need not be shared: every thread that calls linux() has the same ones");
  }

  reclaim(): void {
    throw new Error("the maps of Linux are shared by no handle: Linux itself takes back what a thread has held");
  }

  release(): void {
    this.#lifetime.isOver = true;
    this.#words = undefined;
    collected.unregister(this);
    this.#resources.release();
  }

  /** Learns where the memory lies now that it has grown; false when the kernel has been released. */
  #refresh(): boolean {
    if (this.#lifetime.isOver) return false;
    this.#addresses.refresh();
    this.#words = this.memory.u32;
    return true;
  }

  #holds(attr: Address, size: number): boolean {
    return attr >>> 0 === attr && attr >= PAGE_SIZE && attr + size <= this.memory.size;
  }

  #anyCommand(command: number, attr: Address, size: number): number {
    const scratch = this.#scratch;
    if (!this.#holds(attr, size) || size > scratch.capacity) return this.#call(command, NOWHERE, size);
    scratch.take(attr, size);
    // A field newer than the table may be a pointer. Linux 6.18, which does not know it either, refuses it so.
    if (!scratch.isZero(ATTR_SIZE, size)) return -E2BIG;
    const use = attrUse(command, scratch.view);
    if (use === undefined) return this.#call(NO_COMMAND, scratch.address, size);
    if (!scratch.isZero(use.end, Math.min(size, ATTR_SIZE))) return -EINVAL;

    const result = this.#pass(command, use, size);
    scratch.writeBack(use, attr);
    if (use.opensFd && result >= 0) this.#resources.own(result);
    return result;
  }

  /** Makes the system call on the scratch attr. */
  #pass(command: number, use: AttrUse, given: number): number {
    const scratch = this.#scratch;
    const size = scratch.complete(use, given);
    if (command !== BPF_OBJ_GET_INFO_BY_FD || size < OBJ_INFO.END) {
      scratch.rebase(use, size);
      return this.#call(command, scratch.address, size);
    }
    const restore = rebaseInfo(this.memory, this.#addresses, scratch.view);
    scratch.rebase(use, size);
    if (restore === undefined) scratch.refuse(OBJ_INFO.INFO);
    const result = this.#call(command, scratch.address, size);
    restore?.();
    return result;
  }

  #call(command: number, attr: number, size: number): number {
    const result = this.#syscall(this.#number, command, attr, size);
    return result < 0 ? -this.#errno() : result;
  }
}

/** Whether a call is one of those that `takeElement` is for. */
function isElement(words: Uint32Array, command: number, attr: Address, size: number): boolean {
  return (
    command >>> 0 < 32 &&
    ((ELEMENT_COMMANDS >>> command) & 1) !== 0 &&
    (size === MAP_ELEM.END || size === MAP_ELEM.NEXT_KEY_END || size === MAP_ELEM.KEY_END) &&
    attr >>> 0 === attr &&
    (attr & 3) === 0 &&
    attr >= PAGE_SIZE &&
    (attr >>> 2) + MAP_ELEM.END / 4 <= words.length
  );
}

/**
 * `bpf(2)` on the attr at one absolute address. A closure keeps the two numbers as they are; a field's would be boxed
 * anew for every call.
 */
function bind(libc: Libc, number: number, attr: number): (command: number, size: number) => number {
  const { syscall } = libc;
  return (command, size) => syscall(number, command, attr, size);
}

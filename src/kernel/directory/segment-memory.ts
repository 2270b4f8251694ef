import { ENOMEM } from "../../abi/errno.ts";
import { type Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import { errorOf, type System } from "./system.ts";

/** A file that is mapped into a memory: its fd, which holds a shared lock for as long, and where it lies. */
export interface MappedFile {
  readonly fd: number;
  readonly bytes: number;
  readonly allocation: Address;
  /** Its only name, while it is about to become a map. */
  newPath: string | undefined;
}

/** A file that was made for a segment. */
export interface NewFile {
  readonly fd: number;
  readonly path: string;
}

/**
 * A memory into which files are mapped, shared with whoever maps them too. It is as large as it gets from the beginning: V8
 * would grow it by giving all of its pages new rights, those of the files too.
 */
export class SegmentMemory extends AddressSpace {
  readonly #system: System;
  readonly #create: (bytes: number) => NewFile | number;
  readonly #base: number;
  readonly #files = new Map<Address, MappedFile>();
  /** Set while a map type is asked how many bytes a segment has, or made to use one that is there. */
  #instead: { base: Address; bytes: number } | undefined;

  /** `create` makes a file of so many bytes for a new segment: the file, or −errno. */
  constructor(system: System, limit: number | undefined, create: (bytes: number) => NewFile | number) {
    super(limit, true);
    this.#system = system;
    this.#create = create;
    this.#base = system.addressOf(this.u8);
  }

  override get isShared(): boolean {
    return true;
  }

  /** The file that is mapped at an address. */
  fileAt(address: Address): MappedFile | undefined {
    return this.#files.get(address);
  }

  override tryAllocateSegment(bytes: number): Address {
    const whole = Math.max(bytes, PAGE_SIZE);
    if (this.#instead !== undefined) {
      this.#instead.bytes = bytes;
      return this.#instead.base;
    }
    if (whole > this.largestFree) return 0;
    const file = this.#create(whole);
    if (typeof file === "number") return 0;
    const address = this.mapFile(file.fd, whole, file.path);
    if (address > 0) return address;
    this.#discard(file.fd, file.path);
    return 0;
  }

  override releaseSegment(address: Address): void {
    const file = this.unmapFile(address);
    if (file !== undefined) this.#discard(file.fd, file.newPath);
  }

  #discard(fd: number, newPath: string | undefined): void {
    const { fs } = this.#system;
    if (newPath !== undefined) errorOf(() => fs.unlinkSync(newPath));
    fs.closeSync(fd);
  }

  /** Maps a file from its beginning; answers where, or −errno. The fd belongs to the memory from then on. */
  mapFile(fd: number, bytes: number, newPath?: string): Address {
    const page = this.#system.pageSize;
    const length = Math.ceil(bytes / page) * page;
    // Allocations begin on a page of the address space, which the system's may exceed.
    const allocation = this.tryAllocate(length + page - PAGE_SIZE);
    if (allocation === 0) return -ENOMEM;
    const address = Math.ceil((this.#base + allocation) / page) * page - this.#base;
    const error = this.#system.map(this.#base + address, length, fd);
    if (error !== 0) {
      // What was there before may be gone, and the pages with it.
      if (this.#system.unmap(this.#base + address, length) === 0) this.release(allocation);
      return error;
    }
    this.#files.set(address, { fd, bytes, allocation, newPath });
    return address;
  }

  /** Takes a file out of the memory; its fd is the caller's again. */
  unmapFile(address: Address): MappedFile | undefined {
    const file = this.#files.get(address);
    if (file === undefined) return undefined;
    this.#files.delete(address);
    const page = this.#system.pageSize;
    const length = Math.ceil(file.bytes / page) * page;
    if (this.#system.unmap(this.#base + address, length) === 0) this.release(file.allocation);
    return file;
  }

  /** How many bytes a call of a map type's `alloc` asks for, which gets nothing; `undefined` when it asks for none. */
  measure(alloc: () => unknown): number | undefined {
    const instead = { base: 0, bytes: 0 };
    this.#instead = instead;
    try {
      alloc();
    } finally {
      this.#instead = undefined;
    }
    return instead.bytes === 0 ? undefined : instead.bytes;
  }
}

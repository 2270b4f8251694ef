import { readFileSync } from "node:fs";
import { EBADF, EINVAL, ENOMEM } from "../../abi/errno.ts";
import { PROT_READ, PROT_WRITE } from "../../abi/mman.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { AbsoluteAddresses } from "./absolute-addresses.ts";
import { EventPoll } from "./event-poll.ts";
import { type Libc, MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED } from "./libc.ts";
import { OwnWatch } from "./own-watch.ts";
import { openBpfOutput } from "./perf-event.ts";

/** A map's memory in the address space: how long it is, and the allocation that it lies in. */
interface Mapping {
  readonly length: number;
  readonly allocation: Address;
}

/**
 * What a Linux kernel object holds of the operating system: the fds that `bpf(2)` gave it and the maps that it
 * mapped. It stands apart from the kernel object so that it can be released after that has been collected.
 */
export class Resources {
  readonly #libc: Libc;
  readonly #memory: AddressSpace;
  readonly #addresses: AbsoluteAddresses;
  readonly #fds = new Set<number>();
  /** Those that are perf events, each watched by itself. */
  readonly #perfEvents = new Map<number, OwnWatch>();
  /** Those that were ever waited for. */
  readonly #waited = new Set<number>();
  readonly #mappings = new Map<Address, Mapping>();

  constructor(libc: Libc, memory: AddressSpace, addresses: AbsoluteAddresses) {
    this.#libc = libc;
    this.#memory = memory;
    this.#addresses = addresses;
  }

  /** Takes over an fd that `bpf(2)` gave out. */
  own(fd: number): void {
    this.#fds.add(fd);
  }

  /** Opens the event by which programs on a CPU give records; see `Kernel.openBpfOutput`. */
  openBpfOutput(cpu: number): number {
    const fd = openBpfOutput(this.#libc, cpu);
    if (fd < 0) return fd;
    this.#fds.add(fd);
    this.#perfEvents.set(fd, new OwnWatch(this.#libc, fd));
    return fd;
  }

  /** `close(2)` of an fd that it owns. */
  close(fd: number): number {
    if (!this.#fds.delete(fd)) return -EBADF;
    this.#perfEvents.get(fd)?.close();
    this.#perfEvents.delete(fd);
    if (this.#waited.delete(fd)) EventPoll.of(this.#libc).forget(fd);
    return this.#libc.close(fd) < 0 ? -this.#libc.errno() : 0;
  }

  /** The fdinfo of an fd that it owns; see `Kernel.fdinfo`. */
  fdinfo(fd: number): string | number {
    if (!this.#fds.has(fd)) return -EBADF;
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    } catch (error) {
      // Where /proc is not mounted.
      return (error as NodeJS.ErrnoException).errno ?? -EINVAL;
    }
  }

  /** Waits for news of an fd that it owns; see `Kernel.whenReady`. */
  whenReady(fd: number, callback: () => void): (() => void) | number {
    if (!this.#fds.has(fd)) return -EBADF;
    const own = this.#perfEvents.get(fd);
    if (own !== undefined) return own.whenReady(callback);
    this.#waited.add(fd);
    return EventPoll.of(this.#libc).whenReady(fd, callback);
  }

  /** `mmap(2)` of an fd that it owns, over pages of the linear memory; see `Kernel.mmap`. */
  mmap(fd: number, length: number, protection: number, offset: number): Address {
    if (!this.#fds.has(fd)) return -EBADF;
    if (!(Number.isSafeInteger(length) && length > 0 && Number.isSafeInteger(offset))) return -EINVAL;
    if ((protection & ~(PROT_READ | PROT_WRITE)) !== 0) return -EINVAL;
    const page = this.#libc.pageSize;
    const whole = Math.ceil(length / page) * page;
    // V8 grows a memory by one `mprotect(2)` to read and write from its base on, and aborts the process when that is
    // refused, as Linux does over a map that was mapped without PROT_WRITE (kernel/bpf/syscall.c: bpf_map_mmap clears
    // VM_MAYWRITE, 6.18): it must never grow while maps are mapped into it.
    if (!this.#memory.growToLimit()) return -ENOMEM;
    this.#addresses.refresh();
    // Allocations begin on a page of the address space, which the system's may exceed: arm64 has pages of 64 KiB too.
    const allocation = this.#memory.tryAllocate(whole + page - PAGE_SIZE);
    if (allocation === 0) return -ENOMEM;
    const address = Math.ceil(allocation / page) * page;
    const absolute = this.#addresses.of(address);
    if (this.#libc.mmap(absolute, whole, protection, MAP_SHARED | MAP_FIXED, fd, offset) < 0) {
      const errno = this.#libc.errno();
      // Linux has taken away what was there before it asks the map, which then refuses.
      if (this.#putFreshMemory(absolute, whole)) this.#memory.release(allocation);
      return -errno;
    }
    this.#mappings.set(address, { length: whole, allocation });
    return address;
  }

  /** `munmap(2)` of what `mmap` answered: fresh memory takes its place, as it was before. */
  munmap(address: Address, length: number): number {
    const mapping = this.#mappings.get(address);
    const page = this.#libc.pageSize;
    if (mapping === undefined || Math.ceil(length / page) * page !== mapping.length) return -EINVAL;
    this.#addresses.refresh();
    if (!this.#putFreshMemory(this.#addresses.of(address), mapping.length)) return -this.#libc.errno();
    this.#mappings.delete(address);
    this.#memory.release(mapping.allocation);
    return 0;
  }

  /** Puts zeroed memory in the place of whatever is mapped. False when Linux refuses. */
  #putFreshMemory(absolute: number, length: number): boolean {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    return this.#libc.mmap(absolute, length, PROT_READ | PROT_WRITE, flags, -1, 0) >= 0;
  }

  /** Unmaps and closes everything. Twice does no harm. */
  release(): void {
    for (const [address, { length }] of this.#mappings) this.munmap(address, length);
    for (const fd of this.#fds) this.close(fd);
    // What was read in a mapping is no longer there.
    this.#memory.detachViews();
  }
}

import type { Address, AddressSpace } from "../memory/address-space.ts";
import type { PreparedCommand } from "./prepared-command.ts";

/** What another thread makes a kernel from: see `Kernel.share`. It can be cloned, and is of no other use. */
export type KernelHandle = DirectoryHandle | ThreadHandle;

/** The handle of maps in a directory. */
export interface DirectoryHandle {
  readonly bpffs: string;
}

/** The handle of maps in a memory that threads share. */
export interface ThreadHandle {
  /** The `WebAssembly.Memory`. */
  readonly memory: object;
  /** Tells the kernels that are made from this handle from others. */
  readonly thread: number;
}

/**
 * The one seam of mapiary: a kernel is a thing that answers `bpf(cmd, attr, size)` over an address space.
 *
 * Every call answers as the system call does through libbpf: 0 or more on success, `−errno` on failure; none throws.
 * Pointers inside an attr are addresses in `memory`. Nothing above the seam may ask which kernel it has, but to say so
 * to a person.
 */
export interface Kernel {
  readonly name: "linux" | "embedded";
  /** Where attrs, keys and values lie. */
  readonly memory: AddressSpace;
  /** CPUs that the kernel could ever bring up: the number of values that a per-CPU map holds for one key. */
  readonly possibleCpus: number;
  /** The unit in which maps are mapped, in bytes. */
  readonly pageSize: number;

  /** `bpf(2)`: `cmd` is one of `abi/commands.ts`, `attr` the address of a `union bpf_attr` of which `size` bytes are given. */
  bpf(cmd: number, attr: Address, size: number): number;
  /**
   * The call `bpf(cmd, attr, size)`, to be made often. The attr is handed over: the kernel may rewrite it as it likes, and
   * only the prepared command uses it from now on. Its fd, pointers and flags are settled; what the pointers lead to is not.
   */
  prepare(cmd: number, attr: Address, size: number): PreparedCommand;
  /** `close(2)` of an fd that this kernel gave out; any other is `−EBADF`, so that no stranger's file is closed. */
  close(fd: number): number;
  /**
   * `mmap(2)` of `length` bytes of a map, from `offset`, shared, with `protection` of PROT_READ and PROT_WRITE. Answers
   * the address in `memory` where they appear.
   */
  mmap(fd: number, length: number, protection: number, offset: number): Address;
  /** `munmap(2)` of what `mmap` answered, whole. */
  munmap(address: Address, length: number): number;
  /**
   * `perf_event_open(2)` of the software event by which programs on a CPU give records to user space, enabled: an fd, which
   * can be mapped and waited for, or `−errno`. `−ENODEV` for a CPU that is offline, `−ENOSYS` on a Linux without perf events.
   */
  openBpfOutput(cpu: number): number;
  /**
   * Waits for news of an fd off the event loop: calls back once, and not at once, as an edge-triggered `epoll(7)` would
   * report EPOLLIN or EPOLLOUT, or when the fd is closed. News from before the call counts unless it was told already.
   * Answers how to call it off, or `−errno`: `−EPERM` for what is neither map nor perf event. A map without news has one, that it has none. The
   * process stays alive meanwhile.
   */
  whenReady(fd: number, callback: () => void): (() => void) | number;

  /**
   * What `/proc/self/fdinfo` says of an fd that this kernel gave out: lines of a name, a colon, a tab and a value, among them
   * `map_id`, `memlock` and `frozen` of a map, `prog_id` of a program, `btf_id` of BTF. Any other fd is `−EBADF`.
   */
  fdinfo(fd: number): string | number;

  /** `mkdir(2)` of a directory of the BPF filesystem. */
  mkdir(path: string): number;
  /** `rmdir(2)` of an empty directory of the BPF filesystem. */
  rmdir(path: string): number;
  /** `unlink(2)` of a pin. */
  unlink(path: string): number;
  /** The names in a directory of the BPF filesystem, sorted, or `−errno`. */
  readdir(path: string): string[] | number;

  /**
   * What another thread makes a kernel from that has the same maps and pins; it can be posted to a worker. Throws an `Error`
   * that says why when the maps of this kernel cannot be shared so.
   */
  share(): KernelHandle;

  /**
   * Takes back what kernels still hold that were made from a handle, in threads that have ended. Throws an `Error` where there
   * are no such kernels.
   */
  reclaim(handle: KernelHandle): void;

  /**
   * Closes every fd that is still open, and empties the typed arrays that were made over the memory, unless it is shared.
   * Every later call is `−EBADF`; the memory goes with the last reference to it.
   */
  release(): void;
}

import { createRequire } from "node:module";

/** The number of `bpf(2)` by Node's name of the architecture (`arch/*` of Linux: `syscall.tbl`, `unistd.h`). */
export const BPF_SYSCALL: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };

/** Flags of `mmap(2)`, `include/uapi/asm-generic/mman*.h`: the same on x64 and arm64. */
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;

/** The functions of the C library that the kernel needs, on absolute addresses. Each answers −1 for a failure. */
export interface Libc {
  /** `syscall(number, command, attr, size)`. */
  readonly syscall: (number: number, command: number, attr: number, size: number) => number;
  /** `syscall` of a call with five parameters. */
  readonly syscallOfFive: (number: number, a: number, b: number, c: number, d: number, e: number) => number;
  readonly ioctl: (fd: number, request: number, parameter: number) => number;
  readonly close: (fd: number) => number;
  readonly mmap: (
    address: number,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ) => number;
  readonly epollCreate: (flags: number) => number;
  readonly epollControl: (epoll: number, operation: number, fd: number, event: number) => number;
  readonly epollWait: (epoll: number, events: number, most: number, milliseconds: number) => number;
  readonly eventfd: (value: number, flags: number) => number;
  readonly eventfdRead: (fd: number, value: number) => number;
  readonly eventfdWrite: (fd: number, value: number) => number;
  /** `poll(2)` on another thread, which calls back on this one. */
  readonly pollElsewhere: (fds: number, count: number, milliseconds: number, done: () => void) => void;
  /** What the last failure was. */
  readonly errno: () => number;
  /** Where the bytes of a view lie. */
  readonly addressOf: (view: Uint8Array) => number;
  readonly pageSize: number;
}

/** What is used of koffi; its own types are not, so that ours compile where it is not installed. */
export interface Koffi {
  load(path: null): { func(declaration: string): NativeFunction };
  proto(declaration: string): unknown;
  pointer(type: unknown): unknown;
  register(callback: (handle: number) => void, type: unknown): unknown;
  errno(): number;
  address(view: Uint8Array): bigint;
}

interface NativeFunction {
  (...numbers: number[]): number;
  async(...parameters: [...numbers: number[], done: () => void]): void;
}

let loaded: Libc | undefined;
let koffi: Koffi | undefined;

/**
 * The C library of this process through koffi, which is loaded on the first call and not before. Throws what
 * `require` throws when koffi is not installed, and koffi's own error when it has no binary for this machine.
 */
export function loadLibc(): Libc {
  return (loaded ??= bindLibc(loadKoffi()));
}

/** koffi, for what is not the C library's. Throws as `loadLibc` does. */
export function loadKoffi(): Koffi {
  return (koffi ??= createRequire(import.meta.url)("koffi") as Koffi);
}

function bindLibc(koffi: Koffi): Libc {
  const library = koffi.load(null);
  const poll = library.func("int poll(int64_t fds, uint64_t count, int milliseconds)");
  return {
    // Whole registers and no pointer types: what koffi converts fastest.
    syscall: library.func("int syscall(int64_t number, int64_t command, int64_t attr, int64_t size)"),
    syscallOfFive: library.func("int syscall(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)"),
    ioctl: library.func("int ioctl(int fd, uint64_t request, int64_t parameter)"),
    close: library.func("int close(int fd)"),
    mmap: library.func(
      "int64_t mmap(int64_t address, size_t length, int protection, int flags, int fd, int64_t offset)",
    ),
    epollCreate: library.func("int epoll_create1(int flags)"),
    epollControl: library.func("int epoll_ctl(int epoll, int operation, int fd, int64_t event)"),
    epollWait: library.func("int epoll_wait(int epoll, int64_t events, int most, int milliseconds)"),
    eventfd: library.func("int eventfd(unsigned int value, int flags)"),
    eventfdRead: library.func("int eventfd_read(int fd, int64_t value)"),
    eventfdWrite: library.func("int eventfd_write(int fd, uint64_t value)"),
    pollElsewhere: (fds, count, milliseconds, done) => poll.async(fds, count, milliseconds, done),
    errno: koffi.errno,
    addressOf: (view) => Number(koffi.address(view)),
    pageSize: library.func("int getpagesize(void)")(),
  };
}

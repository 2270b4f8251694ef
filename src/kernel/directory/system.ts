import {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  EMFILE,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
} from "../../abi/errno.ts";

/** What is used of `node:fs`. Its own types are not, so that a browser's compiler needs none of Node. */
interface FileSystem {
  readonly constants: Readonly<Record<string, number>>;
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(fd: number): void;
  fstatSync(fd: number): FileStatus;
  lstatSync(path: string): FileStatus;
  existsSync(path: string): boolean;
  readSync(fd: number, to: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, position: number): number;
  ftruncateSync(fd: number, length: number): void;
  linkSync(existing: string, path: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string, options: { readonly mode: number }): void;
  statSync(path: string): FileStatus;
  rmdirSync(path: string): void;
  readdirSync(path: string): string[];
  readFileSync(path: string, encoding: "latin1"): string;
  realpathSync(path: string): string;
  watch(path: string, listener: () => void): FileWatcher;
}

/** Watches a file until it is closed; the process stays alive unless it is told otherwise. */
export interface FileWatcher {
  ref(): unknown;
  unref(): unknown;
  close(): void;
  on(event: "error", listener: () => void): unknown;
}

export interface FileStatus {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly nlink: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

export function isSameFile(a: FileStatus, b: FileStatus): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** What is used of koffi; its own types are not, so that ours compile where it is not installed. */
interface Koffi {
  load(path: null): { func(declaration: string): (...numbers: number[]) => number };
  errno(): number;
  address(view: Uint8Array): bigint;
}

interface Node {
  readonly platform: string;
  readonly arch: string;
  readonly pid: number;
  getBuiltinModule?(name: "node:fs"): FileSystem;
  getBuiltinModule?(name: "node:path"): System["path"];
  getBuiltinModule?(name: "node:module"): { createRequire(path: string): (name: string) => unknown };
  getBuiltinModule?(name: "node:child_process"): {
    execFileSync(file: string, args: readonly string[], options: { readonly encoding: "latin1" }): string;
  };
}

const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_NONBLOCKING = 4;
const LOCK_NONE = 8;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_FIXED = 0x10;
/** MAP_ANONYMOUS | MAP_NORESERVE, by platform. */
const ANONYMOUS: Readonly<Record<string, number>> = { linux: 0x20 | 0x4000, darwin: 0x1000 | 0x40 };

const ZEROS = 1 << 20;

/** Why maps cannot be kept in a directory here. */
export class DirectoryUnavailableError extends Error {
  override readonly name = "DirectoryUnavailableError";
  /** What is in the way, in no words of this library: for those who ask by other means than `embedded({ bpffs })`. */
  readonly reason: string;

  constructor(message: string, reason: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The system calls that maps in a directory are made of. */
export interface System {
  readonly fs: FileSystem;
  readonly path: { dirname(path: string): string };
  readonly arch: string;
  readonly pid: number;
  readonly pageSize: number;
  /** Names this boot of the machine: 16 bytes. */
  readonly boot: Uint8Array;
  /** `flock(2)`, shared, waiting for whoever has it exclusively. */
  lockShared(fd: number): boolean;
  /** `flock(2)`, shared, without waiting. */
  tryLockShared(fd: number): boolean;
  /** `flock(2)`, exclusively, without waiting. */
  tryLockExclusive(fd: number): boolean;
  /** `flock(2)`: lets go of what the fd has locked. */
  unlock(fd: number): void;
  /** Makes a new file so long, with all of its blocks: writing to it never fails later. 0 or −errno. */
  allocate(fd: number, bytes: number): number;
  /** Maps a file shared over a part of a memory, from an absolute address on. 0 or −errno. */
  map(absolute: number, bytes: number, fd: number): number;
  /** Puts fresh zeroed memory over a part of a memory. 0 or −errno. */
  unmap(absolute: number, bytes: number): number;
  addressOf(view: Uint8Array): number;
  sleep(milliseconds: number): void;
}

let loaded: System | undefined;

/** The system, through Node and koffi, loaded on the first call. Throws a `DirectoryUnavailableError` that says what is missing. */
export function loadSystem(): System {
  return (loaded ??= bindSystem());
}

function bindSystem(): System {
  const node = (globalThis as { process?: Node }).process;
  if (node?.platform === undefined)
    throw unavailable("maps in files need an operating system, and there is none in a browser");
  const anonymous = ANONYMOUS[node.platform];
  if (anonymous === undefined) throw unavailable(`maps in files need Linux or macOS, and this is ${node.platform}`);
  if (node.getBuiltinModule === undefined) throw unavailable("maps in files need Node 20.16 or newer");
  const fs = node.getBuiltinModule("node:fs");
  const koffi = loadKoffi(node);
  const library = koffi.load(null);
  const flock = library.func("int flock(int fd, int operation)");
  const mmap = library.func(
    "int64_t mmap(int64_t address, size_t length, int protection, int flags, int fd, int64_t offset)",
  );
  const answer = (result: number): number => (result < 0 ? -koffi.errno() : 0);
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  return {
    fs,
    path: node.getBuiltinModule("node:path"),
    arch: node.arch,
    pid: node.pid,
    pageSize: library.func("int getpagesize(void)")(),
    boot: bootOf(node, fs),
    lockShared: (fd) => flock(fd, LOCK_SHARED) === 0,
    tryLockShared: (fd) => flock(fd, LOCK_SHARED | LOCK_NONBLOCKING) === 0,
    tryLockExclusive: (fd) => flock(fd, LOCK_EXCLUSIVE | LOCK_NONBLOCKING) === 0,
    unlock: (fd) => void flock(fd, LOCK_NONE),
    allocate: node.platform === "linux" ? fallocate(library) : (fd, bytes) => fillWithZeros(fs, fd, bytes),
    map: (absolute, bytes, fd) => answer(mmap(absolute, bytes, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, fd, 0)),
    unmap: (absolute, bytes) =>
      answer(mmap(absolute, bytes, PROT_READ_WRITE, MAP_PRIVATE | MAP_FIXED | anonymous, -1, 0)),
    addressOf: (view) => Number(koffi.address(view)),
    sleep: (milliseconds) => void Atomics.wait(asleep, 0, 0, milliseconds),
  };
}

function unavailable(reason: string): DirectoryUnavailableError {
  return new DirectoryUnavailableError(
    `embedded({ bpffs }) is not possible here: ${reason}. Without bpffs, embedded() keeps maps in memory and needs nothing`,
    reason,
  );
}

function loadKoffi(node: Node): Koffi {
  try {
    return node.getBuiltinModule?.("node:module").createRequire(import.meta.url)("koffi") as Koffi;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw unavailable(`maps in files need the package koffi, which cannot be loaded (${why}): npm install koffi`);
  }
}

/** `posix_fallocate(3)`, which answers the error itself. */
function fallocate(library: ReturnType<Koffi["load"]>): System["allocate"] {
  const call = library.func("int posix_fallocate(int fd, int64_t offset, int64_t length)");
  return (fd, bytes) => -call(fd, 0, bytes);
}

function fillWithZeros(fs: FileSystem, fd: number, bytes: number): number {
  const zeros = new Uint8Array(Math.min(bytes, ZEROS));
  try {
    for (let at = 0; at < bytes; at += zeros.length) fs.writeSync(fd, zeros, 0, Math.min(zeros.length, bytes - at), at);
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}

/** The boot id: of Linux `/proc/sys/kernel/random/boot_id`, of macOS `kern.bootsessionuuid`. */
function bootOf(node: Node, fs: FileSystem): Uint8Array {
  const text =
    node.platform === "linux"
      ? fs.readFileSync("/proc/sys/kernel/random/boot_id", "latin1")
      : node.getBuiltinModule?.("node:child_process").execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], {
          encoding: "latin1",
        });
  const digits = (text ?? "").replace(/[^0-9a-fA-F]/g, "");
  return Uint8Array.from({ length: 16 }, (_, byte) => Number.parseInt(digits.slice(byte * 2, byte * 2 + 2), 16));
}

const ERRNOS: Readonly<Record<string, number>> = {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  EMFILE,
  ENAMETOOLONG,
  ENOENT,
  ENOMEM,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  // A path that leads through a symbolic link, which no BPF filesystem of ours has.
  ELOOP: EACCES,
  EROFS: EPERM,
};

/** `−errno` for what a function of `node:fs` threw, in Linux's numbers. */
export function errnoOf(error: unknown): number {
  const { code, errno } = error as { code?: string; errno?: number };
  return -(ERRNOS[code ?? ""] ?? Math.abs(errno ?? EINVAL));
}

/** 0 when a function returns, or `−errno` for what it threw. */
export function errorOf(call: () => void): number {
  try {
    call();
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}

/** What a function answers, or `−errno` for what it threw. */
export function attempt<T>(call: () => T): T | number {
  try {
    return call();
  } catch (error) {
    return errnoOf(error);
  }
}

/**
 * `fork(2)` for Node on Linux, which has none: a process that has loaded and warmed up everything gives birth to others in
 * milliseconds, so that tests can kill thousands.
 *
 * Node must run with `FORKING`: only the thread that calls is there in the child, which must neither come back to the event
 * loop nor leave by `process.exit`, for both wait for threads. Without garbage it touches fewer pages, each of which has to be
 * copied.
 */
import { openSync, readSync } from "node:fs";
import koffi from "koffi";

/** What Node is to be started with. */
export const FORKING = [
  ...["--single-threaded", "--v8-pool-size=0", "--expose-gc", "--no-incremental-marking"],
  ...["--min-semi-space-size=16", "--max-semi-space-size=16"],
] as const;

const MADV_DOFORK = 11;
const SIGKILL = 9;

const libc = koffi.load(null);
const forkProcess = libc.func("int fork(void)");
const wait = libc.func("int waitpid(int pid, _Out_ int *status, int options)");
const madvise = libc.func("int madvise(int64_t address, int64_t length, int advice)");
const leave = libc.func("void _exit(int status)");

/** 0 in the child, and in the parent the child's process id. */
export function fork(): number {
  copyAllPages();
  const pid: number = forkProcess();
  if (pid < 0) throw new Error("fork has failed");
  return pid;
}

/** Kills a child, and waits until it is gone. Throws an `Error` when it had ended before by itself. */
export function killChild(pid: number): void {
  process.kill(pid, "SIGKILL");
  const status = [0];
  wait(pid, status, 0);
  if (status[0] !== SIGKILL) throw new Error(`process ${pid} had ended with the status ${status[0]}`);
}

/** Ends a child that came to an end by itself. */
export function exitChild(status: number): never {
  leave(status);
  throw new Error("_exit has come back");
}

/** What the kernel says of this process's memory, now and when it was last asked. */
const maps = openMaps();
let [listing, former] = [Buffer.alloc(1 << 17), Buffer.alloc(1 << 17)];
let formerLength = 0;

function openMaps(): number {
  return openSync("/proc/self/maps", "r");
}

/**
 * V8 tells the kernel to give its heap to no child. Here that is taken back, again and again until nothing new has been
 * mapped meanwhile; so this must not allocate much.
 */
function copyAllPages(): void {
  for (;;) {
    const length = readMaps();
    if (length === formerLength && listing.compare(former, 0, length, 0, length) === 0) return;
    for (let line = 0; line < length; line = listing.indexOf("\n", line) + 1) {
      const dash = listing.indexOf("-", line);
      const start = hexadecimal(line, dash);
      const end = hexadecimal(dash + 1, listing.indexOf(" ", dash));
      // Not the last page of all, which is the kernel's.
      if (end < 2 ** 47) madvise(start, end - start, MADV_DOFORK);
    }
    [listing, former] = [former, listing];
    formerLength = length;
  }
}

function readMaps(): number {
  let length = 0;
  for (;;) {
    const read = readSync(maps, listing, length, listing.length - length, length);
    if (read === 0) return length;
    length += read;
  }
}

function hexadecimal(from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = listing[at] as number;
    value = value * 16 + (digit > 0x39 ? digit - 0x61 + 10 : digit - 0x30);
  }
  return value;
}

import { openSync, readSync } from "node:fs";

/**
 * How to ask how many nanoseconds the thread that calls this has waited for a CPU while it could have run. By that much the
 * clock goes on without it when others want the CPUs too, and two threads lose more so than one. Always 0 where the system does
 * not tell.
 */
export function runQueueTime(): () => number {
  let fd: number;
  try {
    fd = openSync("/proc/thread-self/schedstat", "r");
  } catch {
    return () => 0;
  }
  const text = Buffer.alloc(80);
  return () => Number(text.toString("latin1", 0, readSync(fd, text, 0, text.length, 0)).split(" ")[1]);
}

/**
 * A process that hammers the maps with two threads: `node torture-process.js DIRECTORY LOG SEED SLOT NAP`, where the second
 * thread has the slot behind. After each round it naps so many milliseconds, and it tells how long its longest round took.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { Hammer } from "./torture-hammer.ts";
import { TortureLog } from "./torture-log.ts";

const args = (isMainThread ? process.argv.slice(2) : workerData) as [string, string, string, string, string];
const [directory, logPath, seedText, slotText, nap] = args;
const slot = Number(slotText);

if (isMainThread) {
  const forThread = [directory, logPath, String(Number(seedText) + 7), String(slot + 1), nap];
  new Worker(new URL(import.meta.url), { workerData: forThread });
}

const asleep = new Int32Array(new SharedArrayBuffer(4));
const log = new TortureLog(logPath);
const waitedForCpu = runQueue();
const slowest = { wall: 0, running: 0 };
try {
  const hammer = new Hammer(directory, log, slot, Number(seedText));
  log.tell(slot, "IS_READY", 1);
  for (let round = 1; ; round++) {
    const [start, waited] = [performance.now(), waitedForCpu()];
    hammer.round();
    note(performance.now() - start, () => waitedForCpu() - waited);
    log.tell(slot, "ROUNDS", round);
    Atomics.wait(asleep, 0, 0, Number(nap));
  }
} catch (error) {
  console.error(`in slot ${slot}:`, error);
  log.tell(slot, "FAILED", 1);
  process.exit(3);
}

/** Tells how long a round took, and how long without what it waited for a processor. */
function note(wall: number, waited: () => number): void {
  if (wall <= slowest.running) return;
  slowest.wall = Math.max(slowest.wall, wall);
  slowest.running = Math.max(slowest.running, wall - waited());
  log.tell(slot, "SLOWEST", Math.ceil(slowest.wall * 1000));
  log.tell(slot, "SLOWEST_RUNNING", Math.ceil(slowest.running * 1000));
}

/** How many milliseconds this thread has waited for a processor; always 0 where the system does not tell. */
function runQueue(): () => number {
  const path = "/proc/thread-self/schedstat";
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return () => 0;
  }
  process.on("exit", () => closeSync(fd));
  const text = Buffer.alloc(80);
  return () => Number(text.toString("latin1", 0, readSync(fd, text, 0, text.length, 0)).split(" ")[1]) / 1e6;
}

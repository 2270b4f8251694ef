/**
 * Those who are killed. This process opens and hammers maps of its own until it is warm, and then gives birth to others, some
 * at a time, who hammer the maps of a directory until they are killed: most of them amid a round, some while they are still
 * opening the maps. Each checks first what the one before it in its slot has left behind.
 *
 * `node … victims-process.js DIRECTORY LOG SEED KILLS FIRST_SLOT`, with the flags of `fork.ts` and the directory and the log
 * that it warms up with behind.
 */
import { writeSync } from "node:fs";
import { exitChild, fork, killChild } from "./fork.ts";
import { agentsOf, HeldLocks } from "./held-locks.ts";
import { generator } from "./random.ts";
import { Hammer } from "./torture-hammer.ts";
import { TortureLog } from "./torture-log.ts";
import { MAP_NAMES } from "./torture-maps.ts";

const AT_A_TIME = 4;
const WARM_UP = { OPENINGS: 30, ROUNDS: 50 } as const;
/** The longest life of one that hammers, in microseconds. */
const LONGEST = 8000;
/** Of so many one may be killed before it has begun. */
const EARLY = 10;

const args = process.argv.slice(2) as [string, string, string, string, string, string, string];
const [directory, logPath, seedText, killsText, slotText, ownDirectory, ownLogPath] = args;
const [seed, kills, firstSlot] = [Number(seedText), Number(killsText), Number(slotText)];
const random = generator(seed);
const asleep = new Int32Array(new SharedArrayBuffer(4));
const log = new TortureLog(logPath);

warmUp();
const held = new HeldLocks(directory, MAP_NAMES);
const victims = Array.from({ length: AT_A_TIME }, (_, index) => start(firstSlot + index, index));
for (let kill = 0; kill < kills; kill++) {
  const index = kill % AT_A_TIME;
  const slot = firstSlot + index;
  const isEarly = random(EARLY) === 0;
  while (!isEarly && log.told(slot, "IS_READY") === 0 && log.told(slot, "FAILED") === 0) sleep(500);
  sleep(random(LONGEST));
  end(victims[index] as number);
  victims[index] = start(slot, kill + AT_A_TIME);
}
for (const victim of victims) end(victim);
const { locks, shares, takenOver } = held.count();
log.tell(firstSlot, "LOCKS", locks);
log.tell(firstSlot, "SHARES", shares);
log.tell(firstSlot, "TAKEN_OVER", takenOver);

/** So that what is hammered is the code that runs after a while, and is born with it, and without garbage. */
function warmUp(): void {
  const log = new TortureLog(ownLogPath);
  for (let opening = 0; opening < WARM_UP.OPENINGS; opening++) {
    const hammer = new Hammer(ownDirectory, log, 0, opening);
    for (let round = 0; round < WARM_UP.ROUNDS; round++) hammer.round();
    hammer.close();
  }
  globalThis.gc?.();
}

/** Kills a victim, and looks what it had in its hands. */
function end(pid: number): void {
  const agents = agentsOf(pid);
  killChild(pid);
  held.note(agents);
}

function sleep(microseconds: number): void {
  Atomics.wait(asleep, 0, 0, microseconds / 1000);
}

function start(slot: number, number: number): number {
  log.tell(slot, "IS_READY", 0);
  const pid = fork();
  return pid === 0 ? live(slot, seed + number * 7919) : pid;
}

function live(slot: number, seed: number): never {
  try {
    const hammer = new Hammer(directory, log, slot, seed);
    log.tell(slot, "IS_READY", 1);
    for (let round = 1; ; round++) {
      hammer.round();
      log.tell(slot, "ROUNDS", round);
    }
  } catch (error) {
    writeSync(2, `in slot ${slot}: ${error instanceof Error ? error.stack : error}\n`);
    log.tell(slot, "FAILED", 1);
    exitChild(3);
  }
}

/**
 * Processes and threads that hammer the same maps, and are killed at any moment. Nothing that was written may be lost, no
 * value torn, no entry there twice, no room lost, and nobody who lives held up. `--runs N` kills N times.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { embedded } from "mapiary";
import { E2BIG } from "../../src/abi/errno.ts";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { FORKING } from "./fork.ts";
import { agentsOf, type HeldCount, HeldLocks } from "./held-locks.ts";
import { assertReleased, assertWhole } from "./segment-walk.ts";
import { TortureLog } from "./torture-log.ts";
import {
  HASH_ENTRIES,
  LRU_ENTRIES,
  MAP_NAMES,
  makeMaps,
  OwnEntries,
  openMaps,
  SLOTS,
  SMALL_ENTRIES,
  type TortureMaps,
  TRIE_ENTRIES,
} from "./torture-maps.ts";
import { bytesOf, lockedOf, smallOf } from "./torture-values.ts";

const IS_LONG = process.env["MAPIARY_RUNS"] !== undefined;
/** Node's newer versions do not survive a `fork`: there processes are started to be killed, which takes far longer. */
const canFork = process.platform === "linux" && Number.parseInt(process.versions.node, 10) < 24;
const KILLS = Number(process.env["MAPIARY_RUNS"] ?? (canFork ? 40 : 12));
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
/** After so many deaths all maps are walked, and new ones made. */
const PORTION = 500;
/** The longest that somebody who lives may wait for one thing, in milliseconds, beside what it waits for a processor itself. */
const LONGEST_WAIT = 5000;
/** Milliseconds: the longest life of a process with threads, from one such death to the next birth, and after a survivor's round. */
const LIFE = 300;
const PAUSE = IS_LONG ? 1000 : 200;
const NAP = 2;

/** The first of the keys that nobody hammers. */
const ABSENT = 1_000_000;

/** Who hammers: two processes of two threads that nobody kills, one that is killed, and those that it takes no time to start. */
const SLOT = { SURVIVORS: [0, 2], DOOMED: 4, VICTIMS: 6 } as const;

interface Totals {
  deaths: number;
  locks: number;
  shares: number;
  takenOver: number;
  rounds: number;
  slowest: number;
  slowestRunning: number;
}

let processes: Bundle;
let victims: Bundle;
const children = new Set<ChildProcess>();

before(async () => {
  [processes, victims] = await Promise.all([bundle("torture-process.ts"), bundle("victims-process.ts")]);
});

after(() => {
  // Of a test that has failed, so that nobody waits for them.
  for (const child of children) child.kill("SIGKILL");
  processes.remove();
  victims.remove();
});

test(`${KILLS} deaths lose nothing, tear nothing, leak nothing and hold nobody up (seed ${SEED})`, async (context) => {
  const totals: Totals = {
    ...{ deaths: 0, locks: 0, shares: 0, takenOver: 0, rounds: 0 },
    ...{ slowest: 0, slowestRunning: 0 },
  };
  const start = performance.now();
  for (let seed = SEED; totals.deaths < KILLS; seed += 100) {
    await hammerOn(Math.min(PORTION, KILLS - totals.deaths), seed, totals);
    const seconds = Math.round((performance.now() - start) / 1000);
    const report = `${totals.deaths} deaths${IS_LONG ? ` in ${seconds} s` : ""}, ${reportOf(totals)}`;
    if (IS_LONG) console.log(report);
    else context.diagnostic(report);
  }
});

function reportOf({ locks, shares, takenOver, rounds, slowest, slowestRunning }: Totals): string {
  return [
    `${locks} with a lock in hand and ${shares} with a share of one, of which the others took over ${takenOver}`,
    `${rounds} rounds of those who lived`,
    `the longest round ${ms(slowest)} ms, ${ms(slowestRunning)} without waiting for a processor`,
  ].join("; ");
}

function ms(microseconds: number): string {
  return (microseconds / 1000).toFixed(1);
}

/** Kills so many, and then looks whether all is in order. */
async function hammerOn(kills: number, seed: number, totals: Totals): Promise<void> {
  const [directory, logPath] = [newDirectory(), join(newDirectory(), "log")];
  const log = TortureLog.make(logPath);
  using bpf = embedded({ bpffs: directory });
  makeMaps(bpf);
  const maps = openMaps(bpf);
  const held = new HeldLocks(directory, MAP_NAMES);
  const entries = Array.from({ length: SLOTS }, (_, slot) => new OwnEntries(maps, slot));
  const settle = (...slots: number[]): void => {
    for (const slot of slots) log.settle(entries[slot] as OwnEntries, slot);
  };
  const startProcess = async (slot: number, nap: number, seed: number): Promise<ChildProcess> => {
    for (const thread of [slot, slot + 1]) log.tell(thread, "IS_READY", 0);
    const child = start([processes.file, directory, logPath, String(seed), String(slot), String(nap)]);
    while (log.told(slot, "IS_READY") === 0 || log.told(slot + 1, "IS_READY") === 0) {
      assert.equal(child.exitCode, null, "a process has ended by itself");
      await delay(5);
    }
    return child;
  };

  const survivors = await Promise.all(SLOT.SURVIVORS.map((slot) => startProcess(slot, NAP, seed + slot)));
  let isOver = !canFork;
  const ended = canFork ? killVictims(directory, logPath, seed, kills).finally(() => (isOver = true)) : undefined;
  let deaths = canFork ? kills : 0;
  for (let round = 0; !isOver || deaths < kills; round++, deaths++) {
    const doomed = await startProcess(SLOT.DOOMED, 0, seed + 10 + round);
    await Promise.race([ended, delay((round * 37) % LIFE)]);
    const agents = agentsOf(doomed.pid as number);
    await kill(doomed);
    held.note(agents);
    settle(SLOT.DOOMED, SLOT.DOOMED + 1);
    await Promise.race([ended, delay(canFork ? PAUSE : 0)]);
  }
  await ended;
  add(totals, held.count());
  held.close();
  add(totals, {
    locks: log.told(SLOT.VICTIMS, "LOCKS"),
    shares: log.told(SLOT.VICTIMS, "SHARES"),
    takenOver: log.told(SLOT.VICTIMS, "TAKEN_OVER"),
  });
  for (const survivor of survivors) await kill(survivor);
  for (let slot = 0; slot < SLOTS; slot++) {
    settle(slot);
    assert.equal(log.told(slot, "FAILED"), 0);
  }
  for (const [slot] of SLOT.SURVIVORS.flatMap((first) => [first, first + 1]).entries()) {
    totals.rounds += log.told(slot, "ROUNDS");
    totals.slowest = Math.max(totals.slowest, log.told(slot, "SLOWEST"));
    totals.slowestRunning = Math.max(totals.slowestRunning, log.told(slot, "SLOWEST_RUNNING"));
  }
  totals.deaths += deaths + survivors.length;
  assert(totals.slowestRunning < LONGEST_WAIT * 1000, `something was held up for ${ms(totals.slowestRunning)} ms`);

  for (const name of MAP_NAMES) assertWhole(join(directory, name));
  assertFull(maps);
  lockAll(maps);
  for (const name of MAP_NAMES) {
    assertWhole(join(directory, name), { hasLost: false });
    assertReleased(join(directory, name));
  }
}

function add(totals: Totals, { locks, shares, takenOver }: HeldCount): void {
  totals.locks += locks;
  totals.shares += shares;
  totals.takenOver += takenOver;
}

/** Lets a process kill those that it gives birth to. */
async function killVictims(directory: string, log: string, seed: number, kills: number): Promise<void> {
  const [warmUp, warmUpLog] = [newDirectory(), join(newDirectory(), "log")];
  TortureLog.make(warmUpLog);
  using bpf = embedded({ bpffs: warmUp });
  makeMaps(bpf);
  const args = [directory, log, String(seed), String(kills), String(SLOT.VICTIMS), warmUp, warmUpLog];
  const child = start([...FORKING, victims.file, ...args]);
  const [status] = await once(child, "exit");
  assert.equal(status, 0, "a victim has ended by itself");
}

function start(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  assert.equal(child.exitCode, null, "a process has ended by itself");
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** As many entries go in as the maps are made for, and not one more. */
function assertFull({ hash, small, locked, trie, lru }: TortureMaps): void {
  const value = bytesOf(0, 0);
  let key = ABSENT;
  const fill = (set: () => void): void =>
    assert.throws(
      () => {
        for (;;) set();
      },
      { code: "E2BIG" },
    );
  fill(() => hash.set(key++, value));
  assert.equal(hash.count(), HASH_ENTRIES);
  fill(() => small.set(key++, smallOf(key, 0)));
  assert.equal(small.count(), SMALL_ENTRIES);
  while (locked.set(key, lockedOf(key, 0)) === 0) key++;
  assert.equal(locked.set(key, lockedOf(key, 0)), -E2BIG);
  assert.equal(locked.keys().length, SMALL_ENTRIES);
  let prefix = 0;
  assert.throws(
    () => {
      for (; ; prefix++) trie.set(`11.0.${prefix >>> 8}.${prefix & 255}/32`, value);
    },
    { code: "ENOSPC" },
  );
  assert.equal(trie.count(), TRIE_ENTRIES);
  for (let index = 0; index < 200; index++) lru.set(ABSENT + index, value);
  assert.equal(lru.count(), LRU_ENTRIES);
}

/** Takes every lock there is: with keys that are not there, and with all indexes. */
function lockAll({ hash, small, array, locked, staged, lru, queue, stack }: TortureMaps): void {
  for (let key = 0; key < 2000; key++) for (const map of [hash, small, lru]) map.delete(2 * ABSENT + key);
  const value = bytesOf(0, 0);
  for (const index of array.keys()) array.set(index, value);
  for (let key = 0; key < 2000; key++) locked.delete(2 * ABSENT + key);
  for (const map of [locked, staged]) for (const key of map.keys()) map.expect(map.set(key, lockedOf(key, 0)));
  queue.push(value, "exist");
  stack.push(value, "exist");
}

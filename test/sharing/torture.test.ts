/**
 * Processes and threads that hammer the same maps, and are killed at any moment. Nothing that was written may be lost, no
 * value torn, no entry there twice, no room lost. `--runs N` kills N times.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Bpf, embedded } from "mapiary";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { assertWhole } from "./segment-walk.ts";
import { bytesOf, HASH_ENTRIES, KEYS, LOG, makeMaps, OWN_KEYS, openMaps, SLOTS } from "./torture-maps.ts";

const KILLS = Number(process.env["MAPIARY_RUNS"] ?? 12);
const SEED = Number(process.env["MAPIARY_SEED"] ?? 1000);
/** Processes at a time; each has a thread besides, in a slot of its own. */
const PROCESSES = 3;

let script: Bundle;

before(async () => {
  script = await bundle("torture-process.ts");
});

after(() => script.remove());

test(`${KILLS} deaths lose nothing, tear nothing and leak nothing (seed ${SEED})`, async () => {
  const directory = newDirectory();
  const log = join(newDirectory(), "log");
  writeFileSync(log, new Uint8Array(SLOTS * OWN_KEYS * LOG.BYTES));
  using bpf = embedded({ bpffs: directory });
  makeMaps(bpf);
  const running: ChildProcess[] = [];
  const ready: Promise<unknown>[] = [];
  let rounds = 0;
  const failures: string[] = [];
  const start = (index: number): void => {
    const args = [
      script.file,
      directory,
      String(index * 2),
      log,
      String(SEED + index + running.length),
      String(index * 2 + 1),
    ];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    running[index] = child;
    child.on("exit", (code) => {
      if (code !== null) failures.push(`a process ended with ${code}`);
    });
    ready[index] = Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  };
  for (let index = 0; index < PROCESSES; index++) start(index);
  for (let kill = 0; kill < KILLS; kill++) {
    const index = kill % PROCESSES;
    await ready[index];
    await delay(Math.random() * 60);
    await end(running[index] as ChildProcess);
    for (const slot of [index * 2, index * 2 + 1]) rounds += takeRounds(log, slot);
    for (const slot of [index * 2, index * 2 + 1]) assertOwnKeys(bpf, readLog(log), slot);
    start(index);
  }

  assert(rounds > KILLS, `only ${rounds} rounds before ${KILLS} deaths`);
  assert.deepEqual(failures, []);
  for (const process of running) await end(process);
  const records = readLog(log);
  for (let slot = 0; slot < SLOTS; slot++) assertOwnKeys(bpf, records, slot);
  for (const name of ["hash", "lru", "trie", "queue", "array"]) assertWhole(join(directory, name));
  assertFull(bpf);
  for (const name of ["hash", "lru", "trie"]) assertWhole(join(directory, name), { hasLost: false });
});

async function end(child: ChildProcess): Promise<void> {
  assert.equal(child.exitCode, null, "a process has ended by itself");
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** How many rounds a slot has done since this was last asked. */
function takeRounds(path: string, slot: number): number {
  const at = (slot * OWN_KEYS + 1) * LOG.BYTES + LOG.ROUNDS;
  const fd = openSync(path, "r+");
  const rounds = new Uint32Array(1);
  readSync(fd, rounds, 0, 4, at);
  writeSync(fd, new Uint32Array(1), 0, 4, at);
  closeSync(fd);
  return rounds[0] as number;
}

function readLog(path: string): DataView {
  const bytes = readFileSync(path);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What is there of the keys of a slot is what was written last, or what was being written. */
function assertOwnKeys(bpf: Bpf, log: DataView, slot: number): void {
  const maps = openMaps(bpf);
  for (let own = 0; own < OWN_KEYS; own++) {
    const at = (slot * OWN_KEYS + own) * LOG.BYTES;
    const key = KEYS + slot * OWN_KEYS + own;
    const [intended, written, deleting] = [LOG.INTENDED, LOG.WRITTEN, LOG.DELETING].map((field) =>
      log.getUint32(at + field, true),
    ) as [number, number, number];
    const isIt = (value: Uint8Array | undefined, number: number): boolean =>
      number === 0 ? value === undefined : value !== undefined && Buffer.compare(value, bytesOf(key, number)) === 0;
    const value = maps.hash.get(key);
    const may = [written, intended, ...(deleting === 0 ? [] : [0])];
    assert(
      may.some((number) => isIt(value, number)),
      `key ${key} of slot ${slot} is ${value}, not one of ${may}`,
    );
    if (own === 0) assert.equal(log.getUint32(at + LOG.FAILED, true), 0);
    assert(log.getUint32(at + LOG.SLOWEST, true) < 10_000, "something has waited for 10 seconds");
  }
  for (const map of Object.values(maps)) map.close();
}

/** As many entries go in as the maps are made for, and not one more. */
function assertFull(bpf: Bpf): void {
  const maps = openMaps(bpf);
  const value = bytesOf(0, 0);
  let key = 0;
  assert.throws(
    () => {
      for (;;) maps.hash.set(1_000_000 + key++, value);
    },
    { code: "E2BIG" },
  );
  assert.equal(maps.hash.count(), HASH_ENTRIES);
  let prefix = 0;
  assert.throws(
    () => {
      for (; ; prefix++) maps.trie.set(`11.0.${prefix >>> 8}.${prefix & 255}/32`, value);
    },
    { code: "ENOSPC" },
  );
  assert.equal(maps.trie.count(), 60);
  for (let index = 0; index < 200; index++) maps.lru.set(1_000_000 + index, value);
  assert.equal(maps.lru.count(), 50);
  for (const map of Object.values(maps)) map.close();
}

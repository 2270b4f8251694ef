/**
 * One of those who hammer a directory of maps until it is killed: `node torture-process.js DIRECTORY SLOT LOG SEED`. With a
 * seventh argument it is a thread of such a process, in a slot of its own.
 *
 * Some keys are its slot's alone: it notes in a log what it is about to write and what it has written, so that somebody else
 * can tell later whether what is there is right. All others it shares with everybody.
 */
import { openSync, writeSync } from "node:fs";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { embedded } from "mapiary";
import { bytesOf, KEYS, LOG, OWN_KEYS, openMaps, SHARED_KEYS } from "./torture-maps.ts";

const [directory, slotText, logPath, seedText, threadSlot] = (isMainThread
  ? process.argv.slice(2)
  : workerData) as string[] as [string, string, string, string, string | undefined];
const slot = Number(slotText);

/** A small generator of its own, for `Math.random` cannot be repeated. */
let state = Number(seedText) >>> 0 || 1;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

/** One of 21 networks, some of them in others. */
function network(): string {
  const [second, third] = [random(4), random(4)];
  return [`10.${second}.${third}.0/24`, `10.${second}.0.0/16`, "10.0.0.0/8"][random(3)] as string;
}

const log = openSync(logPath, "r+");
const record = new Uint32Array(1);
function note(key: number, field: number, number: number): void {
  record[0] = number;
  writeSync(log, record, 0, 4, (slot * OWN_KEYS + key) * LOG.BYTES + field);
}

if (isMainThread && threadSlot !== undefined) {
  new Worker(new URL(import.meta.url), { workerData: [directory, threadSlot, logPath, String(Number(seedText) + 7)] });
}

const bpf = embedded({ bpffs: directory });
const maps = openMaps(bpf);
let slowest = 0;
if (isMainThread) process.stdout.write("ready");
for (let round = 1; ; round++) {
  const start = performance.now();
  const number = state >>> 0;
  const own = random(OWN_KEYS);
  const ownKey = KEYS + slot * OWN_KEYS + own;
  note(own, LOG.INTENDED, number);
  switch (random(4)) {
    case 0:
      note(own, LOG.DELETING, 1);
      maps.hash.delete(ownKey);
      note(own, LOG.WRITTEN, 0);
      note(own, LOG.DELETING, 0);
      break;
    default:
      maps.hash.set(ownKey, bytesOf(ownKey, number));
      maps.array.set(slot * OWN_KEYS + own, bytesOf(ownKey, number));
      note(own, LOG.WRITTEN, number);
  }
  const shared = random(SHARED_KEYS);
  switch (random(14)) {
    case 0:
    case 1:
    case 2:
      if (maps.hash.count() >= 0) maps.hash.set(shared, bytesOf(shared, number));
      break;
    case 3:
      maps.hash.delete(shared);
      break;
    case 4:
      maps.hash.take(shared);
      break;
    case 5:
      maps.lru.set(random(1000), bytesOf(1, number));
      break;
    case 6:
      maps.lru.delete(random(1000));
      break;
    case 7:
      maps.trie.set(network(), bytesOf(2, number));
      break;
    case 8:
      maps.trie.delete(network());
      break;
    case 9:
      maps.queue.push(bytesOf(3, number), "exist");
      break;
    case 10:
      maps.queue.pop();
      break;
    case 11:
      maps.hash.deleteMany([shared, (shared + 1) % SHARED_KEYS]);
      break;
    default:
      for (const [key, value] of maps.hash) if (!isWhole(key, value)) fail(`hash ${key}: ${value}`);
      for (const [, value] of maps.array) if (value.some(Boolean) && !isConsistent(value)) fail(`array: ${value}`);
      checkOthers();
  }
  slowest = Math.max(slowest, performance.now() - start);
  if (round % 64 === 0) note(0, LOG.SLOWEST, Math.ceil(slowest));
  if (round % 64 === 0) note(1, LOG.ROUNDS, round);
}

function isWhole(key: number, value: Uint8Array): boolean {
  return isConsistent(value) && new DataView(value.buffer, value.byteOffset).getUint32(0, true) === key;
}

function isConsistent(value: Uint8Array): boolean {
  const view = new DataView(value.buffer, value.byteOffset);
  const expected = bytesOf(view.getUint32(0, true), view.getUint32(4, true));
  return expected.every((byte, at) => byte === value[at]);
}

function checkOthers(): void {
  const next = maps.queue.peek();
  if (next !== undefined && !isWhole(3, next)) fail(`queue: ${next}`);
  for (const [, value] of maps.trie) if (!isWhole(2, value)) fail(`trie: ${value}`);
  for (const [, value] of maps.lru) if (!isWhole(1, value)) fail(`lru: ${value}`);
  const found = maps.trie.get("10.1.2.3");
  if (found !== undefined && !isWhole(2, found)) fail(`trie lookup: ${found}`);
}

function fail(what: string): never {
  note(0, LOG.FAILED, 1);
  console.error(`torn in slot ${slot}: ${what}`);
  process.exit(3);
}

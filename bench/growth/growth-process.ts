/**
 * One table of one size in a process of its own: `growth-process <map | embedded | bare> <entries> <room> <value bytes>`.
 * Writes a `Sizing` as JSON. Where a value has more than 8 bytes it is a `Uint8Array`, else a number.
 */
import { type BpfMap, bytes, embedded, u32, u64 } from "mapiary";
import { cpuTime } from "../cpu-time.ts";
import { shuffledKeys, valueOfKey, xorshift32 } from "../key-sequence.ts";
import type { MapLike } from "../peers/peer.ts";
import type { Sizing } from "./sizing.ts";

const [kind, entries = 0, room = 0, valueBytes = 0] = process.argv.slice(2);

/** Results go here, where the engine cannot prove that nobody reads them. */
const sink: unknown[] = new Array(4).fill(0);

/** So many operations are timed at least, of small tables many times the same. */
const LEAST_OPERATIONS = 200_000;
const MOST_OPERATIONS = 2_000_000;
const WARM_UP_ENTRIES = 4096;
const WARM_UP_OPERATIONS = 200_000;

process.stdout.write(JSON.stringify(measure(Number(entries), Number(room), Number(valueBytes))));

function measure(entries: number, room: number, valueBytes: number): Sizing {
  const order = shuffledKeys(0, entries, 7);
  const fillOrder = shuffledKeys(0, entries, 8);
  if (kind === "bare") return bareAccess(order, entries);
  const value =
    valueBytes > 8 ? (key: number) => new Uint8Array(valueBytes).fill(key) : (key: number) => valueOfKey(key);
  const values = Array.from({ length: Math.min(entries, 1000) }, (_, key) => value(key));
  const pick = (key: number): unknown => (valueBytes > 8 ? values[key % values.length] : valueOfKey(key));
  warmUp(entries, valueBytes, pick);
  const startOfMap = cpuTime();
  const map = makeMap(room, valueBytes);
  const create = cpuTime() - startOfMap;
  const fill = timed(entries, () => fillWith(map, fillOrder, pick));
  const get = steps(order, (key) => {
    sink[key & 3] = map.get(key);
  });
  const overwrite = steps(order, (key) => {
    map.set(key, pick(key));
  });
  const passes = Math.max(1, Math.ceil(LEAST_OPERATIONS / entries));
  const iterate = timed(passes * entries, () => {
    for (let pass = 0; pass < passes; pass++) iterateOver(map);
  });
  return { create, fill, get, overwrite, iterate };
}

function makeMap(room: number, valueBytes: number): MapLike<unknown> {
  if (kind === "map") return new Map<number, unknown>();
  const value = valueBytes > 8 ? bytes(valueBytes) : valueBytes === 8 ? u64.number : u32;
  return embedded().createMap({ type: "hash", key: u32, value: value as never, maxEntries: room }) as BpfMap &
    MapLike<unknown>;
}

/** Has the engine compile the very loops that are timed, and what they call, on a small table of the same kind. */
function warmUp(most: number, valueBytes: number, pick: (key: number) => unknown): void {
  const entries = Math.min(most, WARM_UP_ENTRIES);
  const map = makeMap(entries, valueBytes);
  const order = shuffledKeys(0, entries, 9);
  for (let done = 0; done < WARM_UP_OPERATIONS; done += entries) {
    fillWith(map, order, pick);
    for (const key of order) sink[key & 3] = map.get(key);
    iterateOver(map);
  }
}

function fillWith(map: MapLike<unknown>, order: Uint32Array, pick: (key: number) => unknown): void {
  for (const key of order) map.set(key, pick(key));
}

function iterateOver(map: MapLike<unknown>): void {
  for (const [key, held] of map) sink[key & 3] = held;
}

function timed(units: number, run: () => void): number {
  globalThis.gc?.({ type: "minor" });
  const start = cpuTime();
  run();
  return (cpuTime() - start) / units;
}

/** Nanoseconds of a step, over the keys in random order: again and again for few, part of them for many. */
function steps(order: Uint32Array, step: (key: number) => void): number {
  const count = Math.min(Math.max(order.length, LEAST_OPERATIONS), MOST_OPERATIONS);
  const run = (): void => {
    for (let done = 0, at = 0; done < count; done++) {
      step(order[at] as number);
      if (++at === order.length) at = 0;
    }
  };
  run();
  return timed(count, run);
}

/**
 * What the memory alone costs: two reads, the second at a place that the first one says, in tables as large as those of a
 * hash. That is a lookup without a hash, without a comparison and without a value. Processors wait for several such pairs at
 * once where none depends on another, so the same is done in turn: what is read says where the next pair begins.
 */
function bareAccess(order: Uint32Array, entries: number): Sizing {
  const buckets = new Int32Array(2 ** Math.ceil(Math.log2(entries)));
  const elements = new Int32Array(entries * 4);
  const random = xorshift32(3);
  for (let bucket = 0; bucket < buckets.length; bucket++) buckets[bucket] = random() % entries;
  // Zeros all, which nobody can know before they are read.
  for (let element = 0; element < elements.length; element++) elements[element] = Math.min(element, 0);
  const places = order.map((key) => Math.imul(key + 1, 0x9e3779b1) >>> (32 - Math.log2(buckets.length)));
  let sum = 0;
  const get = steps(places, (place) => {
    sum = (sum + (elements[(buckets[place] as number) * 4] as number)) | 0;
  });
  let last = 0;
  const inTurn = steps(places, (place) => {
    last = elements[(buckets[place ^ last] as number) * 4] as number;
  });
  sink[0] = sum + last;
  return { get, inTurn };
}

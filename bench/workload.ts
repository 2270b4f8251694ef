import { cpuTime } from "./cpu-time.ts";
import { shuffledKeys, sumOfValues, valueOfKey } from "./key-sequence.ts";
import { BATCH_ENTRIES, type MeasureName } from "./measures.ts";
import type { Peer } from "./peers/peer.ts";

/** How much CPU time so many units took. */
export interface Timing {
  readonly nanoseconds: number;
  readonly units: number;
}

/** Results go here, where the engine cannot prove that nobody reads them. */
const sink: unknown[] = new Array(8).fill(0);

/** Keys in some order, and the value of each. */
interface KeysAndValues<V> {
  readonly keys: Uint32Array;
  readonly values: readonly V[];
}

function keysAndValues<V>(peer: Peer<V>, keys: Uint32Array): KeysAndValues<V> {
  return { keys, values: Array.from(keys, (key) => peer.value(valueOfKey(key))) };
}

/**
 * The timed loops over one peer, filled with all its entries. Each call continues in the sequence of keys where the last
 * one stopped, and leaves the contents as they were. `peer.c` does the same.
 */
export class Workload<V> {
  readonly #peer: Peer<V>;
  readonly #hits: KeysAndValues<V>;
  readonly #misses: Uint32Array;
  /** In the order in which the entries come into the map: another one, or lookups would walk its memory from end to end. */
  readonly #fill: KeysAndValues<V>;
  readonly #setMany: (() => unknown) | undefined;
  #at = 0;

  constructor(peer: Peer<V>, entries: number, seed: number) {
    this.#peer = peer;
    this.#hits = keysAndValues(peer, shuffledKeys(0, entries, seed));
    this.#fill = keysAndValues(peer, shuffledKeys(0, entries, seed + 1));
    this.#misses = shuffledKeys(entries, entries, seed);
    this.#fillMap();
    const all = Array.from(this.#hits.keys, (key, index): [number, V] => [key, this.#hits.values[index] as V]);
    this.#setMany = peer.prepareSetMany?.(all);
  }

  /** Times about `units` of a measure; `undefined` when the peer has no such thing. */
  time(measure: MeasureName, units: number): Timing | undefined {
    switch (measure) {
      case "get-hit":
        return this.#elements(units, (count) => this.#get(this.#hits.keys, count), units);
      case "get-miss":
        return this.#elements(units, (count) => this.#get(this.#misses, count), 0);
      case "overwrite":
        return this.#elements(units, (count) => this.#overwrite(count), units);
      case "replace":
        return this.#elements(units, (count) => this.#replace(count), units);
      case "iterate":
        return this.#peer.iteratesByKey ? this.#part(units) : this.#passes(units, () => this.#iterate(this.#size));
      case "batch":
        return this.#peer.batches && this.#passes(units, () => this.#batch());
      case "set-many":
        return this.#setMany && this.#passes(units, this.#setMany);
    }
  }

  /** Throws unless every value is what it must be. */
  verify(): void {
    let sum = 0;
    for (const key of this.#hits.keys) sum += Number(this.#peer.map.get(key));
    const expected = sumOfValues(this.#hits.keys.length);
    if (sum !== expected) throw new Error(`the values add up to ${sum}, not ${expected}`);
  }

  /** Times a loop over elements. An eighth more goes before it, untimed: another process had the caches until now. */
  #elements(units: number, run: (count: number) => number, expected: number): Timing {
    run(Math.ceil(units / 8));
    const start = cpuTime();
    const done = run(units);
    const nanoseconds = cpuTime() - start;
    if (done !== expected) throw new Error(`${done} keys of ${units} were there, not ${expected}`);
    return { nanoseconds, units };
  }

  #passes(units: number, run: () => unknown): Timing {
    const entries = this.#size;
    const passes = Math.max(1, Math.round(units / entries));
    const start = cpuTime();
    for (let pass = 0; pass < passes; pass++) run();
    return { nanoseconds: cpuTime() - start, units: passes * entries };
  }

  /** Times an iteration that ends early. */
  #part(units: number): Timing {
    const entries = Math.min(units, this.#size);
    const start = cpuTime();
    this.#iterate(entries);
    return { nanoseconds: cpuTime() - start, units: entries };
  }

  #fillMap(): void {
    const { keys, values } = this.#fill;
    const { map } = this.#peer;
    if (this.#peer.fill !== undefined) {
      this.#peer.fill(Array.from(keys, (key, index): [number, V] => [key, values[index] as V]));
      return;
    }
    keys.forEach((key, index) => {
      map.set(key, values[index] as V);
    });
  }

  get #size(): number {
    return this.#hits.keys.length;
  }

  #get(keys: Uint32Array, count: number): number {
    const { map } = this.#peer;
    let at = this.#at;
    let found = 0;
    for (let i = 0; i < count; i++) {
      const value = map.get(keys[at] as number);
      if (value !== undefined) found++;
      sink[i & 7] = value;
      if (++at === keys.length) at = 0;
    }
    this.#at = at;
    return found;
  }

  #overwrite(count: number): number {
    const { map } = this.#peer;
    const { keys, values } = this.#hits;
    let at = this.#at;
    for (let i = 0; i < count; i++) {
      map.set(keys[at] as number, values[at] as V);
      if (++at === keys.length) at = 0;
    }
    this.#at = at;
    return count;
  }

  /** Deletes a tenth of the map and fills it again, as often as it takes. */
  #replace(count: number): number {
    const { map } = this.#peer;
    const { keys, values } = this.#fill;
    const tenth = Math.ceil(keys.length / 10);
    let deleted = 0;
    for (let done = 0; done < count; done += tenth) {
      const part = Math.min(tenth, count - done);
      let at = this.#at;
      for (let i = 0; i < part; i++) {
        if (map.delete(keys[at] as number)) deleted++;
        if (++at === keys.length) at = 0;
      }
      at = this.#at;
      for (let i = 0; i < part; i++) {
        map.set(keys[at] as number, values[at] as V);
        if (++at === keys.length) at = 0;
      }
      this.#at = at;
    }
    return deleted;
  }

  #iterate(most: number): void {
    let count = 0;
    for (const [key, value] of this.#peer.map) {
      sink[count & 3] = key;
      sink[4 + (count & 3)] = value;
      if (++count === most) break;
    }
    this.#expect(count, most);
  }

  #batch(): void {
    let count = 0;
    for (const entries of this.#peer.batches?.(BATCH_ENTRIES) ?? []) {
      for (const [key, value] of entries) {
        sink[count & 3] = key;
        sink[4 + (count & 3)] = value;
        count++;
      }
    }
    this.#expect(count, this.#size);
  }

  #expect(count: number, expected: number): void {
    if (count !== expected) throw new Error(`${count} entries came of ${expected}`);
  }
}

import type { KeyedMap } from "mapiary";
import { shuffledKeys } from "../key-sequence.ts";
import { type MeasuredMap, sink } from "./measured-map.ts";

/** What a map with keys is filled with and asked for. */
export interface KeyedContents<K, V> {
  /** The keys that are there, in the order in which they are overwritten, and the value of each. */
  readonly keys: readonly K[];
  readonly values: readonly V[];
  /** What is looked up and found; the keys when not given. */
  readonly lookups?: readonly K[];
}

/** `get` of what is there, `set` of a key that is there. */
export function keyed<K, V>(map: KeyedMap<K, V>, contents: KeyedContents<K, V>, seed: number): MeasuredMap {
  const { keys, values, lookups = keys } = contents;
  let lookedUp = 0;
  let updated = 0;
  // Filled in another order than it is asked, or lookups would walk its memory from end to end.
  const order = Array.from(shuffledKeys(0, keys.length, seed + 1));
  map.setMany(order.map((index): [K, V] => [keys[index] as K, values[index] as V]));
  return {
    map,
    lookup: {
      run(count) {
        let at = lookedUp;
        let found = 0;
        for (let i = 0; i < count; i++) {
          const value = map.get(lookups[at] as K);
          if (value !== undefined) found++;
          sink[i & 7] = value;
          if (++at === lookups.length) at = 0;
        }
        lookedUp = at;
        return found;
      },
    },
    update: {
      run(count) {
        let at = updated;
        for (let i = 0; i < count; i++) {
          map.set(keys[at] as K, values[at] as V);
          if (++at === keys.length) at = 0;
        }
        updated = at;
        return count;
      },
    },
    verify() {
      const wrong = keys.findIndex((key, index) => String(map.get(key)) !== String(values[index]));
      if (wrong >= 0) throw new Error(`the value of ${JSON.stringify(keys[wrong])} is ${map.get(keys[wrong] as K)}`);
    },
  };
}

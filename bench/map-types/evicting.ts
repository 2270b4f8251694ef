import type { LruHashMap } from "mapiary";
import { shuffledKeys, valueOfKey } from "../key-sequence.ts";
import type { MeasuredMap } from "./measured-map.ts";

/** `set` of keys that are new to a full LRU map, which forgets others for them: twice as many keys as it can hold take turns. */
export function evicting(map: LruHashMap<number, number>, seed: number): MeasuredMap {
  const { maxEntries } = map;
  const keys = shuffledKeys(0, 2 * maxEntries, seed);
  let at = 0;
  const run = (count: number): number => {
    for (let i = 0; i < count; i++) {
      const key = keys[at] as number;
      map.set(key, valueOfKey(key));
      if (++at === keys.length) at = 0;
    }
    return count;
  };
  run(keys.length);
  return {
    map,
    update: { run },
    verify() {
      const entries = [...map];
      if (entries.length < maxEntries / 2 || entries.length > maxEntries)
        throw new Error(`${entries.length} entries are in a map for ${maxEntries}`);
      const wrong = entries.find(([key, value]) => value !== valueOfKey(key));
      if (wrong !== undefined) throw new Error(`the value of ${wrong[0]} is ${wrong[1]}`);
    },
  };
}

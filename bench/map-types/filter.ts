import type { BloomFilter } from "mapiary";
import { shuffledKeys, valueOfKey } from "../key-sequence.ts";
import type { MeasuredMap } from "./measured-map.ts";

/** `has` of values that were added, `add` of the same: each then takes all of the hashes. */
export function filter(map: BloomFilter<number>, seed: number): MeasuredMap {
  const values = Array.from(shuffledKeys(0, map.maxEntries, seed), valueOfKey);
  let at = 0;
  for (const value of values) map.add(value);
  return {
    map,
    lookup: {
      run(count) {
        let found = 0;
        for (let i = 0; i < count; i++) {
          if (map.has(values[at] as number)) found++;
          if (++at === values.length) at = 0;
        }
        return found;
      },
    },
    update: {
      run(count) {
        for (let i = 0; i < count; i++) {
          map.add(values[at] as number);
          if (++at === values.length) at = 0;
        }
        return count;
      },
    },
    verify() {
      const missing = values.find((value) => !map.has(value));
      if (missing !== undefined) throw new Error(`${missing} was added and is not there`);
    },
  };
}

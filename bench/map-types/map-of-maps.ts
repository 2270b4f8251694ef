import type { ArrayMap, ArrayOfMaps, HashOfMaps } from "mapiary";
import { shuffledKeys } from "../key-sequence.ts";
import type { MeasuredMap } from "./measured-map.ts";

type InnerMap = ArrayMap<number, number>;

/** `idOf`, which is the one lookup, and `set` of a map in another's place. The keys share a few maps. */
export function mapOfMaps(
  map: ArrayOfMaps<number, InnerMap> | HashOfMaps<number, InnerMap>,
  inner: readonly InnerMap[],
  seed: number,
): MeasuredMap {
  const keys = shuffledKeys(0, map.maxEntries, seed);
  const innerOf = (key: number, turn: number): InnerMap => inner[(key + turn) % inner.length] as InnerMap;
  let lookedUp = 0;
  let updated = 0;
  let turn = 1;
  map.setMany(
    Array.from(shuffledKeys(0, map.maxEntries, seed + 1), (key): [number, InnerMap] => [key, innerOf(key, 0)]),
  );
  return {
    map,
    lookup: {
      run(count) {
        let found = 0;
        for (let i = 0; i < count; i++) {
          if (map.idOf(keys[lookedUp] as number) !== undefined) found++;
          if (++lookedUp === keys.length) lookedUp = 0;
        }
        return found;
      },
    },
    update: {
      run(count) {
        for (let i = 0; i < count; i++) {
          const key = keys[updated] as number;
          map.set(key, innerOf(key, turn));
          if (++updated < keys.length) continue;
          updated = 0;
          turn++;
        }
        return count;
      },
    },
    verify() {
      const isSet = new Set(keys.subarray(0, updated));
      const wrong = keys.find((key) => map.idOf(key) !== innerOf(key, isSet.has(key) ? turn : turn - 1).id);
      if (wrong !== undefined) throw new Error(`the map of ${wrong} is not the one that was set`);
    },
  };
}

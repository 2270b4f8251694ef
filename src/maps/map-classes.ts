import type { MapTypeName } from "../abi/map-types.ts";
import { ArrayMap } from "./array-map.ts";
import { HashMap } from "./hash-map.ts";
import type { KeyedMap, KeyedMapParts } from "./keyed-map.ts";

/** The class of each map type that has keys and values. A new type is a line here. */
const CLASSES: Partial<Record<MapTypeName, new <K, V>(parts: KeyedMapParts<K, V>, fd: number) => KeyedMap<K, V>>> = {
  hash: HashMap,
  array: ArrayMap,
};

/** The class for a map of this type; `undefined` when mapiary has none yet. */
export function mapClass(
  type: MapTypeName | number,
): (new <K, V>(parts: KeyedMapParts<K, V>, fd: number) => KeyedMap<K, V>) | undefined {
  return typeof type === "number" ? undefined : CLASSES[type];
}

import { BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH } from "../../../abi/map-types.ts";
import type { MapType } from "../map-ops.ts";
import { ARRAY } from "./array.ts";
import { HASH } from "./hash.ts";

/** Every map type that the embedded kernel has, by its number. A new type is a file beside this one, and a line here. */
export const MAP_TYPES: ReadonlyMap<number, MapType> = new Map([
  [BPF_MAP_TYPE_HASH, HASH],
  [BPF_MAP_TYPE_ARRAY, ARRAY],
]);

import type { Address } from "../../../memory/address-space.ts";
import type { HashGeometry } from "./hash-code.ts";

/** Where a map keeps its values, for programs that are compiled with the lookup of that one map. */
export type MapGeometry = ArrayGeometry | HashTableGeometry;

/** Values one after another, by index. */
export interface ArrayGeometry {
  readonly kind: "array";
  readonly values: Address;
  readonly elementSize: number;
  /** The bytes from the value of one CPU to that of the next; 0 when there is one value for all. */
  readonly cpuStride: number;
}

/** A hash table; values may be of any size. */
export interface HashTableGeometry {
  readonly kind: "hash";
  readonly table: HashGeometry;
  readonly cpuStride: number;
  /** Where, from the value, the word lies that a lookup of a program sets to 1; `undefined` when it sets none. */
  readonly usedOffset: number | undefined;
  /** What an update does with an element whose key is there, besides its value; `undefined` when that is not for programs. */
  readonly overwrite: "in place" | "to the front" | undefined;
}

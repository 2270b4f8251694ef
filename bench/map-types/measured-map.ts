import type { BpfMap } from "mapiary";

/** A loop over one operation of a map. */
export interface Loop {
  /** Does the operation so many times, and answers how often it found, took or stored something: always, when all is well. */
  run(count: number): number;
  /** Brings the map back to where it was, untimed; absent when the operation changes nothing that counts. */
  undo?(count: number): void;
  /** How many times it can be done before it must be undone; any number when not given. */
  readonly most?: number;
}

/** A full map of some type, and the timed loops over it. Each call goes on in its keys where the last one stopped. */
export interface MeasuredMap {
  readonly map: BpfMap;
  readonly lookup?: Loop;
  readonly update?: Loop;
  /** Throws unless the map holds what it must. */
  verify(): void;
}

/** Results go here, where the engine cannot prove that nobody reads them. */
export const sink: unknown[] = new Array(8).fill(0);

import type { Memory } from "../../memory/address-space.ts";
import type { Typing } from "../values/typing.ts";

/** A key as a number; `undefined` for one that is none. */
export type Rank = number | bigint | undefined;

/** A key as a number: maps are sorted by number where their keys are numbers, and else by the keys' bytes. */
export function rankOf(key: Typing, memory: Memory, at: number): Rank {
  const json = key.read(memory, at);
  return typeof json === "number" || typeof json === "bigint" ? json : undefined;
}

/** The order of two ranks; 0 where the bytes of the keys decide. Numbers come before what is none. */
export function compareRanks(a: Rank, b: Rank): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a < b ? -1 : Number(a > b);
}

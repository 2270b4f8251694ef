import type { MapCreateAttr } from "./map-create-attr.ts";

/*
 * Behind its tables a segment has room for guards, by which threads and processes share it: each guards a part of the map,
 * a lock for those who write it and a version for those who read it. Private memory never touches them.
 */

/** A guard, in words. Each fills a cache line, so that those who take one do not slow down those who take the next. */
export const GUARD = {
  /** 0 when it is free, else the number of the agent that holds it. */
  LOCK: 0,
  /** Counted up whenever something that a reader may be standing on has been taken out of the tables. */
  VERSION: 1,
  /** What an update fills before it takes the place of what is there: a piece of the tables, 0 for none. */
  SPARE: 2,
  /** A second piece, of a map that has two kinds. */
  SECOND_SPARE: 3,
  /** In a hash: the element whose value is being overwritten, which lies whole in the spare one; 0 for none. */
  OVERWRITTEN: 3,
  /** In an array: 1 + the index of the value that is being overwritten, which lies whole behind the guards; 0 for none. */
  STAGED: 2,
  WORDS: 16,
} as const;

const GUARD_BYTES = GUARD.WORDS * 4;

/**
 * Who only overwrites values where they are takes a share of a guard instead of its lock: a word in a line of the cache that
 * is the agent's own, more or less. Who has a share writes when nobody holds the lock; who takes the lock waits until nobody
 * has a share. Of each guard there are so many shares, a power of two.
 */
export const SHARES = 8;

/** The bytes from the words of one share to those of the next, one for each guard. */
export function shareStride(guards: number): number {
  return Math.max(GUARD_BYTES, guards * 4);
}

/** The most guards of one map. */
const MOST_GUARDS = 64;

/** How many guards a map with so many parts has: a power of two, when the parts are. */
export function guardCount(parts: number): number {
  return Math.max(1, Math.min(MOST_GUARDS, parts / 4));
}

/** Where the guards begin that lie behind `bytes` of tables. */
export function guardsAt(bytes: number): number {
  return Math.ceil(bytes / GUARD_BYTES) * GUARD_BYTES;
}

/** Where a segment of so many guards behind `bytes` of tables ends. */
export function guardsEnd(bytes: number, guards: number): number {
  return guardsAt(bytes) + guards * GUARD_BYTES;
}

/** The bytes behind the guards that an array keeps for values on their way, one for each guard. */
export function stagesSize(elementSize: number, guards: number): number {
  return elementSize <= 8 ? 0 : elementSize * guards;
}

/** The most bytes of values on their way, unless one alone takes more. */
const MOST_STAGES = 65536;

/** How many guards an array has. Its small values are written in one piece and need none. */
export function arrayGuards({ maxEntries }: Pick<MapCreateAttr, "maxEntries">, elementSize: number): number {
  if (elementSize <= 8) return 0;
  let guards = 1;
  while (guards * 2 <= Math.min(maxEntries, MOST_GUARDS) && guards * 2 * elementSize <= MOST_STAGES) guards *= 2;
  return guards;
}

import { LOCK_WORD, VALUE_BYTES as LOCKED_BYTES } from "./locked-values.ts";

/** Values that show when they are not whole, or not those of their key. */
export const VALUE_BYTES = 40;
/** A value that one store overwrites. */
export const SMALL_BYTES = 8;

const GOLDEN = 2654435761;

/** The key, a number, and words that follow from the number. */
export function bytesOf(key: number, number: number): Uint8Array {
  const result = new Uint8Array(VALUE_BYTES);
  const words = new Uint32Array(result.buffer);
  words[0] = key;
  words[1] = number;
  for (let word = 2; word < words.length; word++) words[word] = Math.imul(number ^ word, GOLDEN);
  return result;
}

/** The number in a value of a key. Throws an `Error` when it is torn, or of another key. */
export function numberIn(value: Uint8Array, key: number, map: string): number {
  const words = new Uint32Array(value.slice().buffer);
  const number = words[1] as number;
  const isWhole = words.every((word, at) => at < 2 || word === Math.imul(number ^ at, GOLDEN) >>> 0);
  if (words[0] !== key || !isWhole) throw new Error(`torn in ${map}: ${key} has ${value}`);
  return number;
}

/** The key that a value names. */
export function keyIn(value: Uint8Array): number {
  return new DataView(value.buffer, value.byteOffset).getUint32(0, true);
}

const locked = new Uint32Array(LOCKED_BYTES / 4);
const lockedBytes = new Uint8Array(locked.buffer);
const small = new Uint32Array(SMALL_BYTES / 4);
const smallBytes = new Uint8Array(small.buffer);

/** A number, and a word that follows from it and the key. It is good until the next call, for it is called often. */
export function smallOf(key: number, number: number): Uint8Array {
  small[0] = number;
  small[1] = seal(key, number);
  return smallBytes;
}

/** As `numberIn`, of a small value. */
export function numberInSmall(value: Uint8Array, key: number, map: string): number {
  const view = new DataView(value.buffer, value.byteOffset);
  const number = view.getUint32(0, true);
  if (view.getUint32(4, true) !== seal(key, number)) throw new Error(`torn in ${map}: ${key} has ${value}`);
  return number;
}

/** A number, and words that follow from it and the key, around a lock that is free. It is good until the next call. */
export function lockedOf(key: number, number: number): Uint8Array {
  locked.fill(seal(key, number));
  locked[0] = number;
  locked[LOCK_WORD] = 0;
  return lockedBytes;
}

/** As `numberIn`, of a value with a lock. */
export function numberInLocked(value: Uint8Array, key: number, map: string): number {
  const words = new Uint32Array(value.slice().buffer);
  const number = words[0] as number;
  const isWhole = words.every((word, at) => at === 0 || word === (at === LOCK_WORD ? 0 : seal(key, number)));
  if (!isWhole) throw new Error(`torn in ${map}: ${key} has ${value}`);
  return number;
}

function seal(key: number, number: number): number {
  return Math.imul(number ^ Math.imul(key + 1, 0x9e3779b1), GOLDEN) >>> 0;
}

import { generatesCode } from "../../../layout/compile.ts";
import type { ElementOrder } from "./element-order.ts";
import type { HashGeometry } from "./hash-code.ts";
import { eachWord, isSameKey, jhashCode, jhashStart } from "./key-code.ts";

/** How far a walk over a table is: where it goes on, at a bucket or a position, and how many entries it found. */
export interface Walk {
  readonly next: number;
  readonly entries: number;
}

/**
 * Copies the elements of the buckets from the word `bucket` to the word `end` to the words `keys` and `values`. Answers how
 * many there were; −1, and has copied nothing, when there are more than `most` or than can be noted.
 */
type CopyBlock = (
  i32: Int32Array,
  origin: number,
  bucket: number,
  end: number,
  most: number,
  keys: number,
  values: number,
) => number;

/**
 * Copies the elements in use among those at the positions from `position` to `end` to the words `keys` and `values`, where
 * there is room for all. Answers how many there were.
 */
type CopyElements = (
  i32: Int32Array,
  order: ElementOrder,
  position: number,
  end: number,
  keys: number,
  values: number,
) => number;

/** Gives `count` keys, a block at most, their values with BPF_ANY, until the table is full. Answers how many it did. */
type UpdateBlock = (i32: Int32Array, table: HashGeometry, keys: number, values: number, count: number) => number;

/** Code is generated for tables of a shape through whose batches so many entries went. */
const HOT_ENTRIES = 4096;

/** Beyond so many words, keys and values are not worth being spelled out. */
const MOST_WORDS = 16;

/**
 * How many buckets or keys are looked at before the first is dealt with. What is read of them does not depend on each
 * other, so that the processor waits for many of their cache lines at once instead of one after another. A function for a block, and not for a batch, is also soon compiled as a whole.
 */
const BLOCK = 128;

/** As many elements of one block of buckets as there is room to note. */
const MOST_FOUND = 1024;

/** Where a block notes what it found: links to elements, or the buckets of keys. One command is at work at a time. */
const found = new Int32Array(MOST_FOUND + 1);

/** Generated code for the batches of tables of one shape, which is the words of their keys and values, and what an update does. */
class ShapeCode {
  readonly #keyWords: number;
  readonly #valueWords: number;
  readonly #valueWord: number;
  readonly #updatesInPlace: boolean;
  #entries = 0;
  #copy: CopyBlock | undefined;
  #copyElements: CopyElements | undefined;
  #update: UpdateBlock | undefined;

  constructor({ keyWords, valueWords, valueWord, updatesInPlace }: HashGeometry) {
    this.#keyWords = keyWords;
    this.#valueWords = valueWords;
    this.#valueWord = valueWord;
    this.#updatesInPlace = updatesInPlace;
  }

  /** Takes note of entries to come. Whether code is worth it, and possible. */
  isHot(entries: number): boolean {
    this.#entries += entries;
    return this.#entries >= HOT_ENTRIES && generatesCode();
  }

  get copy(): CopyBlock {
    return (this.#copy ??= this.#generateCopy());
  }

  get copyElements(): CopyElements {
    return (this.#copyElements ??= this.#generateCopyElements());
  }

  get update(): UpdateBlock {
    return (this.#update ??= this.#generateUpdate());
  }

  /**
   * First the chains are noted, one after another. Most have two elements at most, which are noted without a branch: what is
   * not there is overwritten by the next.
   */
  #generateCopy(): CopyBlock {
    const [keyWords, valueWords, valueWord] = [this.#keyWords, this.#valueWords, this.#valueWord];
    return compile(`(i32, origin, bucket, end, most, keys, values) {
      let length = 0;
      for (; bucket < end; bucket++) {
        const first = i32[bucket];
        found[length] = first;
        length = (length + (-first >>> 31)) | 0;
        const second = i32[(origin + first) | 0] & (-first >> 31);
        found[length] = second;
        length = (length + (-second >>> 31)) | 0;
        for (let link = i32[(origin + second) | 0] & (-second >> 31); link !== 0; link = i32[(origin + link) | 0]) {
          if (length >= ${MOST_FOUND - 2 * BLOCK}) return -1;
          found[length++] = link;
        }
      }
      if (length > most) return -1;
      let key = keys;
      let value = values;
      for (let index = 0; index < length; index++) {
        const at = (origin + found[index]) | 0;
        ${eachWord(keyWords, (word) => `i32[key + ${word}] = i32[at + ${1 + word}];`)}
        ${eachWord(valueWords, (word) => `i32[value + ${word}] = i32[at + ${valueWord + word}];`)}
        key = (key + ${keyWords}) | 0;
        value = (value + ${valueWords}) | 0;
      }
      return length;
    }`);
  }

  #generateCopyElements(): CopyElements {
    const [keyWords, valueWords, valueWord] = [this.#keyWords, this.#valueWords, this.#valueWord];
    return compile(`(i32, order, position, end, keys, values) {
      const { turn, first, elementWords, used } = order;
      let key = keys;
      let value = values;
      for (; position < end; position++) {
        const number = position ^ turn;
        if (number >= used) continue;
        const at = (first + Math.imul(number, elementWords)) | 0;
        if (i32[at] < 0) continue;
        ${eachWord(keyWords, (word) => `i32[key + ${word}] = i32[at + ${1 + word}];`)}
        ${eachWord(valueWords, (word) => `i32[value + ${word}] = i32[at + ${valueWord + word}];`)}
        key = (key + ${keyWords}) | 0;
        value = (value + ${valueWords}) | 0;
      }
      return (key - keys) / ${keyWords};
    }`);
  }

  /** `HashTable.update`: first the buckets of all keys are found, then all entries are put there. */
  #generateUpdate(): UpdateBlock {
    const [keyWords, valueWords, valueWord] = [this.#keyWords, this.#valueWords, this.#valueWord];
    const readKey = `const key = (keys + Math.imul(index, ${keyWords})) | 0;
        ${eachWord(keyWords, (word) => `const k${word} = i32[key + ${word}];`)}`;
    const toTheFront = `else if (previous !== 0) {
          i32[previous] = i32[at];
          i32[at] = head;
          i32[bucket] = link;
        }`;
    return compile(`(i32, table, keys, values, count) {
      const { origin, buckets, bucketMask, seed, free, used, maxEntries, firstElement, elementWords } = table;
      const start = (${jhashStart(keyWords, 0)} + seed) | 0;
      let touched = 0;
      for (let index = 0; index < count; index++) {
        ${readKey}
        ${jhashCode(keyWords, "start")}
        const bucket = (buckets + (c & bucketMask)) | 0;
        found[index] = bucket;
        touched ^= i32[(origin + i32[bucket]) | 0];
      }
      found[${MOST_FOUND}] = touched;
      for (let index = 0; index < count; index++) {
        ${readKey}
        const bucket = found[index];
        const head = i32[bucket];
        let previous = 0;
        let link = head;
        let at = (origin + link) | 0;
        while (link !== 0 && !(${isSameKey(keyWords)})) {
          previous = at;
          link = i32[at];
          at = (origin + link) | 0;
        }
        if (link === 0) {
          link = i32[free];
          at = (origin + link) | 0;
          if (link !== 0) {
            i32[free] = ~i32[at];
          } else {
            const next = i32[used];
            if (next >= maxEntries) return index;
            i32[used] = next + 1;
            link = (firstElement + Math.imul(next, elementWords)) | 0;
            at = (origin + link) | 0;
          }
          ${eachWord(keyWords, (word) => `i32[at + ${1 + word}] = k${word};`)}
          i32[at] = head;
          i32[bucket] = link;
        } ${this.#updatesInPlace ? "" : toTheFront}
        const value = (values + Math.imul(index, ${valueWords})) | 0;
        ${eachWord(valueWords, (word) => `i32[at + ${valueWord + word}] = i32[value + ${word}];`)}
      }
      return count;
    }`);
  }
}

const shapes = new Map<string, ShapeCode>();

/**
 * Copies whole buckets from `from` on, as long as at most `most` entries come together, to the words `keys` and `values` of
 * the memory. What it leaves is for plain code: the last few buckets, or all; `undefined` where there is no generated code.
 */
export function copyBuckets(
  i32: Int32Array,
  table: HashGeometry,
  { from, most, keys, values }: { from: number; most: number; keys: number; values: number },
): Walk | undefined {
  const shape = shapeOf(table);
  if (!shape?.isHot(Math.min(most, table.maxEntries))) return undefined;
  const { copy } = shape;
  const { origin, buckets, bucketMask, keyWords, valueWords } = table;
  let bucket = from;
  let entries = 0;
  let width = BLOCK;
  while (width > 0 && bucket <= bucketMask) {
    const end = Math.min(bucket + width, bucketMask + 1);
    const to = keys + entries * keyWords;
    const copied = copy(
      i32,
      origin,
      buckets + bucket,
      buckets + end,
      most - entries,
      to,
      values + entries * valueWords,
    );
    if (copied < 0) {
      width >>>= 2;
      continue;
    }
    entries += copied;
    bucket = end;
  }
  return { next: bucket, entries };
}

/** Copies at most `most` elements in the order that they have, whole groups from the position `from` on; as `copyBuckets`. */
export function copyElements(
  i32: Int32Array,
  table: HashGeometry,
  order: ElementOrder,
  { from, most, keys, values }: { from: number; most: number; keys: number; values: number },
): Walk | undefined {
  const shape = shapeOf(table);
  if (!shape?.isHot(Math.min(most, table.maxEntries))) return undefined;
  const { copyElements: copy } = shape;
  const { keyWords, valueWords } = table;
  let position = from;
  let entries = 0;
  while (entries < most && position < order.end) {
    const end = order.groupUpTo(Math.min(position + most - entries, position + BLOCK, order.end), position);
    if (end === position) break;
    entries += copy(i32, order, position, end, keys + entries * keyWords, values + entries * valueWords);
    position = end;
  }
  return { next: position, entries };
}

/** Updates `count` entries, one after another until the table is full. Answers how many; `undefined` where there is no generated code. */
export function updateEntries(
  i32: Int32Array,
  table: HashGeometry,
  keys: number,
  values: number,
  count: number,
): number | undefined {
  const shape = shapeOf(table);
  if (!shape?.isHot(count)) return undefined;
  const { update } = shape;
  for (let done = 0; done < count; ) {
    const block = Math.min(count - done, BLOCK);
    const updated = update(i32, table, keys + done * table.keyWords, values + done * table.valueWords, block);
    done += updated;
    if (updated < block) return done;
  }
  return count;
}

function shapeOf(table: HashGeometry): ShapeCode | undefined {
  const { keyWords, valueWords, valueWord, updatesInPlace } = table;
  if (keyWords > MOST_WORDS || valueWords > MOST_WORDS) return undefined;
  const name = `${keyWords},${valueWords},${valueWord},${updatesInPlace}`;
  const known = shapes.get(name);
  if (known !== undefined) return known;
  const shape = new ShapeCode(table);
  shapes.set(name, shape);
  return shape;
}

function compile<F>(code: string): F {
  return new Function("found", `"use strict"; return function ${code};`)(found) as F;
}

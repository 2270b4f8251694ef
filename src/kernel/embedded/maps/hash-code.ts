import { generatesCode } from "../../../layout/compile.ts";
import type { Address } from "../../../memory/address-space.ts";
import type { ElementCode } from "../map-ops.ts";
import { eachWord, isSameKey, jhashCode, jhashStart } from "./key-code.ts";

/** Where everything lies in a hash table, in words of the memory; links count words from `origin`. */
export interface HashGeometry {
  readonly origin: number;
  readonly buckets: number;
  readonly bucketMask: number;
  readonly firstElement: number;
  readonly elementWords: number;
  readonly keyWords: number;
  readonly valueWord: number;
  readonly valueWords: number;
  readonly maxEntries: number;
  readonly seed: number;
  /** Whether an element that is overwritten keeps its place in its chain, and does not come to the front. */
  readonly updatesInPlace: boolean;
  /** The words that hold the free list, how many elements were ever used, and whether the map is frozen. */
  readonly free: number;
  readonly used: number;
  readonly frozen: number;
}

/** Beyond so many words, keys and values are not worth being spelled out. */
export const MOST_WORDS = 16;

/** Whether code for a table of this shape can be generated, and is worth it. */
export function canGenerate({ keyWords, valueWords }: HashGeometry, { value }: ElementCode): boolean {
  return keyWords <= MOST_WORDS && valueWords <= MOST_WORDS && (value & 3) === 0 && generatesCode();
}

/**
 * BPF_MAP_LOOKUP_ELEM on one hash table, from a key at one address to a value at another: `HashTable.copyValue` with all
 * numbers spelled out, for the engine to compile as one piece.
 */
export function generateLookup(geometry: HashGeometry, code: ElementCode): () => number {
  const { key, value } = code;
  const { origin, keyWords, valueWord, valueWords } = geometry;
  return compile(
    code,
    `if (!file.isOpen) return slow();
    const i32 = memory.i32;
    ${readKey(key, keyWords)}
    ${hashKey(geometry)}
    let link = i32[bucket];
    while (link !== 0) {
      const at = (link + ${origin}) | 0;
      if (${isSameKey(keyWords)}) {
        ${eachWord(valueWords, (word) => `i32[${value / 4 + word}] = i32[at + ${valueWord + word}];`)}
        return 0;
      }
      link = i32[at];
    }
    return -2;`,
  );
}

/**
 * BPF_MAP_UPDATE_ELEM with BPF_ANY on one hash table: `HashTable.update` with all numbers spelled out. The insertion of a new
 * key is a function of its own, so that the rest is short enough for the engine to put it in where it is called.
 */
export function generateUpdate(geometry: HashGeometry, code: ElementCode): () => number {
  const { key, value } = code;
  const {
    origin,
    keyWords,
    valueWord,
    valueWords,
    free,
    used,
    maxEntries,
    firstElement,
    elementWords,
    updatesInPlace,
  } = geometry;
  const storeValue = eachWord(valueWords, (word) => `i32[at + ${valueWord + word}] = i32[${value / 4 + word}];`);
  const toTheFront = `if (previous !== 0) {
          i32[previous] = i32[at];
          i32[at] = i32[bucket];
          i32[bucket] = link;
        }`;
  return compile(
    code,
    `const i32 = memory.i32;
    if (!file.isOpen || i32[${geometry.frozen}] !== 0) return slow();
    ${readKey(key, keyWords)}
    ${hashKey(geometry)}
    let link = i32[bucket];
    let previous = 0;
    while (link !== 0) {
      const at = (link + ${origin}) | 0;
      if (${isSameKey(keyWords)}) {
        ${updatesInPlace ? "" : toTheFront}
        ${storeValue}
        return 0;
      }
      previous = at;
      link = i32[at];
    }
    return insert(i32, bucket);`,
    `function insert(i32, bucket) {
      let link = i32[${free}];
      let at = (link + ${origin}) | 0;
      if (link !== 0) {
        i32[${free}] = ~i32[at];
      } else {
        const used = i32[${used}];
        if (used >= ${maxEntries}) return slow();
        i32[${used}] = used + 1;
        link = (${firstElement} + Math.imul(used, ${elementWords})) | 0;
        at = (link + ${origin}) | 0;
      }
      ${eachWord(keyWords, (word) => `i32[at + ${1 + word}] = i32[${key / 4 + word}];`)}
      ${storeValue}
      i32[at] = i32[bucket];
      i32[bucket] = link;
      return 0;
    }`,
  );
}

/** Only numbers come into the text; objects are parameters. */
function compile({ memory, file, slow }: ElementCode, body: string, inner = ""): () => number {
  const make = new Function("memory", "file", "slow", `"use strict"; ${inner} return function () { ${body} };`);
  return make(memory, file, slow) as () => number;
}

function readKey(key: Address, keyWords: number): string {
  return eachWord(keyWords, (word) => `const k${word} = i32[${key / 4 + word}];`);
}

/** The hash of the words `k0`, `k1` …, and the bucket that it leads to. */
function hashKey({ keyWords, seed, buckets, bucketMask }: HashGeometry): string {
  return `${jhashCode(keyWords, jhashStart(keyWords, seed))}
    const bucket = (${buckets} + (c & ${bucketMask})) | 0;`;
}

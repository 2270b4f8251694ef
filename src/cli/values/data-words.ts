import { ipv4, ipv6, mac } from "../../layout/address.ts";
import { cidr, cidr6 } from "../../layout/cidr.ts";
import type { Layout } from "../../layout/layout.ts";
import { CliError } from "../cli-error.ts";
import { parseByte, parseNumber } from "../numbers.ts";
import type { JsonValue } from "../output/json-writer.ts";
import type { Words } from "../words.ts";
import { parseNotation } from "./notation.ts";
import { encode, LayoutTyping, type Typing } from "./typing.ts";

/** What words of data are for. */
export interface DataPlace {
  /** `key` or `value`. */
  readonly role: string;
  /** How many bytes it has. */
  readonly size: number;
  /** How it is typed; `undefined` when nobody said. */
  readonly typing: Typing | undefined;
  /** Whether it is a key of an LPM trie. */
  readonly isPrefix: boolean;
}

/** A word that a byte can be: it begins with a digit or a sign. */
const BYTE_WORD = /^\s*[+-]?\d/;

/**
 * Takes the words of a key or a value: as many bytes as it has, in decimal, `0x` hexadecimal or octal, or in hexadecimal
 * after `hex`. Or, where bpftool would refuse, one word for the whole of it: as the typing has it, a number, an address, a
 * network. Throws for anything else.
 */
export function takeData(words: Words, place: DataPlace): Uint8Array {
  const first = words.peek();
  if (first !== undefined && "hex".startsWith(first) && isHexByte(words.peek(1))) {
    words.take("hex");
    return takeBytes(words, place, 16);
  }
  const count = byteWords(words);
  const isWhole = count === place.size && place.size > 1;
  if (!isWhole && first !== undefined && first !== "" && count <= 1) {
    const bytes = wholeValue(first, place);
    if (bytes !== undefined) {
      words.take(place.role);
      return bytes;
    }
  }
  return takeBytes(words, place, 0);
}

/** How many words from here on can be bytes; what stands first counts in any case. */
function byteWords(words: Words): number {
  let count = words.peek() === undefined ? 0 : 1;
  while (BYTE_WORD.test(words.peek(count) ?? "")) count++;
  return count;
}

function isHexByte(word: string | undefined): boolean {
  return word !== undefined && word !== "" && parseNumber(word, 16) !== undefined;
}

function takeBytes(words: Words, { role, size }: DataPlace, base: 0 | 16): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const word = words.peek();
    if (word === undefined) {
      const hint = `Give ${size} numbers from 0 to 255, or one word for the whole ${role}.`;
      throw new CliError(`${role} expected ${size} bytes got ${i}`, { hint });
    }
    bytes[i] = parseByte(word, base);
    words.take("a byte");
  }
  return bytes;
}

/** The bytes of a word that stands for all of them; `undefined` when it does not. */
function wholeValue(word: string, place: DataPlace): Uint8Array | undefined {
  const { typing } = place;
  if (typing !== undefined) return typedBytes(typing, jsonOf(word), word, place);
  const layout = layoutOfForm(word, place);
  if (layout !== undefined) return typedBytes(new LayoutTyping(layout), word, word, place);
  return integerBytes(word, place);
}

/** JSON when it looks like it, else the word itself as text. */
function jsonOf(word: string): JsonValue {
  return /^[{["']/.test(word) ? parseNotation(word) : word;
}

function typedBytes(typing: Typing, json: JsonValue, word: string, { role }: DataPlace): Uint8Array {
  try {
    return encode(typing, json);
  } catch (error) {
    throw new CliError(`error parsing ${role}: ${word}`, { hint: sentence((error as Error).message), cause: error });
  }
}

/** The layout that a word has by its form, when it is as long as the place: an address, a network. */
function layoutOfForm(word: string, { size, isPrefix }: DataPlace): Layout<unknown> | undefined {
  if (/^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(word)) {
    if (isPrefix) return size === 8 ? cidr : undefined;
    return size === 4 && !word.includes("/") ? ipv4 : undefined;
  }
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*(\/\d+)?$/i.test(word)) return undefined;
  if (isPrefix) return size === 20 ? cidr6 : undefined;
  if (size === 6) return mac;
  return size === 16 ? ipv6 : undefined;
}

/** A number in as many bytes as there are, least significant first; `undefined` for a word or a size that has none. */
function integerBytes(word: string, { role, size, isPrefix }: DataPlace): Uint8Array | undefined {
  if (isPrefix || ![2, 4, 8].includes(size)) return undefined;
  const number = parseNumber(word);
  if (number === undefined) return undefined;
  const bits = BigInt(size * 8);
  if (number >= 1n << bits || number < -(1n << (bits - 1n))) {
    throw new CliError(`error parsing ${role}: ${word}`, { hint: `${size} bytes hold less than that.` });
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt.asUintN(64, number), true);
  return new Uint8Array(view.buffer, 0, size);
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

import { CliError } from "./cli-error.ts";

const BASE_0 = /^\s*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;
const BASE_16 = /^\s*([+-]?)(?:0x)?([0-9a-f]+)$/i;

/**
 * A whole number as C's `strtoul` reads it: decimal, `0x` hexadecimal, octal after a `0`; in base 16 hexadecimal with or
 * without `0x`. `undefined` for anything else. The empty word is 0, as it is in C.
 */
export function parseNumber(word: string, base: 0 | 16 = 0): bigint | undefined {
  if (word === "") return 0n;
  const [, sign, digits] = (base === 0 ? BASE_0 : BASE_16).exec(word) ?? [];
  if (digits === undefined) return undefined;
  const magnitude = BigInt(base === 16 ? `0x${digits}` : asLiteral(digits));
  return sign === "-" ? -magnitude : magnitude;
}

/** A number of four bytes, for `what`: an id, a size, flags. Throws for a word that is none. */
export function parseU32(word: string, what: string, refused = `can't parse ${word} as ${what}`): number {
  const number = parseNumber(word);
  if (number === undefined) throw new CliError(refused, { hint: `It is a whole number: 10, 0x0a or 012.` });
  if (number < 0n || number > 0xffff_ffffn)
    throw new CliError(refused, { hint: "It is a number from 0 to 4294967295." });
  return Number(number);
}

/** A byte of a key or a value, −128 to 255. Throws for a word that is none. */
export function parseByte(word: string, base: 0 | 16): number {
  const number = parseNumber(word, base);
  if (number === undefined) throw new CliError(`error parsing byte: ${word}`, { hint: byteHint(word, base) });
  if (number < -128n || number > 255n) {
    throw new CliError(`error parsing byte: ${word}`, { hint: `${word} is more than a byte holds: 0 to 255.` });
  }
  return Number(number & 0xffn);
}

function byteHint(word: string, base: 0 | 16): string {
  if (base === 0 && parseNumber(word, 16) !== undefined) {
    return `Put 0x in front of it, or hex in front of all bytes: hex ${word}.`;
  }
  return base === 16 ? "After hex, a byte is 00 to ff." : "A byte is 0 to 255, 0x00 to 0xff, or 0 to 0377 in octal.";
}

function asLiteral(digits: string): string {
  return /^0[0-7]+$/.test(digits) ? `0o${digits}` : digits;
}

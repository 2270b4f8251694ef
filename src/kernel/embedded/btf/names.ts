import { isAlpha, isAlphanumeric, isPrintable } from "../ctype.ts";
import type { RawBtf } from "./raw-btf.ts";

/** `KSYM_NAME_LEN`: no name is as long as this, its NUL included. */
const KSYM_NAME_LEN = 512;
const UNDERSCORE = 0x5f;
const DOT = 0x2e;

/** Letters, digits, `_` and `.`, and no digit first: `btf_name_valid_identifier`. The empty name is none. */
export function isIdentifier(btf: RawBtf, offset: number): boolean {
  const name = btf.string(offset);
  if (!isNameByte(name[0] ?? 0, isAlpha)) return false;
  return name.length <= KSYM_NAME_LEN && name.every((byte) => isNameByte(byte, isAlphanumeric));
}

/** Whatever can be printed: `btf_name_valid_section`. */
export function isSectionName(btf: RawBtf, offset: number): boolean {
  const name = btf.string(offset);
  return name.length > 0 && name.length <= KSYM_NAME_LEN && name.every(isPrintable);
}

function isNameByte(byte: number, isOf: (byte: number) => boolean): boolean {
  return isOf(byte) || byte === UNDERSCORE || byte === DOT;
}

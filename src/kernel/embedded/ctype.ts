/*
 * The characters of Linux by `lib/ctype.c`, 6.18, which counts the letters of Latin-1: bytes from 0xC0 are letters but
 * for the signs × and ÷.
 */

export function isAlpha(byte: number): boolean {
  const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
  return isLetter || (byte >= 0xc0 && byte !== 0xd7 && byte !== 0xf7);
}

export function isAlphanumeric(byte: number): boolean {
  return isAlpha(byte) || (byte >= 0x30 && byte <= 0x39);
}

export function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte <= 0x7e) || byte >= 0xa0;
}

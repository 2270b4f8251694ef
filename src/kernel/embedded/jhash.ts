/**
 * Bob Jenkins' lookup3 hash (2006, public domain), as Linux hashes the keys of a hash map with it: `jhash2` for whole
 * words and `jhash` for the rest agree on little-endian machines once the key is padded with zeros to whole words.
 * `kernel/bpf/hashtab.c: htab_map_hash` and `include/linux/jhash.h`, 6.18.
 */

const INITIAL = 0xdeadbeef;

/** The hash of one word: a key of four bytes. */
export function jhashWord(key: number, seed: number): number {
  const start = (INITIAL + 4 + seed) | 0;
  return final((start + key) | 0, start, start);
}

/** The hash of two words: a key of five to eight bytes, of which `bytes` count. */
export function jhashTwoWords(low: number, high: number, bytes: number, seed: number): number {
  const start = (INITIAL + bytes + seed) | 0;
  return final((start + low) | 0, (start + high) | 0, start);
}

/** The hash of `bytes` bytes, padded with zeros to whole words, that begin at `words[at]`. */
export function jhash(words: Int32Array, at: number, bytes: number, seed: number): number {
  let a = (INITIAL + bytes + seed) | 0;
  let b = a;
  let c = a;
  let left = bytes;
  let word = at;
  while (left > 12) {
    a = (a + (words[word] as number)) | 0;
    b = (b + (words[word + 1] as number)) | 0;
    c = (c + (words[word + 2] as number)) | 0;
    a = ((a - c) ^ rotate(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ rotate(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 4)) | 0;
    b = (b + a) | 0;
    left -= 12;
    word += 3;
  }
  if (left > 0) a = (a + (words[word] as number)) | 0;
  if (left > 4) b = (b + (words[word + 1] as number)) | 0;
  if (left > 8) c = (c + (words[word + 2] as number)) | 0;
  return final(a, b, c);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function final(first: number, second: number, third: number): number {
  let a = first;
  let b = second;
  let c = third;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) | 0;
}

/** A generator of 32-bit numbers, the same as `next` in `peer.c`: xorshift32, Marsaglia 2003. */
export function xorshift32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
}

/** The numbers from `first` on, `count` of them, in an order that depends on the seed alone: as `shuffled` in `peer.c`. */
export function shuffledKeys(first: number, count: number, seed: number): Uint32Array {
  const keys = Uint32Array.from({ length: count }, (_, index) => first + index);
  const next = xorshift32(seed);
  for (let last = count - 1; last > 0; last--) {
    const other = next() % (last + 1);
    const key = keys[last] as number;
    keys[last] = keys[other] as number;
    keys[other] = key;
  }
  return keys;
}

/** The value of a key, always the same, so that the contents can be verified at any time. As `value_of_key` in `peer.c`. */
export function valueOfKey(key: number): number {
  return key * 3 + 1;
}

/** The sum of all values of a map of so many entries. */
export function sumOfValues(entries: number): number {
  let sum = 0;
  for (let key = 0; key < entries; key++) sum += valueOfKey(key);
  return sum;
}

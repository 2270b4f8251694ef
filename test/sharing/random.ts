/** Small numbers that can be drawn again: each call answers one below its argument. */
export type Random = (below: number) => number;

/** The generator of a seed, for `Math.random` cannot be repeated. */
export function generator(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

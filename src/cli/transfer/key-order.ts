import type { Memory } from "../../memory/address-space.ts";
import type { Typing } from "../values/typing.ts";

/**
 * The order of the keys that lie in a memory: by number where they are numbers, which come first, and else by their bytes.
 * Of each key its *rank* is kept, so that its bytes are read once and not at each comparison.
 */
export class KeyOrder {
  readonly #key: Typing;
  readonly #memory: Memory;

  constructor(key: Typing, memory: Memory) {
    this.#key = key;
    this.#memory = memory;
  }

  /** The double that is nearest to a key; NaN for a key that is no number. */
  rank(at: number): number {
    const json = this.#key.read(this.#memory, at);
    return typeof json === "number" || typeof json === "bigint" ? Number(json) : Number.NaN;
  }

  /** Below 0 when the key at `a` comes before the one at `b`, above 0 when it comes after it. */
  compare(rankA: number, a: number, rankB: number, b: number): number {
    if (rankA < rankB) return -1;
    if (rankA > rankB) return 1;
    const isNumber = !Number.isNaN(rankA);
    if (isNumber !== !Number.isNaN(rankB)) return isNumber ? -1 : 1;
    return (isNumber && this.#compareNumbers(a, b)) || this.#compareBytes(a, b);
  }

  /** Integers beyond 2^53 may differ where their doubles are the same. */
  #compareNumbers(a: number, b: number): number {
    const [first, second] = [this.#key.read(this.#memory, a), this.#key.read(this.#memory, b)] as [number, number];
    return first < second ? -1 : Number(first > second);
  }

  #compareBytes(a: number, b: number): number {
    const { u8 } = this.#memory;
    for (let i = 0; i < this.#key.size; i++) {
      const difference = (u8[a + i] as number) - (u8[b + i] as number);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

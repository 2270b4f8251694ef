import type { Address } from "../../../memory/address-space.ts";
import { BloomFilter, bloomBits } from "../maps/bloom-filter.ts";
import type { SharingHost } from "./agent.ts";

/** A bloom filter that threads and processes share: bits are only ever set, each by itself. */
export class SharedBloomFilter extends BloomFilter {
  /** Over a segment whose sizes were checked; the rest follows from the extra of the map. */
  constructor({ memory }: SharingHost, base: Address, mapExtra: number, maxEntries: number) {
    super(memory, base, bloomBits(maxEntries, mapExtra));
  }

  protected override setBit(word: number, bit: number): void {
    Atomics.or(this.memory.i32, word, bit);
  }
}

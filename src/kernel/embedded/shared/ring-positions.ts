import type { AddressSpace } from "../../../memory/address-space.ts";

const U32 = 2 ** 32;

/** The position in a ring buffer that is shared: the u64 whose lower half is a word of the memory, from one moment. */
export function positionAt({ u32 }: AddressSpace, word: number): number {
  for (;;) {
    const high = Atomics.load(u32, word + 1);
    const low = Atomics.load(u32, word);
    if (Atomics.load(u32, word + 1) === high) return low + high * U32;
  }
}

/** Stores a position by one store. */
export function setPosition({ u32, u64 }: AddressSpace, word: number, position: number): void {
  if (Atomics.load(u32, word + 1) === Math.floor(position / U32)) Atomics.store(u32, word, position >>> 0);
  else Atomics.store(u64, word >>> 1, BigInt(position));
}

import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import type { EmbeddedMap } from "../map-ops.ts";
import { Scratch } from "../scratch.ts";
import { copyBytes } from "../user-memory.ts";

/** The keys that programs hand over, as map types want them: aligned to 4, and padded with zeros to whole words. */
export class KeyCopy {
  readonly #memory: AddressSpace;
  readonly #scratch: Scratch;

  constructor(memory: AddressSpace) {
    this.#memory = memory;
    this.#scratch = new Scratch(memory);
  }

  /** The key where it lies when it fits, else a copy, until the next one is taken. */
  take({ keySize }: EmbeddedMap, key: Address): Address {
    if (((key | keySize) & 3) === 0) return key;
    const words = (keySize + 3) >>> 2;
    const copy = this.#scratch.reserve(words * 4);
    if (copy === 0) throw new RangeError(`the address space has no room for a key of ${keySize} bytes`);
    this.#memory.u32[(copy >>> 2) + words - 1] = 0;
    copyBytes(this.#memory, copy, key, keySize);
    return copy;
  }
}

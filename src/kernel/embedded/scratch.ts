import type { Address, AddressSpace } from "../../memory/address-space.ts";

/** A piece of kernel memory that is as long as it ever had to be: where a command puts what it must not leave in the caller's hands. */
export class Scratch {
  readonly #memory: AddressSpace;
  #address: Address = 0;
  #bytes = 0;

  constructor(memory: AddressSpace) {
    this.#memory = memory;
  }

  /** The address of at least `bytes` bytes; 0 when the address space has no room. What was there before may be gone. */
  reserve(bytes: number): Address {
    if (bytes <= this.#bytes) return this.#address;
    const address = this.#memory.tryAllocate(bytes);
    if (address === 0) return 0;
    if (this.#address !== 0) this.#memory.release(this.#address);
    this.#address = address;
    this.#bytes = bytes;
    return address;
  }
}

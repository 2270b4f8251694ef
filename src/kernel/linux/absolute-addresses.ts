import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Libc } from "./libc.ts";

const FOUR_GIB = 2 ** 32;

/** An address of the kernel's own, never a process's: whatever Linux is to read or write there, it answers EFAULT. */
export const NOWHERE = -PAGE_SIZE;

/**
 * Where the addresses of a linear memory lie in the process. The base does not move while the memory grows in place,
 * which is how V8 grows; it is measured again after each growth all the same.
 */
export class AbsoluteAddresses {
  readonly #libc: Libc;
  readonly #memory: AddressSpace;
  #seen: Uint8Array | undefined;
  #base = 0;
  #baseLow = 0;
  #baseHigh = 0;
  #size = 0;

  constructor(libc: Libc, memory: AddressSpace) {
    this.#libc = libc;
    this.#memory = memory;
    this.refresh();
  }

  /** Must be called before the other methods whenever the memory may have grown. */
  refresh(): void {
    if (this.#seen === this.#memory.u8) return;
    this.#seen = this.#memory.u8;
    this.#size = this.#seen.length;
    this.#base = this.#libc.addressOf(this.#seen);
    this.#baseLow = this.#base % FOUR_GIB;
    this.#baseHigh = Math.floor(this.#base / FOUR_GIB);
  }

  /** The absolute address. */
  of(address: Address): number {
    return this.#base + address;
  }

  /**
   * Writes the absolute address of the linear one that `low` and `high` make up into two words of `target`. NULL
   * stays NULL; what is no address of the memory, or lies in its first page, as little mapped as a process's own,
   * becomes one that is nowhere: a stray number must not lead into this process.
   */
  place(target: Uint32Array, word: number, low: number, high: number): void {
    if (high === 0 && low >= PAGE_SIZE && low < this.#size) {
      const sum = this.#baseLow + low;
      target[word] = sum;
      target[word + 1] = sum >= FOUR_GIB ? this.#baseHigh + 1 : this.#baseHigh;
    } else if (high === 0 && low === 0) {
      target[word] = 0;
      target[word + 1] = 0;
    } else {
      target[word] = NOWHERE;
      target[word + 1] = -1;
    }
  }
}

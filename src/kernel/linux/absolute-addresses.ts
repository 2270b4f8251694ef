import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import type { Libc } from "./libc.ts";

const FOUR_GIB = 2 ** 32;
/** The unit in which a memory grows. */
const WASM_PAGE = 65536;

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
  // Small integers, which V8 keeps in the object itself and adds without floating point: this is the hot path.
  #low = 0;
  #high = 0;
  #wasmPages = 0;

  constructor(libc: Libc, memory: AddressSpace) {
    this.#libc = libc;
    this.#memory = memory;
    this.refresh();
  }

  /** Must be called before the other methods whenever the memory may have grown. */
  refresh(): void {
    if (this.#seen === this.#memory.u8) return;
    this.#seen = this.#memory.u8;
    this.#wasmPages = this.#seen.length / WASM_PAGE;
    this.#base = this.#libc.addressOf(this.#seen);
    this.#low = this.#base | 0;
    this.#high = Math.floor(this.#base / FOUR_GIB);
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
    if (high === 0 && low >= PAGE_SIZE && low >>> 16 < this.#wasmPages) {
      const sum = (this.#low + (low | 0)) >>> 0;
      target[word] = sum;
      target[word + 1] = sum < low ? this.#high + 1 : this.#high;
    } else if (high === 0 && low === 0) {
      target[word] = 0;
      target[word + 1] = 0;
    } else {
      target[word] = NOWHERE;
      target[word + 1] = -1;
    }
  }
}

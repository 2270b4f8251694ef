import { ATTR_SIZE } from "../abi/attr.ts";
import type { Address, AddressSpace } from "../memory/address-space.ts";

/** Attr first, then whatever a command points to, each piece aligned to 8 bytes. */
const FIRST_PIECE = Math.ceil(ATTR_SIZE / 8) * 8;

/** An address that no kernel can reach: what a caller's buffer becomes when it is too short for the kernel. */
const OUT_OF_REACH: Address = 2 ** 32 - 4096;

/**
 * The memory of one command at a time: its zeroed attr, and copies of the caller's buffers, which do not lie in the
 * kernel's address space. It is as large as the largest command so far.
 */
export class Frame {
  readonly memory: AddressSpace;
  #start: Address = 0;
  #bytes = 0;
  #next: Address = 0;

  constructor(memory: AddressSpace) {
    this.memory = memory;
  }

  /** Begins a command with a zeroed attr, and room for pieces of so many bytes. Answers the attr's address. */
  begin(...pieces: number[]): Address {
    const bytes = pieces.reduce((sum, piece) => sum + aligned(piece), FIRST_PIECE);
    if (bytes > this.#bytes) this.#grow(bytes);
    this.memory.u8.fill(0, this.#start, this.#start + FIRST_PIECE);
    this.#next = this.#start + FIRST_PIECE;
    return this.#start;
  }

  /** Copies a caller's buffer of which the kernel will use `needed` bytes; a shorter one is out of the kernel's reach. */
  put(bytes: Uint8Array, needed: number): Address {
    if (bytes.length < needed) return OUT_OF_REACH;
    const address = this.reserve(needed);
    this.memory.u8.set(needed === bytes.length ? bytes : bytes.subarray(0, needed), address);
    return address;
  }

  /** Takes the place of a buffer that the kernel is to fill. What is there before is undefined. */
  reserve(bytes: number): Address {
    const address = this.#next;
    this.#next += aligned(bytes);
    return address;
  }

  /** Copies back what the kernel left in the place of a buffer. */
  take(address: Address, bytes: Uint8Array, needed: number): void {
    if (address !== OUT_OF_REACH) bytes.set(this.memory.u8.subarray(address, address + needed));
  }

  release(): void {
    if (this.#start !== 0) this.memory.release(this.#start);
    this.#start = 0;
    this.#bytes = 0;
  }

  #grow(bytes: number): void {
    const start = this.memory.allocate(bytes, "a call of bpf(2)");
    this.release();
    this.#start = start;
    this.#bytes = bytes;
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

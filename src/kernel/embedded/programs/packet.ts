import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { PAGE_SIZE } from "../../../memory/page-allocator.ts";

/** Bytes before an XDP packet that programs may take: `XDP_PACKET_HEADROOM`. */
export const XDP_HEADROOM = 256;
/** What Linux keeps behind a packet for itself, rounded up to cache lines: `struct skb_shared_info`. */
export const SHARED_INFO = 320;
/** `MAX_SKB_FRAGS`. */
const MOST_FRAGMENTS = 17;

/** The packet that a program is run on: where it lies, and how far it may grow. Its context says where it begins and ends. */
export interface Packet {
  /** The buffer: what a packet can grow into, both ways. */
  readonly head: Address;
  readonly end: Address;
  /** Where the headers begin, for those who count from there. */
  readonly macHeader: Address;
  readonly networkHeader: Address;
  /** The bytes of the packet that do not lie in the buffer, in pieces of a page: those of XDP packets of several buffers. */
  readonly fragments: Fragments;
  /** Whether a program has put it into another. */
  readonly isEncapsulated?: boolean;
  /** How many checksums behind the first are known to be right; `undefined` when not even that is. */
  readonly checksumLevel?: number | undefined;
}

/** The pieces of a packet behind its first buffer, one after the other. */
export interface Fragments {
  readonly start: Address;
  bytes: number;
}

const NO_FRAGMENTS: Fragments = { start: 0, bytes: 0 };
const NO_PACKET: Packet = { head: 0, end: 0, macHeader: 0, networkHeader: 0, fragments: NO_FRAGMENTS };

/** How long the fragments of a packet can be together. */
export const MOST_FRAGMENT_BYTES = MOST_FRAGMENTS * PAGE_SIZE;

/** The room for packets, one at a time. */
export class Packets {
  /** The packet that the program which runs was given. */
  current: Packet = NO_PACKET;
  readonly #memory: AddressSpace;
  #buffer: Address = 0;
  #fragments: Address = 0;

  constructor(memory: AddressSpace) {
    this.#memory = memory;
  }

  /** A buffer of `bytes`, at most three pages, cleared; 0 when there is no room. It is the same one each time. */
  buffer(bytes: number): Address {
    const memory = this.#memory;
    if (this.#buffer === 0) this.#buffer = memory.tryAllocate(3 * PAGE_SIZE);
    if (this.#buffer !== 0) memory.u8.fill(0, this.#buffer, this.#buffer + bytes);
    return this.#buffer;
  }

  /** Room for the fragments of a packet; 0 when there is none. */
  fragments(): Address {
    if (this.#fragments === 0) this.#fragments = this.#memory.tryAllocate(MOST_FRAGMENT_BYTES);
    return this.#fragments;
  }

  /** Calls a function while a packet is the current one. */
  during<T>(packet: Packet, run: () => T): T {
    const before = this.current;
    this.current = packet;
    try {
      return run();
    } finally {
      this.current = before;
    }
  }
}

import { ATTR_SIZE, MAP_ELEM } from "../../abi/attr.ts";
import type { AttrUse } from "../../abi/attr-pointers.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { type AbsoluteAddresses, NOWHERE } from "./absolute-addresses.ts";
import type { Libc } from "./libc.ts";

const KEY = MAP_ELEM.KEY / 4;
const VALUE = MAP_ELEM.VALUE / 4;
const FLAGS = MAP_ELEM.FLAGS / 4;

/**
 * The attr that Linux is given in place of the caller's: a copy, in a buffer of its own that does not move, whose
 * pointers are absolute. One is enough for a kernel, since `bpf(2)` returns before the next call.
 */
export class ScratchAttr {
  /** The absolute address of the copy. */
  readonly address: number;
  /** The most bytes that Linux takes for an attr: a page (`bpf_check_uarg_tail_zero`). */
  readonly capacity: number;
  readonly view: DataView;
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #memory: AddressSpace;
  readonly #addresses: AbsoluteAddresses;

  constructor(libc: Libc, memory: AddressSpace, addresses: AbsoluteAddresses) {
    // An ArrayBuffer made as such lies outside V8's heap, which would move it.
    const buffer = new ArrayBuffer(libc.pageSize);
    this.capacity = libc.pageSize;
    this.view = new DataView(buffer);
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#memory = memory;
    this.#addresses = addresses;
    this.address = libc.addressOf(this.#u8);
  }

  /**
   * Takes the attr of an element command, of which 32 bytes lie inside the memory's words, `from`, at a multiple of 4,
   * and makes its pointers absolute. This is the hot path: a dozen plain reads and writes.
   */
  takeElement(from: Uint32Array, attr: Address): void {
    const to = this.#u32;
    const at = attr >>> 2;
    to[0] = from[at] as number;
    this.#addresses.place(to, KEY, from[at + KEY] as number, from[at + KEY + 1] as number);
    this.#addresses.place(to, VALUE, from[at + VALUE] as number, from[at + VALUE + 1] as number);
    to[FLAGS] = from[at + FLAGS] as number;
    to[FLAGS + 1] = from[at + FLAGS + 1] as number;
  }

  /**
   * Takes an attr as it is: the `size` bytes that are given, and what lies behind them up to the whole union, into
   * which Linux writes however few are given.
   */
  take(attr: Address, size: number): void {
    const end = Math.min(attr + Math.max(size, ATTR_SIZE), this.#memory.size);
    this.#u8.fill(0, 0, ATTR_SIZE);
    this.#u8.set(this.#memory.u8.subarray(attr, end));
  }

  /** Whether the bytes from `start` to `end` are zero. */
  isZero(start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.#u8[at] !== 0) return false;
    return true;
  }

  /**
   * Fills up the pointer that the end of `size` bytes cuts, with the zeros that Linux would have read there. Answers
   * the size to pass on.
   */
  complete(use: AttrUse, size: number): number {
    const cut = use.pointers.find((offset) => offset < size && offset + 8 > size);
    if (cut === undefined) return size;
    this.#u8.fill(0, size, cut + 8);
    return cut + 8;
  }

  /** Makes the pointers within `size` bytes absolute. */
  rebase(use: AttrUse, size: number): void {
    for (const offset of use.pointers) {
      if (offset >= size) return;
      const word = offset / 4;
      this.#addresses.place(this.#u32, word, this.#u32[word] as number, this.#u32[word + 1] as number);
    }
  }

  /** Makes the pointer at `offset` one that leads nowhere. */
  refuse(offset: number): void {
    this.view.setBigInt64(offset, BigInt(NOWHERE), true);
  }

  /** Puts what Linux wrote into the caller's attr. */
  writeBack(use: AttrUse, attr: Address): void {
    for (const [offset, bytes] of use.written) {
      if (attr + offset + bytes > this.#memory.size) continue;
      this.#memory.u8.set(this.#u8.subarray(offset, offset + bytes), attr + offset);
    }
  }
}

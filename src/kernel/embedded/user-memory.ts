import { EFAULT, ENAMETOOLONG } from "../../abi/errno.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";

/**
 * What a caller's pointer may reach. Callers and the embedded kernel live in one address space, so a bad address is one
 * outside it, or in the first page, where null pointers with small offsets point.
 */

/** The address that a 64-bit pointer out of reach is read as: any access to it is EFAULT. */
const UNREACHABLE: Address = 2 ** 48;

const U32 = 2 ** 32;

/** Whether `length` bytes at `address` can be read and written; no bytes can be, wherever. */
export function accessOk(memory: AddressSpace, address: Address, length: number): boolean {
  return (address >= PAGE_SIZE && address + length <= memory.size) || length === 0;
}

/** The pointer in the 8 bytes at `at`, aligned to 4: an address, 0 for NULL, or one that nothing can be read from. */
export function pointerAt(memory: AddressSpace, at: Address): Address {
  const word = at >>> 2;
  return memory.u32[word + 1] === 0 ? (memory.u32[word] as number) : UNREACHABLE;
}

/** The 64-bit number in the 8 bytes at `at`, aligned to 4. Exact below 2^53; larger ones stay larger than any flag. */
export function u64At(memory: AddressSpace, at: Address): number {
  const word = at >>> 2;
  return (memory.u32[word] as number) + (memory.u32[word + 1] as number) * U32;
}

/** Copies `length` bytes. Keys and values are short and mostly aligned, for which a loop over words beats a call. */
export function copyBytes(memory: AddressSpace, to: Address, from: Address, length: number): void {
  if (length > 256 || ((to | from | length) & 3) !== 0) {
    memory.u8.copyWithin(to, from, from + length);
    return;
  }
  const { i32 } = memory;
  const distance = (from - to) >> 2;
  const end = (to + length) >>> 2;
  for (let word = to >>> 2; word < end; word++) i32[word] = i32[word + distance] as number;
}

/**
 * The bytes of the NUL-terminated string at `address`, without the NUL: `−EFAULT` when it runs out of the memory,
 * `−ENAMETOOLONG` when there is no NUL among the first `most` bytes.
 */
export function stringAt(memory: AddressSpace, address: Address, most: number): Uint8Array | number {
  if (!accessOk(memory, address, 1)) return -EFAULT;
  const bytes = memory.u8.subarray(address, address + most);
  const length = bytes.indexOf(0);
  if (length >= 0) return bytes.slice(0, length);
  return bytes.length < most ? -EFAULT : -ENAMETOOLONG;
}

import { OBJ_INFO } from "../../abi/attr.ts";
import { E2BIG, EFAULT } from "../../abi/errno.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { PAGE_SIZE } from "../../memory/page-allocator.ts";
import { accessOk, pointerAt } from "./user-memory.ts";

/**
 * BPF_OBJ_GET_INFO_BY_FD: takes the info struct that the caller gave, as far as it reaches, has it filled in, and gives
 * back as much of it; its length goes into the caller's attr at `uattr`. `fill` answers 0 or `−errno`.
 */
export function answerInfo(
  memory: AddressSpace,
  { attr, uattr }: { readonly attr: Address; readonly uattr: Address },
  size: number,
  fill: (info: DataView) => number,
): number {
  const { u8, view } = memory;
  const given = view.getUint32(attr + OBJ_INFO.INFO_LEN, true);
  const info = pointerAt(memory, attr + OBJ_INFO.INFO);
  if (given > PAGE_SIZE) return -E2BIG;
  if (given > size) {
    if (!accessOk(memory, info, given)) return -EFAULT;
    if (u8.subarray(info + size, info + given).some((byte) => byte !== 0)) return -E2BIG;
  }
  const length = Math.min(given, size);
  if (!accessOk(memory, info, length)) return -EFAULT;
  const answer = new Uint8Array(size);
  answer.set(u8.subarray(info, info + length));
  const error = fill(new DataView(answer.buffer));
  if (error !== 0) return error;
  if (length > 0) u8.set(answer.subarray(0, length), info);
  if (!accessOk(memory, uattr + OBJ_INFO.INFO_LEN, 4)) return -EFAULT;
  view.setUint32(uattr + OBJ_INFO.INFO_LEN, length, true);
  return 0;
}

/** Copies what a pointer and a length in an info struct ask for; 0 or `−EFAULT`. */
export function copyOut(memory: AddressSpace, at: Address, bytes: Uint8Array, room: number): number {
  const copied = Math.min(room, bytes.length);
  if (copied === 0) return 0;
  if (!accessOk(memory, at, copied)) return -EFAULT;
  memory.u8.set(bytes.subarray(0, copied), at);
  return 0;
}

/** A pointer in a copy of an info struct: an address, or one that nothing can be read from. */
export function pointerIn(info: DataView, offset: number): Address {
  return info.getUint32(offset, true) + info.getUint32(offset + 4, true) * 2 ** 32;
}

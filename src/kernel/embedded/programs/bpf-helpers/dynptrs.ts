import { E2BIG, EINVAL } from "../../../../abi/errno.ts";
import type { Address, AddressSpace } from "../../../../memory/address-space.ts";
import { type RingbufMap, ringbufOf } from "../../maps/ringbuf.ts";
import type { HelperFunction } from "./helper-function.ts";

/*
 * A dynptr is 16 bytes that only helpers look into: the address of the memory, 0 for none; a word that is always 0; its
 * size; and how far into it the dynptr begins.
 */
const DYNPTR = { DATA: 0, SIZE: 8, OFFSET: 12 } as const;
export const DYNPTR_BYTES = 16;
/** `DYNPTR_MAX_SIZE`. */
const LARGEST = (1 << 24) - 1;

/** Writes a dynptr; one of no memory has the address 0. */
export function writeDynptr({ view }: AddressSpace, at: Address, data: Address, size: number): void {
  view.setUint32(at + DYNPTR.DATA, data, true);
  view.setUint32(at + DYNPTR.DATA + 4, 0, true);
  view.setUint32(at + DYNPTR.SIZE, size, true);
  view.setUint32(at + DYNPTR.OFFSET, 0, true);
}

function dataOf({ view }: AddressSpace, at: Address): Address {
  return view.getUint32(at + DYNPTR.DATA, true);
}

/** Where bytes of a dynptr lie; `−errno` when it has none, or not so many: `bpf_dynptr_check_off_len`. */
function reach(memory: AddressSpace, at: Address, offset: number, length: number): Address {
  const data = dataOf(memory, at);
  if (data === 0) return -EINVAL;
  const size = memory.view.getUint32(at + DYNPTR.SIZE, true);
  if (length > size || offset > size - length) return -E2BIG;
  return data + memory.view.getUint32(at + DYNPTR.OFFSET, true) + offset;
}

/** bpf_dynptr_from_mem. */
export const DYNPTR_FROM_MEM: HelperFunction = {
  takes: ["u32", "u32", "u64", "u32"],
  answers: "s32",
  make:
    ({ memory }) =>
    (data, size, flags, dynptr) => {
      let error = 0;
      if ((size as number) > LARGEST) error = -E2BIG;
      else if (flags !== 0) error = -EINVAL;
      writeDynptr(memory, dynptr as number, error === 0 ? (data as number) : 0, error === 0 ? (size as number) : 0);
      return error;
    },
};

/** bpf_dynptr_read. */
export const DYNPTR_READ: HelperFunction = {
  takes: ["u32", "u32", "u32", "u64", "u64"],
  answers: "s32",
  make:
    ({ memory }) =>
    (to, length, dynptr, offset, flags) => {
      if (dataOf(memory, dynptr as number) === 0 || flags !== 0) return -EINVAL;
      const from = reach(memory, dynptr as number, offset as number, length as number);
      if (from < 0) return from;
      memory.u8.copyWithin(to as number, from, from + (length as number));
      return 0;
    },
};

/** bpf_dynptr_write. */
export const DYNPTR_WRITE: HelperFunction = {
  takes: ["u32", "u64", "u32", "u32", "u64"],
  answers: "s32",
  make:
    ({ memory }) =>
    (dynptr, offset, from, length, flags) => {
      if (dataOf(memory, dynptr as number) === 0 || flags !== 0) return -EINVAL;
      const to = reach(memory, dynptr as number, offset as number, length as number);
      if (to < 0) return to;
      memory.u8.copyWithin(to, from as number, (from as number) + (length as number));
      return 0;
    },
};

/** bpf_dynptr_data. */
export const DYNPTR_DATA: HelperFunction = {
  takes: ["u32", "u64", "u64"],
  answers: "u32",
  make:
    ({ memory }) =>
    (dynptr, offset, length) => {
      return Math.max(0, reach(memory, dynptr as number, offset as number, length as number));
    },
};

/** bpf_ringbuf_reserve_dynptr. */
export const RINGBUF_RESERVE_DYNPTR: HelperFunction = {
  takes: ["map", "u32", "u64", "u32"],
  answers: "s32",
  make:
    ({ memory }, _program, map) =>
    (size, flags, dynptr) => {
      let record = 0;
      let error = 0;
      if (flags !== 0) error = -EINVAL;
      else if ((size as number) > LARGEST) error = -E2BIG;
      else {
        record = (map as RingbufMap).reserve(size as number);
        if (record === 0) error = -EINVAL;
      }
      writeDynptr(memory, dynptr as number, record, error === 0 ? (size as number) : 0);
      return error;
    },
};

/** bpf_ringbuf_submit_dynptr. */
export const RINGBUF_SUBMIT_DYNPTR: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make:
    ({ memory }) =>
    (dynptr, flags) =>
      giveBack(memory, dynptr as number, flags as number, "submit"),
};

/** bpf_ringbuf_discard_dynptr. */
export const RINGBUF_DISCARD_DYNPTR: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make:
    ({ memory }) =>
    (dynptr, flags) =>
      giveBack(memory, dynptr as number, flags as number, "discard"),
};

/** A dynptr that has no record, for there was no room, is given back all the same. */
function giveBack(memory: AddressSpace, dynptr: Address, flags: number, how: "submit" | "discard"): number {
  const record = dataOf(memory, dynptr);
  if (record !== 0) ringbufOf(memory, record)?.[how](record, flags);
  writeDynptr(memory, dynptr, 0, 0);
  return 0;
}

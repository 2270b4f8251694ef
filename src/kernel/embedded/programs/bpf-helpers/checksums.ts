import { SK_BUFF } from "../../../../abi/contexts.ts";
import { EFAULT, EINVAL } from "../../../../abi/errno.ts";
import type { Address, AddressSpace } from "../../../../memory/address-space.ts";
import type { HelperFunction } from "./helper-function.ts";

/*
 * The checksum of the Internet protocols (RFC 1071): a sum of 16-bit words in ones' complement, of which the byte order of
 * the words does not matter as long as it is kept.
 */

/** Folds a sum to 16 bits: carries come back in at the bottom. */
function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

/** Adds the words of some memory to a sum. */
function sumOf({ view }: AddressSpace, at: Address, bytes: number, sum: number): number {
  let total = sum;
  for (let offset = 0; offset + 1 < bytes; offset += 2) total += view.getUint16(at + offset, true);
  return bytes % 2 === 0 ? total : total + view.getUint8(at + bytes - 1);
}

/** bpf_csum_diff: the checksum when memory is taken out and other memory put in. `net/core/filter.c: bpf_csum_diff`, 6.18. */
export const CSUM_DIFF: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32", "u32"],
  answers: "s64",
  make:
    ({ memory }) =>
    (from, fromSize, to, toSize, seed) => {
      const added = sumOf(memory, to as number, toSize as number, seed as number);
      // Taking out is adding the complement.
      const taken = fold(sumOf(memory, from as number, fromSize as number, 0));
      return fromSize === 0 ? fold(added) : fold(added + (0xffff - taken));
    },
};

/** `BPF_F_HDR_FIELD_MASK`: the width of a field in bytes; 0 when the difference is given at once. */
const FIELD = 0xf;
const MARK_MANGLED_0 = 1 << 5;
const L4_FLAGS = (1 << 4) | MARK_MANGLED_0 | (1 << 6) | (1 << 7) | FIELD;

/** bpf_l3_csum_replace: `net/core/filter.c: bpf_l3_csum_replace`, 6.18. */
export const L3_CSUM_REPLACE: HelperFunction = {
  takes: ["u32", "u32", "u64", "u64", "u64"],
  answers: "s32",
  make:
    ({ memory }) =>
    (ctx, offset, from, to, flags) => {
      if ((flags as number) > FIELD || (offset as number) > 0xffff || (offset as number) % 2 !== 0) {
        return (flags as number) > FIELD ? -EINVAL : -EFAULT;
      }
      const at = fieldAt(memory, ctx as number, offset as number);
      if (at < 0) return -EFAULT;
      const width = (flags as number) & FIELD;
      if (width === 0 && from !== 0) return -EINVAL;
      return replace(memory, at, from as number, to as number, width);
    },
};

/** bpf_l4_csum_replace: `net/core/filter.c: bpf_l4_csum_replace`, 6.18. */
export const L4_CSUM_REPLACE: HelperFunction = {
  takes: ["u32", "u32", "u64", "u64", "u64"],
  answers: "s32",
  make:
    ({ memory }) =>
    (ctx, offset, from, to, flags) => {
      if ((flags as number) > L4_FLAGS || ((flags as number) & ~L4_FLAGS) !== 0) return -EINVAL;
      if ((offset as number) > 0xffff || (offset as number) % 2 !== 0) return -EFAULT;
      const at = fieldAt(memory, ctx as number, offset as number);
      if (at < 0) return -EFAULT;
      const isMangled0 = ((flags as number) & MARK_MANGLED_0) !== 0;
      if (isMangled0 && memory.view.getUint16(at, true) === 0) return 0;
      const width = (flags as number) & FIELD;
      if (width === 0 && from !== 0) return -EINVAL;
      const result = replace(memory, at, from as number, to as number, width);
      if (result === 0 && isMangled0 && memory.view.getUint16(at, true) === 0) memory.view.setUint16(at, 0xffff, true);
      return result;
    },
};

/** Where two bytes of the packet lie; −1 when they are not all in it. */
function fieldAt({ view }: AddressSpace, ctx: Address, offset: number): Address {
  const at = view.getUint32(ctx + SK_BUFF.DATA, true) + offset;
  return at + 2 <= view.getUint32(ctx + SK_BUFF.DATA_END, true) ? at : -1;
}

/** Changes a checksum as its data change from one value to another of 2 or 4 bytes: RFC 1624. */
function replace({ view }: AddressSpace, at: Address, from: number, to: number, width: number): number {
  if (width !== 0 && width !== 2 && width !== 4) return -EINVAL;
  const bits = width === 2 ? 0x10000 : 0x100000000;
  const old = 0xffff - view.getUint16(at, true);
  const sum = old + (0xffff - fold(from % bits)) + fold(to % bits);
  view.setUint16(at, 0xffff - fold(width === 0 ? old + fold(to % 0x100000000) : sum), true);
  return 0;
}

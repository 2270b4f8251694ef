import { EFAULT } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";

/**
 * bpf_probe_read_kernel and its like: what the program may see can be read, from any address that is a number; a fault
 * anywhere else clears the destination.
 */
export const PROBE_READ: HelperFunction = {
  takes: ["u32", "u32", "u64"],
  answers: "s32",
  make: (host, program) => (to, size, from) => {
    if (program.canSee(from as number, size as number)) {
      host.memory.u8.copyWithin(to as number, from as number, (from as number) + (size as number));
      return 0;
    }
    host.memory.u8.fill(0, to as number, (to as number) + (size as number));
    return -EFAULT;
  },
};

/** bpf_probe_read_kernel_str and its like: answers the length of the text, its NUL included. */
export const PROBE_READ_STR: HelperFunction = {
  takes: ["u32", "u32", "u64"],
  answers: "s32",
  make: (host, program) => (to, size, from) => {
    if (size === 0) return 0;
    const length = textLength(host, from as number, size as number, (at) => program.canSee(at, 1));
    const { u8 } = host.memory;
    if (length < 0) {
      u8.fill(0, to as number, (to as number) + (size as number));
      return -EFAULT;
    }
    u8.copyWithin(to as number, from as number, (from as number) + length);
    if (length < (size as number)) u8[(to as number) + length] = 0;
    else u8[(to as number) + length - 1] = 0;
    return Math.min(length + 1, size as number);
  },
};

/** The length of a text without its NUL, at most `size`; −1 when it runs out of what can be seen. */
function textLength({ memory }: ProgramHost, from: Address, size: number, canSee: (at: Address) => boolean): number {
  for (let length = 0; length < size; length++) {
    if (!canSee(from + length)) return -1;
    if (memory.u8[from + length] === 0) return length;
  }
  return size;
}

/** bpf_strncmp. */
export const STRNCMP: HelperFunction = {
  takes: ["u32", "u32", "u32"],
  answers: "s32",
  make:
    ({ memory }) =>
    (text, size, other) => {
      const { u8 } = memory;
      for (let at = 0; at < (size as number); at++) {
        const a = u8[(text as number) + at] as number;
        const b = u8[(other as number) + at] as number;
        if (a !== b) return a < b ? -1 : 1;
        if (a === 0) return 0;
      }
      return 0;
    },
};

import { EFAULT, ERANGE } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";

/** Below it lie the addresses of user space, and all that there are here. */
const USER_END = 2 ** 47;

/** What is said of an address where the program can see nothing: `copy_from_kernel_nofault_allowed` has user space out of range. */
type Fault = (address: number) => number;
const FAULT: Fault = () => -EFAULT;
const KERNEL_FAULT: Fault = (address) => (address < USER_END ? -ERANGE : -EFAULT);

/** What the program may see can be read, from any address that is a number; a fault anywhere else clears the destination. */
function probeRead(fault: Fault): HelperFunction {
  return {
    takes: ["u32", "u32", "u64"],
    answers: "s32",
    make: (host, program) => (to, size, from) => {
      if (program.canSee(from as number, size as number)) {
        host.memory.u8.copyWithin(to as number, from as number, (from as number) + (size as number));
        return 0;
      }
      host.memory.u8.fill(0, to as number, (to as number) + (size as number));
      return fault(from as number);
    },
  };
}

/** Answers the length of the text, its NUL included. */
function probeReadText(fault: Fault): HelperFunction {
  return {
    takes: ["u32", "u32", "u64"],
    answers: "s32",
    make: (host, program) => (to, size, from) => {
      if (size === 0) return 0;
      const length = textLength(host, from as number, size as number, (at) => program.canSee(at, 1));
      const { u8 } = host.memory;
      if (length < 0) {
        u8.fill(0, to as number, (to as number) + (size as number));
        return fault(from as number);
      }
      u8.copyWithin(to as number, from as number, (from as number) + length);
      if (length < (size as number)) u8[(to as number) + length] = 0;
      else u8[(to as number) + length - 1] = 0;
      return Math.min(length + 1, size as number);
    },
  };
}

/** bpf_probe_read, bpf_probe_read_user, bpf_copy_from_user, and bpf_probe_read_kernel. */
export const PROBE_READ = probeRead(FAULT);
export const PROBE_READ_KERNEL = probeRead(KERNEL_FAULT);
/** bpf_probe_read_str, bpf_probe_read_user_str, and bpf_probe_read_kernel_str. */
export const PROBE_READ_STR = probeReadText(FAULT);
export const PROBE_READ_KERNEL_STR = probeReadText(KERNEL_FAULT);

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

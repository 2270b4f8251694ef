import { E2BIG, EINVAL } from "../../../../abi/errno.ts";
import type { HelperFunction } from "./helper-function.ts";

/** A helper that always answers the same: what it asks about is not there, or is always the same. */
export function always(answer: number, takes: HelperFunction["takes"] = []): HelperFunction {
  return { takes, answers: "s64", make: () => () => answer };
}

/** bpf_get_prandom_u32. */
export const GET_PRANDOM_U32: HelperFunction = {
  takes: [],
  answers: "u32",
  make: () => () => Math.floor(Math.random() * 2 ** 32) | 0,
};

/** bpf_get_current_pid_tgid: the process in the upper half, the thread in the lower one. */
export const GET_CURRENT_PID_TGID: HelperFunction = {
  takes: [],
  answers: "stored",
  make({ identity, memory, answer }) {
    return () => {
      memory.u32[answer >>> 2] = identity.pid;
      memory.u32[(answer >>> 2) + 1] = identity.pid;
      return 0;
    };
  },
};

/** bpf_get_current_uid_gid: the group in the upper half, the user in the lower one. */
export const GET_CURRENT_UID_GID: HelperFunction = {
  takes: [],
  answers: "stored",
  make({ identity, memory, answer }) {
    return () => {
      memory.u32[answer >>> 2] = identity.uid;
      memory.u32[(answer >>> 2) + 1] = identity.gid;
      return 0;
    };
  },
};

/** bpf_get_current_comm: cut to the buffer, a NUL at its end and zeros behind it. */
export const GET_CURRENT_COMM: HelperFunction = {
  takes: ["u32", "u32"],
  answers: "s32",
  make({ identity, memory }) {
    const comm = new TextEncoder().encode(identity.comm);
    return (buffer, size) => {
      const to = buffer as number;
      memory.u8.fill(0, to, to + (size as number));
      memory.u8.set(comm.subarray(0, (size as number) - 1), to);
      return 0;
    };
  },
};

/** A helper that answers the same as always, and clears the memory that it was given in the registers behind `before`. */
export function cleared(answer: number, before: HelperFunction["takes"]): HelperFunction {
  return {
    takes: [...before, "u32", "u32"],
    answers: "s32",
    make:
      ({ memory }) =>
      (at, size) => {
        memory.u8.fill(0, at as number, (at as number) + (size as number));
        return answer;
      },
  };
}

/** `BPF_F_CURRENT_CPU` stands for the index of the CPU. */
const CURRENT_CPU = 0xffffffff;

/** A helper that looks into an array of objects which holds none: `−E2BIG` past its end, else `answer`. */
export function atIndex(answer: number, takes: HelperFunction["takes"]): HelperFunction {
  return {
    takes,
    answers: "s64",
    make: (host, _program, map) => (index) => {
      if ((index as number) > CURRENT_CPU) return -EINVAL;
      const low = (index as number) % 2 ** 32;
      const at = low === CURRENT_CPU ? host.cpu : low;
      return at >= map.maxEntries ? -E2BIG : answer;
    },
  };
}

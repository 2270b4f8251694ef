import type { HelperFunction } from "./helper-function.ts";

/**
 * bpf_spin_lock: memory that is not shared has one thread, which cannot be waiting for itself: the verifier has seen to it.
 */
export const SPIN_LOCK: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make({ memory }) {
    if (!memory.isShared) return () => 0;
    return (lock) => {
      const word = (lock as number) >>> 2;
      while (Atomics.compareExchange(memory.i32, word, 0, 1) !== 0);
      return 0;
    };
  },
};

/** bpf_spin_unlock. */
export const SPIN_UNLOCK: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make({ memory }) {
    if (!memory.isShared) return () => 0;
    return (lock) => {
      Atomics.store(memory.i32, (lock as number) >>> 2, 0);
      return 0;
    };
  },
};

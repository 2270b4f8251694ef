import type { EmbeddedMap } from "../../map-ops.ts";
import type { HelperFunction } from "./helper-function.ts";

/**
 * bpf_spin_lock: memory that is not shared has one thread, which cannot be waiting for itself: the verifier has seen to it.
 * In memory that is, a lock holds the number of who has taken it, so that it is known when that one has died.
 */
export const SPIN_LOCK: HelperFunction = {
  takes: ["u32"],
  answers: "s32",
  make(host, { maps }) {
    if (!host.memory.isShared) return () => 0;
    return (lock) => {
      mapAround(host.mapsInUse(maps), lock as number)?.lockValue(lock as number);
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

/** The map that a value lies in, of those whose values have locks: the last one that begins before it. */
function mapAround(maps: readonly EmbeddedMap[], address: number): EmbeddedMap | undefined {
  let around: EmbeddedMap | undefined;
  for (const map of maps) {
    if (map.record?.hasSpinLock === true && map.base <= address && map.base >= (around?.base ?? 0)) around = map;
  }
  return around;
}

import { EINVAL } from "../../../../abi/errno.ts";
import { describe } from "./describe.ts";
import type { Register } from "./register.ts";
import { Rejection } from "./rejection.ts";
import type { Verification } from "./verification.ts";

/** `bpf_spin_lock` and `bpf_spin_unlock`: one lock at a time, and the same is unlocked. `process_spin_lock`, 6.18. */
export function checkSpinLock(v: Verification, pointer: Register, isLock: boolean): void {
  const map = pointer.map;
  const { place } = pointer;
  if (place === undefined) {
    throw new Rejection(
      EINVAL,
      `R1 doesn't have constant offset: it is ${describe(pointer)}; bpf_spin_lock has to be at the constant offset`,
    );
  }
  if (map?.spinLockOffset === undefined) {
    throw new Rejection(
      EINVAL,
      `${map?.label} has no valid bpf_spin_lock: its BTF must declare a value with a struct bpf_spin_lock`,
    );
  }
  if (place !== map.spinLockOffset) {
    throw new Rejection(
      EINVAL,
      `off ${place} doesn't point to 'struct bpf_spin_lock' that is at ${map.spinLockOffset}`,
    );
  }
  const held = v.state.lock;
  if (isLock) {
    if (held !== undefined)
      throw new Rejection(EINVAL, "Locking two bpf_spin_locks are not allowed: unlock the first before");
    v.state.lock = { map, id: pointer.id };
    return;
  }
  if (held === undefined) throw new Rejection(EINVAL, "bpf_spin_unlock without taking a lock");
  if (held.map !== map || held.id !== pointer.id) {
    throw new Rejection(EINVAL, "bpf_spin_unlock of different lock: the value must come from the same lookup");
  }
  v.state.lock = undefined;
}

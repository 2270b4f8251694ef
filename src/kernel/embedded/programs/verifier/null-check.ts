import { BPF_MAP_TYPE_SOCKHASH, BPF_MAP_TYPE_SOCKMAP, BPF_MAP_TYPE_XSKMAP } from "../../../../abi/map-types.ts";
import { number, type Register } from "./register.ts";
import type { State } from "./state.ts";

/** The pointer, known not to be NULL. What a map of maps gave is then a map: `mark_ptr_not_null_reg`, 6.18. */
export function notNull(register: Register): Register {
  const known = register.copy();
  known.isNullable = false;
  if (register.kind !== "map_value") return known;
  const map = register.map;
  if (map?.inner !== undefined) {
    known.kind = "map";
    known.map = map.inner;
    if (map.inner.timerOffset !== undefined) known.mapUid = register.id;
  } else if (
    map?.type === BPF_MAP_TYPE_XSKMAP ||
    map?.type === BPF_MAP_TYPE_SOCKMAP ||
    map?.type === BPF_MAP_TYPE_SOCKHASH
  ) {
    known.kind = "sock";
  }
  return known;
}

/**
 * A pointer was compared with NULL: every copy of it is NULL now, or is none. A reference that is NULL need not be given
 * back. `mark_ptr_or_null_regs`, 6.18.
 */
export function settleNull(state: State, pointer: Register, isNull: boolean): void {
  const { id, ref } = pointer;
  if (isNull && ref !== 0 && ref === id) state.references = state.references.filter((held) => held.id !== ref);
  state.changeRegisters((register) => {
    if (!register.isNullable || register.id !== id) return register;
    if (isNull) return number(0n);
    const known = notNull(register);
    if (!mayHoldLock(known)) known.id = 0;
    return known;
  });
}

/** A value with a lock in it keeps its id, by which it is told from other values. */
function mayHoldLock({ kind, map }: Register): boolean {
  return kind === "map_value" && map?.spinLockOffset !== undefined;
}

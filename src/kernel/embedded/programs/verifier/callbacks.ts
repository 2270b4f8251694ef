import { ENOTSUPP } from "../../../../abi/errno.ts";
import {
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
} from "../../../../abi/map-types.ts";
import { enter } from "./function-call.ts";
import type { Arguments } from "./helper-arguments.ts";
import type { MapView } from "./map-view.ts";
import { markPrecise, pointer, type Register, UNKNOWN_SCALAR } from "./register.ts";
import { Rejection } from "./rejection.ts";
import { Frame, State } from "./state.ts";
import type { Verification } from "./verification.ts";

/** The types whose elements can be gone through: those with `map_for_each_callback`. */
const ITERABLE: ReadonlySet<number> = new Set([
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_ARRAY,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_ARRAY,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
]);

/**
 * A helper that calls a function of the program. The callback is followed as a path of its own, which comes back to the
 * call; this path goes on as if it were called no more. `push_callback_call`, 6.18.
 */
export function checkCallback(v: Verification, helper: string, found: Arguments): void {
  const facts = v.functions[found.callback];
  if (facts !== undefined) facts.isCallback = true;
  const caller = v.frame;
  if (helper === "timer_set_callback") return checkAsync(v, found);
  if (helper === "for_each_map_elem" && !ITERABLE.has(found.map?.type ?? 0)) {
    throw new Rejection(
      ENOTSUPP,
      `callback function not allowed for map: ${found.map?.label} has no elements to go through`,
    );
  }
  if (helper === "loop") {
    const iterations = caller.registers[1] as Register;
    markPrecise(iterations);
    if (BigInt(caller.callbackDepth) >= iterations.range.umax) {
      caller.callbackDepth = 0;
      return;
    }
  }
  const state = v.putOff(v.functions[found.callback]?.start ?? 0);
  const callee = new Frame(state.frames.length, v.slot, found.callback, "callback", 0n, 1n);
  parameters(helper, caller, callee, found.map);
  state.frame.callbackDepth++;
  enter(state, callee);
  state.callbackDepth++;
  caller.callbackDepth = 0;
}

function parameters(helper: string, caller: Frame, callee: Frame, map: MapView | undefined): void {
  const { registers } = callee;
  const context = caller.registers[3] as Register;
  switch (helper) {
    case "loop":
      registers[1] = UNKNOWN_SCALAR;
      registers[2] = context;
      return;
    case "user_ringbuf_drain": {
      const dynptr = pointer("dynptr");
      dynptr.dynptrType = "local";
      dynptr.isFirstSlot = true;
      registers[1] = dynptr;
      registers[2] = context;
      return;
    }
    default:
      registers[1] = caller.registers[1] as Register;
      registers[2] = inMap("map_key", map);
      registers[3] = inMap("map_value", map);
      registers[4] = context;
  }
}

function inMap(kind: "map_key" | "map_value" | "map", map: MapView | undefined): Register {
  const register = pointer(kind);
  register.map = map;
  return register;
}

/** A timer calls later, when nothing of this path is left. */
function checkAsync(v: Verification, found: Arguments): void {
  const facts = v.functions[found.callback];
  if (facts !== undefined) facts.isAsyncCallback = true;
  const frame = new Frame(0, -1, found.callback, "async", 0n, 0n);
  frame.registers[1] = inMap("map", found.map);
  frame.registers[2] = inMap("map_key", found.map);
  frame.registers[3] = inMap("map_value", found.map);
  v.putOffState(new State([frame], v.newId()), facts?.start ?? 0);
}

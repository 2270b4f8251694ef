import type { EmbeddedMap } from "../../map-ops.ts";
import type { HelperFunction } from "../bpf-helpers/helper-function.ts";
import { helperFunction } from "../bpf-helpers/helper-functions.ts";
import type { VerifiedProgram } from "../verified-program.ts";
import { canOverwrite } from "./map-update.ts";

const MAP_LOOKUP_ELEM = 1;
const MAP_UPDATE_ELEM = 2;
const GET_SMP_PROCESSOR_ID = 8;
const TAIL_CALL = 12;
const LOOP = 181;

/** How the call of a helper is compiled. */
export type CallPlan =
  /** A function of JavaScript, made for the one map that the call is about when it is known. */
  | {
      readonly kind: "import";
      readonly helper: HelperFunction;
      readonly map: EmbeddedMap | undefined;
      /** Whether the program overwrites what is there by itself, and leaves only the rest to the helper. */
      readonly overwrites: boolean;
    }
  /** A lookup in a map whose layout is known. */
  | { readonly kind: "lookup"; readonly map: EmbeddedMap }
  | { readonly kind: "tail_call" }
  /** Calls of a function of the program, by its first slot. */
  | { readonly kind: "loop"; readonly callback: number }
  | { readonly kind: "cpu" };

const COMPILED: ReadonlySet<number> = new Set([MAP_LOOKUP_ELEM, TAIL_CALL, LOOP, GET_SMP_PROCESSOR_ID]);

/** Whether programs can call the helper of this number on the embedded kernel. */
export function hasHelper(id: number): boolean {
  return COMPILED.has(id) || helperFunction(id) !== undefined;
}

/** Decides how the call of the helper `id` at a slot is compiled. */
export function planCall({ calls }: VerifiedProgram, slot: number, id: number): CallPlan {
  const call = calls.get(slot);
  const map = call?.map;
  if (id === MAP_LOOKUP_ELEM && map?.programGeometry !== undefined) return { kind: "lookup", map };
  if (id === TAIL_CALL) return { kind: "tail_call" };
  if (id === LOOP && call?.callback !== undefined) return { kind: "loop", callback: call.callback };
  if (id === GET_SMP_PROCESSOR_ID) return { kind: "cpu" };
  const helper = helperFunction(id);
  if (helper === undefined) throw new Error(`the embedded kernel has no helper ${id}, which the verifier let through`);
  const taken = helper.takes.includes("map") ? map : undefined;
  const overwrites = id === MAP_UPDATE_ELEM && taken !== undefined && canOverwrite(taken);
  return { kind: "import", helper, map: taken, overwrites };
}

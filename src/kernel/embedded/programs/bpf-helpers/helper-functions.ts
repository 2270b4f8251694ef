import { type HelperName, helperNumber } from "../../../../abi/helpers.ts";
import type { HelperFunction } from "./helper-function.ts";
import {
  MAP_DELETE_ELEM,
  MAP_LOOKUP_ELEM,
  MAP_LOOKUP_PERCPU_ELEM,
  MAP_PEEK_ELEM,
  MAP_POP_ELEM,
  MAP_PUSH_ELEM,
  MAP_UPDATE_ELEM,
} from "./map-elements.ts";

const BY_NAME = {
  bpf_map_lookup_elem: MAP_LOOKUP_ELEM,
  bpf_map_update_elem: MAP_UPDATE_ELEM,
  bpf_map_delete_elem: MAP_DELETE_ELEM,
  bpf_map_push_elem: MAP_PUSH_ELEM,
  bpf_map_pop_elem: MAP_POP_ELEM,
  bpf_map_peek_elem: MAP_PEEK_ELEM,
  bpf_map_lookup_percpu_elem: MAP_LOOKUP_PERCPU_ELEM,
} satisfies Partial<Record<HelperName, HelperFunction>>;

/** The helpers of the embedded kernel, by number, but for those that are compiled into the program. */
export const HELPER_FUNCTIONS: ReadonlyMap<number, HelperFunction> = new Map(
  Object.entries(BY_NAME).map(([name, helper]) => [helperNumber(name) as number, helper]),
);

import type { Bpf } from "mapiary";
import { MEASURED_TYPES } from "./measured-types.ts";
import { TYPE_MEASURES } from "./type-measures.ts";
import { TypeWorkload } from "./type-workload.ts";

const ENTRIES = 16;
const UNITS = 1000;

/**
 * Uses small maps of all other types, as a program does that has several: what the engine learned of one class and one
 * layout (its inline caches) then no longer holds for all.
 */
export function useOtherTypes(bpf: Bpf, but: string): void {
  for (const [name, type] of Object.entries(MEASURED_TYPES)) {
    if (name === but) continue;
    const measured = type.make(bpf, ENTRIES, 1);
    const workload = new TypeWorkload(measured);
    for (const measure of TYPE_MEASURES) workload.time(measure, UNITS);
    measured.map.close();
  }
}

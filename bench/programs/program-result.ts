import type { Samples } from "../rounds.ts";
import type { Startable } from "../running-peer.ts";
import { ratioOf, type Spread, spreadOf } from "../statistics.ts";
import type { LoadingCost } from "./loading.ts";
import { PROGRAM_MEASURE_NAMES, type ProgramMeasure } from "./program-measures.ts";
import { EMBEDDED, ON_LINUX } from "./program-roster.ts";

/** What calculating costs in a program: nanoseconds for one round of the loop, and times Linux's. */
export interface Calculation {
  readonly measure: ProgramMeasure;
  readonly embedded: Spread;
  readonly linux?: Spread;
  readonly times?: Spread;
}

/** What was found out about programs. */
export interface ProgramResult {
  readonly calculations: readonly Calculation[];
  readonly loading: LoadingCost;
  /** Those that could not be measured, and why. */
  readonly absent: readonly { readonly title: string; readonly absent: string }[];
}

export function calculations(samples: Samples<ProgramMeasure>): Calculation[] {
  return PROGRAM_MEASURE_NAMES.flatMap((measure) => {
    const { [EMBEDDED]: own, [ON_LINUX]: others } = samples[measure];
    if (own === undefined) return [];
    const embedded = spreadOf(own);
    if (others === undefined) return [{ measure, embedded }];
    return [{ measure, embedded, linux: spreadOf(others), times: ratioOf(own, others) }];
  });
}

export function absentPrograms(contenders: readonly Startable[]): ProgramResult["absent"] {
  return contenders.flatMap(({ title, absent }) => (absent === undefined ? [] : [{ title, absent }]));
}

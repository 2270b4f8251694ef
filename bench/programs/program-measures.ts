/** What programs are measured at besides their helpers. Times are for one round of a loop. */
export const PROGRAM_MEASURES = {
  "arithmetic-64": { title: "12 operations on 64 bits" },
  "arithmetic-32": { title: "13 operations on 32 bits, a division" },
} as const;

export type ProgramMeasure = keyof typeof PROGRAM_MEASURES;

export const PROGRAM_MEASURE_NAMES = Object.keys(PROGRAM_MEASURES) as ProgramMeasure[];

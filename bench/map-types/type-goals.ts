import type { TypeMeasure } from "./type-measures.ts";
import type { TypeResult } from "./type-result.ts";

/** The map type at which the embedded kernel is ahead of Linux's system call by least, and how many times as long that takes. */
export function leastAhead(
  types: readonly TypeResult[],
  measure: TypeMeasure,
): { readonly title: string; readonly times: number } | undefined {
  return types
    .flatMap(({ title, cells }) => {
      const times = cells[measure]?.times?.median;
      return times === undefined ? [] : [{ title, times }];
    })
    .sort((a, b) => a.times - b.times)[0];
}

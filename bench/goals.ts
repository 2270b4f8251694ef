import type { ImportCost } from "./import-cost.ts";
import { leastAhead } from "./map-types/type-goals.ts";
import type { TypeMeasure } from "./map-types/type-measures.ts";
import type { TypeResult } from "./map-types/type-result.ts";
import type { MeasureName } from "./measures.ts";
import type { MemoryPerEntry } from "./memory.ts";
import type { Samples } from "./rounds.ts";
import { ratioOf } from "./statistics.ts";

/** Something that mapiary sets itself, and whether it holds here. */
export interface Goal {
  readonly title: string;
  /** What was found, in the goal's own unit. */
  readonly found: number;
  readonly limit: number;
  readonly kind: "at most" | "at least";
  readonly unit: string;
  readonly isMet: boolean;
}

/** The goals of which all sides were measured. Ratios are of samples of the same round. */
export function goals(
  samples: Samples<MeasureName>,
  types: readonly TypeResult[],
  memory: MemoryPerEntry,
  cost: ImportCost,
): Goal[] {
  const times = (measure: MeasureName, name: string, other: string, otherMeasure = measure): number | undefined => {
    const own = samples[measure][name];
    const others = samples[otherMeasure][other];
    return own && others && ratioOf(own, others).median;
  };
  const systemCall = samples["get-hit"]["c-libbpf"] === undefined ? "linux-number" : "c-libbpf";
  const found: (Omit<Goal, "isMet" | "found"> & { readonly found: number | undefined })[] = [
    atMost("get on Linux, against C with libbpf", times("get-hit", "linux-number", "c-libbpf"), 1.15),
    atMost("get on Linux, against npm bpf (RawMap)", times("get-hit", "linux-number", "npm-bpf-raw"), 1),
    atMost("get on Linux, against npm bpf (ConvMap)", times("get-hit", "linux-number", "npm-bpf-conv"), 1),
    atLeast(
      "iteration on Linux, npm bpf's iterator (RawMap) against it",
      times("iterate", "npm-bpf-raw", "linux-number"),
      20,
    ),
    atLeast(
      "iteration on Linux, npm bpf's getBatch (RawMap) against it",
      times("batch", "npm-bpf-raw", "linux-number", "iterate"),
      3,
    ),
    atMost("get on the embedded kernel, against Map", times("get-hit", "embedded-number", "map-number"), 2),
    atMost(
      "overwriting set on the embedded kernel, against Map",
      times("overwrite", "embedded-number", "map-number"),
      2,
    ),
    atLeast(
      "get by Linux's system call against the embedded kernel",
      times("get-hit", systemCall, "embedded-number"),
      10,
    ),
    atLeast(
      "overwriting set by Linux's system call against the embedded kernel",
      times("overwrite", systemCall, "embedded-number"),
      10,
    ),
    everyType("lookup", types),
    everyType("update", types),
    atMost("bytes per entry on the embedded kernel, against Map", memory.embedded / memory.mapOfNumbers, 1),
    {
      title: "what importing mapiary adds to an empty script",
      found: cost.mapiary.median,
      limit: 30,
      kind: "at most",
      unit: "ms",
    },
  ];
  return found.flatMap(({ found, ...goal }) =>
    found === undefined ? [] : [{ ...goal, found, isMet: isMet(goal, found) }],
  );
}

/** The goal for all map types, which the one that is the least ahead decides. */
function everyType(measure: TypeMeasure, types: readonly TypeResult[]) {
  const least = leastAhead(types, measure);
  const title = `${measure} of every map type by Linux's system call against the embedded kernel, the least`;
  return atLeast(least === undefined ? title : `${title}: ${least.title}`, least?.times, 5);
}

function atMost(title: string, found: number | undefined, limit: number) {
  return { title, found, limit, kind: "at most", unit: "×" } as const;
}

function atLeast(title: string, found: number | undefined, limit: number) {
  return { title, found, limit, kind: "at least", unit: "×" } as const;
}

function isMet({ kind, limit }: Pick<Goal, "kind" | "limit">, found: number): boolean {
  return kind === "at most" ? found <= limit : found >= limit;
}

import type { Growth } from "./growth/sizing.ts";
import { leastAhead } from "./map-types/type-goals.ts";
import type { TypeMeasure } from "./map-types/type-measures.ts";
import type { TypeResult } from "./map-types/type-result.ts";
import type { MeasureName } from "./measures.ts";
import { PROGRAM_MEASURES } from "./programs/program-measures.ts";
import type { Result } from "./result.ts";
import { FOR_AWAIT } from "./rings/rings.ts";
import type { Samples } from "./rounds.ts";
import { ratioOf } from "./statistics.ts";
import { MEMORY } from "./values/values.ts";

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
  {
    types,
    programs,
    rings,
    values,
    sharing,
    memory,
    importCost,
    growth,
  }: Omit<Result, "machine" | "effort" | "peers" | "baselines">,
): Goal[] {
  const times = (measure: MeasureName, name: string, other: string, otherMeasure = measure): number | undefined => {
    const own = samples[measure][name];
    const others = samples[otherMeasure][other];
    return own && others && ratioOf(own, others).median;
  };
  const systemCall = samples["get-hit"]["c-libbpf"] === undefined ? "linux-number" : "c-libbpf";
  const found: (Omit<Goal, "isMet" | "found"> & { readonly found: number | undefined })[] = [
    atMost("embedded get, against Map", times("get-hit", "embedded-number", "map-number"), 1),
    atMost("embedded overwriting set, against Map", times("overwrite", "embedded-number", "map-number"), 1.2),
    atMost("embedded iteration, against Map", times("iterate", "embedded-number", "map-number"), 2),
    atMost("embedded insert of 1,000,000 new keys, against Map", insertAgainstMap(growth, 1_000_000), 1),
    atLeast("Linux's lookup helper against embedded get", times("get-hit", "helper-linux", "embedded-number"), 2),
    atLeast("Linux's update helper against embedded set", times("overwrite", "helper-linux", "embedded-number"), 2),
    atLeast("get of lmdb, shared, against embedded, shared", times("get-hit", "shared-lmdb", "shared-embedded"), 5),
    atLeast("set of lmdb, shared, against embedded, shared", times("overwrite", "shared-lmdb", "shared-embedded"), 20),
    atMost("get of embedded, shared, against private", times("get-hit", "shared-embedded", "embedded-number"), 1.2),
    ...sharing.scaling
      .filter(({ map }) => map === "shared")
      .map(({ loop, worked }) =>
        atLeast(`two threads on keys of their own against one, ${loop}, by CPU time`, worked.median, 1.7),
      ),
    atLeast("delay until another process sees an update, Linux against embedded", delayOnLinux(sharing), 1),
    atLeast("get by Linux's system call against embedded", times("get-hit", systemCall, "embedded-number"), 10),
    atLeast("set by Linux's system call against embedded", times("overwrite", systemCall, "embedded-number"), 10),
    atMost("get on Linux, against C with libbpf", times("get-hit", "linux-number", "c-libbpf"), 1.1),
    atMost("iteration on Linux, against C's batches", times("iterate", "linux-number", "c-libbpf", "batch"), 1.5),
    atMost("setMany on Linux, against C's batches", times("set-many", "linux-number", "c-libbpf"), 1.5),
    atMost("get on Linux, against npm bpf (RawMap)", times("get-hit", "linux-number", "npm-bpf-raw"), 1),
    atLeast(
      "npm bpf's iterator (RawMap) against iteration on Linux",
      times("iterate", "npm-bpf-raw", "linux-number"),
      20,
    ),
    atLeast(
      "npm bpf's getBatch (RawMap) against iteration on Linux",
      times("batch", "npm-bpf-raw", "linux-number", "iterate"),
      5,
    ),
    atLeast("Linux's lookup helper against the embedded one", times("get-hit", "helper-linux", "helper-embedded"), 2),
    atLeast("Linux's update helper against the embedded one", times("overwrite", "helper-linux", "helper-embedded"), 2),
    ...programs.calculations.map(({ measure, times }) =>
      atMost(`${PROGRAM_MEASURES[measure].title} in an embedded program, against Linux`, times?.median, 1.5),
    ),
    {
      title: `verification and compilation of a process's first program of ${programs.loading.instructions} instructions, by the clock`,
      found: programs.loading.first.elapsed.median,
      limit: 50,
      kind: "at most",
      unit: "ms",
    },
    atLeast(
      "records of 64 bytes in a `for await` loop, against libbpf's consumer",
      rings.consumers.find(({ title }) => title === FOR_AWAIT)?.times.median,
      0.5,
    ),
    atMost("reading a struct of ten fields by its layout, against code by hand", values.struct.median, 1.5),
    atLeast("get of a `u64` on Linux against reading it from memory", values.liveMemory[MEMORY]?.median, 50),
    everyType("lookup", types),
    everyType("update", types),
    atMost("bytes per entry, embedded against Map of numbers", memory.embedded / memory.mapOfNumbers, 1),
    atMost("bytes per entry, embedded against Map of bigints", memory.embedded / memory.mapOfBigInts, 0.5),
    atMost(
      "bytes per entry, embedded against Linux's memlock",
      memory.linux === undefined ? undefined : memory.embedded / memory.linux,
      1,
    ),
    atMost(
      "an embedded get of the largest table, against one of 10,000 and what memory adds",
      growthBeyondBare(growth),
      4,
    ),
    {
      title: "what importing mapiary adds to an empty script",
      found: importCost.mapiary.median,
      limit: 30,
      kind: "at most",
      unit: "ms",
    },
  ];
  return found.flatMap(({ found, ...goal }) =>
    found === undefined ? [] : [{ ...goal, found, isMet: isMet(goal, found) }],
  );
}

function insertAgainstMap(growth: readonly Growth[], entries: number): number | undefined {
  const { map, embedded } = growth.find((one) => one.series === "entries" && one.entries === entries)?.kinds ?? {};
  return map?.fill && embedded?.fill && embedded.fill / map.fill;
}

/**
 * How many times as long a `get` of the largest table takes as one of ten thousand entries and what two reads, of which the
 * second waits for the first and the first for those before it, take more in a table as large.
 */
function growthBeyondBare(growth: readonly Growth[]): number | undefined {
  const bySize = growth.filter(({ series }) => series === "entries");
  const [small, large] = [bySize.find(({ entries }) => entries === 10_000)?.kinds, bySize.at(-1)?.kinds];
  if (!small?.embedded || !small.bare?.inTurn || !large?.embedded || !large.bare?.inTurn || small === large)
    return undefined;
  return large.embedded.get / (small.embedded.get + large.bare.inTurn - small.bare.inTurn);
}

/** How many times as long the median update takes to be seen on Linux. */
function delayOnLinux({ delays }: Result["sharing"]): number | undefined {
  const [own, others] = (["embedded", "linux"] as const).map((name) => delays.find(({ kernel }) => kernel === name));
  return own && others && others.p50 / own.p50;
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

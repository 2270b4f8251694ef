import type { Pauses } from "./growth/pauses.ts";
import type { Growth } from "./growth/sizing.ts";
import type { ImportCost } from "./import-cost.ts";
import type { Machine } from "./machine.ts";
import type { TypeResult } from "./map-types/type-result.ts";
import { MEASURE_NAMES, type MeasureName } from "./measures.ts";
import type { MemoryPerEntry } from "./memory.ts";
import type { ProgramResult } from "./programs/program-result.ts";
import type { RingResult } from "./rings/rings.ts";
import { BASELINES, type Contender, PLACES, type Place } from "./roster.ts";
import type { Measured, Samples } from "./rounds.ts";
import type { Delays } from "./sharing/delays.ts";
import type { Scaling } from "./sharing/scaling.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";
import type { ValueResult } from "./values/values.ts";

/** One measure of one peer. */
export interface Cell {
  /** Nanoseconds per operation or entry. */
  readonly nanoseconds: Spread;
  /** How many times the baseline's; below 1 is faster. Absent when the baseline has no such measure. */
  readonly ratio?: Spread;
}

/** A peer with what it was measured at, or why it was not. */
export interface PeerResult {
  readonly name: string;
  readonly title: string;
  readonly place: Place;
  readonly absent?: string;
  readonly cells: Readonly<Partial<Record<MeasureName, Cell>>>;
}

/** Everything that a run of the bench found out. */
export interface Result {
  readonly machine: Machine;
  readonly effort: {
    readonly entries: number;
    readonly rounds: number;
    readonly milliseconds: number;
    readonly seed: number;
  };
  /** Whom the peers of each place are compared with; absent when none of that place is there. */
  readonly baselines: Readonly<Partial<Record<Place, string>>>;
  readonly peers: readonly PeerResult[];
  /** Every map type, on both kernels. */
  readonly types: readonly TypeResult[];
  readonly programs: ProgramResult;
  readonly rings: RingResult;
  readonly values: ValueResult;
  /** Threads that share a map, and how long it takes until another process sees an update. */
  readonly sharing: { readonly scaling: readonly Scaling[]; readonly delays: readonly Delays[] };
  readonly memory: MemoryPerEntry;
  readonly importCost: ImportCost;
  /** Tables of many sizes. */
  readonly growth: readonly Growth[];
  readonly pauses: { readonly entries: number; readonly longest: Pauses };
  /** The same piece of arithmetic in every round, in nanoseconds: how steady the machine was. */
  readonly clock: Spread;
}

/** The peers with their times, and their ratios to the baseline of their place. */
export function peerResults(
  contenders: readonly Contender[],
  { samples }: Measured<MeasureName>,
): Pick<Result, "baselines" | "peers"> {
  const present = new Set(contenders.filter((one) => one.absent === undefined).map((one) => one.name));
  const baselines: Partial<Record<Place, string>> = {};
  for (const place of PLACES) {
    const name = BASELINES[place].find((candidate) => present.has(candidate));
    if (name !== undefined) baselines[place] = name;
  }
  const peers = contenders.map(({ name, title, place, absent }) => ({
    name,
    title,
    place,
    ...(absent === undefined ? {} : { absent }),
    cells: cellsOf(samples, name, baselines[place]),
  }));
  return { baselines, peers };
}

function cellsOf(samples: Samples<MeasureName>, name: string, baseline: string | undefined): PeerResult["cells"] {
  const cells: Partial<Record<MeasureName, Cell>> = {};
  for (const measure of MEASURE_NAMES) {
    const own = samples[measure][name];
    if (own === undefined) continue;
    const others = baseline === undefined ? undefined : samples[measure][baseline];
    const nanoseconds = spreadOf(own);
    cells[measure] = others === undefined ? { nanoseconds } : { nanoseconds, ratio: ratioOf(own, others) };
  }
  return cells;
}

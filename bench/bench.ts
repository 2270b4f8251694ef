/**
 * Measures mapiary against its peers: `npm run bench -- [--quick | --full] [--json | --markdown]`.
 *
 * `--json` prints one JSON object and nothing else, `--markdown` also writes docs/performance.md. `--entries`, `--rounds`
 * `--milliseconds` and `--growth` (the most entries of a table) override the sizes, `--seed` the order of the keys; `--types hash,queue` measures only those of the
 * map types.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildJavaScript } from "./build.ts";
import { goals } from "./goals.ts";
import { type GrowthEffort, measureGrowth } from "./growth/growth.ts";
import { measurePauses } from "./growth/pauses.ts";
import { importCost } from "./import-cost.ts";
import { machine } from "./machine.ts";
import { MEASURED_TYPES } from "./map-types/measured-types.ts";
import { TYPE_MEASURES } from "./map-types/type-measures.ts";
import { typeResults } from "./map-types/type-result.ts";
import { typeRoster } from "./map-types/type-roster.ts";
import { markdownReport } from "./markdown.ts";
import { MEASURE_NAMES } from "./measures.ts";
import { memoryPerEntry } from "./memory.ts";
import { loadingCost } from "./programs/loading.ts";
import { PROGRAM_MEASURE_NAMES } from "./programs/program-measures.ts";
import { absentPrograms, calculations } from "./programs/program-result.ts";
import { programRoster } from "./programs/program-roster.ts";
import { peerResults, type Result } from "./result.ts";
import { measureRings } from "./rings/rings.ts";
import { roster } from "./roster.ts";
import { type Effort, type Measured, measure } from "./rounds.ts";
import type { Startable } from "./running-peer.ts";
import { measureDelays } from "./sharing/delays.ts";
import { measureScaling } from "./sharing/scaling.ts";
import { startAll } from "./start.ts";
import { spreadOf } from "./statistics.ts";
import { terminalReport } from "./terminal.ts";
import { measureValues } from "./values/values.ts";

/** The effort for what is measured in turns, how far the tables grow, and how many records there are. */
interface BenchEffort extends Effort {
  readonly growth: GrowthEffort;
  /** Records that go through a ring buffer, and how often. */
  readonly rings: { readonly records: number; readonly rounds: number };
  /** How often threads are compared, over how many operations; and updates that another process waits for. */
  readonly sharing: { readonly rounds: number; readonly operations: number; readonly updates: number };
}

const DEFAULT: BenchEffort = {
  entries: 100_000,
  rounds: 12,
  milliseconds: 8,
  growth: { most: 1_000_000, rounds: 1 },
  rings: { records: 300_000, rounds: 3 },
  sharing: { rounds: 40, operations: 200_000, updates: 20_000 },
};
const QUICK: BenchEffort = {
  entries: 20_000,
  rounds: 5,
  milliseconds: 3,
  growth: { most: 10_000, rounds: 1 },
  rings: { records: 50_000, rounds: 1 },
  sharing: { rounds: 3, operations: 30_000, updates: 2000 },
};
const FULL: BenchEffort = {
  entries: 100_000,
  rounds: 100,
  milliseconds: 25,
  growth: { most: 10_000_000, rounds: 5 },
  rings: { records: 1_000_000, rounds: 7 },
  sharing: { rounds: 40, operations: 500_000, updates: 200_000 },
};
const DEFAULT_SEED = "2463534242";
const PERFORMANCE = join(import.meta.dirname, "..", "docs", "performance.md");

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    full: { type: "boolean" },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
    entries: { type: "string" },
    rounds: { type: "string" },
    milliseconds: { type: "string" },
    growth: { type: "string" },
    types: { type: "string" },
    seed: { type: "string", default: DEFAULT_SEED },
  },
});

const seed = natural("seed", options.seed);
const effort = chosenEffort();

const measuredOn = machine();
buildJavaScript();
const { contenders, measured } = await measureAll("peers", MEASURE_NAMES, roster(), effort);
const ofTypes = await measureAll("map types", TYPE_MEASURES, typeRoster(chosenTypes()), effortForTypes());
const ofPrograms = await measureAll("programs", PROGRAM_MEASURE_NAMES, programRoster(), effort);
tell("loading of programs, and ring buffers");
const loading = loadingCost(Math.min(effort.rounds, 12));
const rings = await measureRings(effort.rings.records, effort.rings.rounds);
tell("types and values");
const values = measureValues(Math.min(effort.rounds, 12));
tell("threads and processes that share a map");
const sharing = {
  scaling: measureScaling(effort.entries, effort.sharing.rounds, effort.sharing.operations),
  delays: measureDelays(effort.sharing.updates),
};
tell("memory and import");
const types = typeResults(ofTypes.contenders, ofTypes.measured, effort.entries);
const memory = memoryPerEntry(effort.entries);
const cost = importCost(Math.min(effort.rounds, 20));
const growth = measureGrowth(effort.growth, tell);
tell("pauses of the event loop");
const pauseEntries = Math.min(effort.growth.most, 1_000_000);
const result: Result = {
  machine: measuredOn,
  effort: { entries: effort.entries, rounds: effort.rounds, milliseconds: effort.milliseconds, seed },
  ...peerResults(contenders, measured),
  types,
  programs: {
    calculations: calculations(ofPrograms.measured.samples),
    loading,
    absent: absentPrograms(ofPrograms.contenders),
  },
  rings,
  values,
  sharing,
  memory,
  importCost: cost,
  growth,
  pauses: { entries: pauseEntries, longest: measurePauses(pauseEntries, effort.growth.rounds + 1) },
  clock: spreadOf(measured.clock),
};
const reached = goals(measured.samples, result);
tell("");

if (options.markdown) writeFileSync(PERFORMANCE, markdownReport(result, reached));
if (options.json) console.log(JSON.stringify({ ...result, goals: reached }));
else process.stdout.write(terminalReport(result, reached));

/** Starts peers, measures them in turn, and stops them. */
async function measureAll<M extends string, P extends Startable>(
  what: string,
  names: readonly M[],
  all: readonly P[],
  effort: Effort,
): Promise<{ contenders: readonly P[]; measured: Measured<M> }> {
  tell(`starting the ${what}`);
  const { contenders, peers } = await startAll(all, effort.entries, seed);
  const measured = await measure(names, peers, effort, (done) => tell(`${what}: ${done}`));
  for (const peer of peers) peer.stop();
  return { contenders, measured };
}

function chosenEffort(): BenchEffort {
  const preset = options.quick ? QUICK : options.full ? FULL : DEFAULT;
  return {
    entries: natural("entries", options.entries ?? `${preset.entries}`),
    rounds: natural("rounds", options.rounds ?? `${preset.rounds}`),
    milliseconds: natural("milliseconds", options.milliseconds ?? `${preset.milliseconds}`),
    growth: { ...preset.growth, most: natural("growth", options.growth ?? `${preset.growth.most}`) },
    rings: preset.rings,
    sharing: preset.sharing,
  };
}

/** There are three times as many processes, whose loops are short: half the time is enough for each. */
function effortForTypes(): Effort {
  return { ...effort, milliseconds: Math.ceil(effort.milliseconds / 2) };
}

/** The names of the map types to be measured. */
function chosenTypes(): readonly string[] {
  const names = Object.keys(MEASURED_TYPES);
  const chosen = options.types?.split(",") ?? names;
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown === undefined) return chosen;
  throw new RangeError(`--types are some of ${names.join(",")}, not ${unknown}`);
}

function natural(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value < 2 ** 32) return value;
  throw new RangeError(`--${name} is a whole number from 1, not ${text}`);
}

/** Says what is going on, on a terminal only, on one line. */
function tell(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}

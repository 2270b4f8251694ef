import { spawnSync } from "node:child_process";
import { BUILT } from "../build.ts";
import { spreadOf } from "../statistics.ts";
import type { Growth, Kind, Series, Sizing } from "./sizing.ts";

/** How far the measures of growth go. */
export interface GrowthEffort {
  /** Up to so many entries, from a thousand on by tens. */
  readonly most: number;
  /** So many processes for each table. */
  readonly rounds: number;
}

const KINDS: readonly Kind[] = ["map", "embedded", "bare"];
const LEAST = 1000;
/** How many entries the tables of larger and larger values have. */
const VALUES = 10_000;
/** A power of two, which is as many buckets: what is filled of it is the load factor. */
const BUCKETS = 2 ** 17;

/** Tables of 4 + 8 bytes of more and more entries, full; of larger and larger values; and at higher and higher load. */
export function measureGrowth(effort: GrowthEffort, tell: (done: string) => void): Growth[] {
  const growths: Growth[] = [];
  const add = (series: Series, entries: number, room: number, valueBytes: number, kinds: readonly Kind[]): void => {
    tell(`growth: ${entries.toLocaleString("en")} entries, values of ${valueBytes} bytes`);
    growths.push({ series, ...measureSize(entries, room, valueBytes, kinds, effort.rounds) });
  };
  for (let entries = LEAST; entries <= effort.most; entries *= 10) add("entries", entries, entries, 8, KINDS);
  if (effort.most < VALUES) return growths;
  for (const valueBytes of [4, 64, 512, 4096]) add("values", VALUES, VALUES, valueBytes, ["map", "embedded"]);
  if (effort.most < BUCKETS / 2) return growths;
  for (const load of [0.25, 0.5, 0.75, 1]) add("load", BUCKETS * load, BUCKETS, 8, ["embedded"]);
  return growths;
}

function measureSize(
  entries: number,
  room: number,
  valueBytes: number,
  kinds: readonly Kind[],
  rounds: number,
): Omit<Growth, "series"> {
  const samples = new Map<Kind, Sizing[]>(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) samples.get(kind)?.push(sizing(kind, entries, room, valueBytes));
  }
  const medians = [...samples].map(([kind, ofKind]): [Kind, Sizing] => [kind, medianOf(ofKind)]);
  return { entries, room, valueBytes, kinds: Object.fromEntries(medians) };
}

function sizing(kind: Kind, ...sizes: readonly number[]): Sizing {
  const args = ["--expose-gc", "--max-old-space-size=8192", BUILT.growthProcess, kind, ...sizes.map(String)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stdout === "") throw new Error(`a ${kind} of ${sizes.join(", ")} could not be measured: ${stderr}`);
  return JSON.parse(stdout) as Sizing;
}

function medianOf(samples: readonly Sizing[]): Sizing {
  const first = samples[0] as Sizing;
  const names = Object.keys(first) as (keyof Sizing)[];
  const median = (name: keyof Sizing): number => spreadOf(samples.map((sample) => sample[name] as number)).median;
  return Object.fromEntries(names.map((name) => [name, median(name)])) as unknown as Sizing;
}

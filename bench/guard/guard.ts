/**
 * Whether mapiary has become slower: `npm run check:speed`, and `npm run check:speed -- --write` to note what holds now.
 *
 * Each operation of the embedded kernel is compared with JavaScript's `Map` doing the same, in turn with it in one
 * process, on a table that the caches hold. What disturbs a measure makes it longer, so the least of many is what counts.
 * A ratio may be two and a half times the noted one; one that is not is measured again before it is an error. There are no counts of
 * instructions, for which machines that are rented have no counters.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuTime } from "../cpu-time.ts";
import { comparisons } from "./comparisons.ts";

const NOTED = join(import.meta.dirname, "ratios.json");
const ROUNDS = 60;
const ATTEMPTS = 4;
const TOLERANCE = 2.5;

type Ratios = Record<string, number>;

const all = comparisons();

if (process.argv.includes("--write")) {
  const ratios = Object.fromEntries(Object.entries(measure(ROUNDS * 3)).map(([name, ratio]) => [name, rounded(ratio)]));
  writeFileSync(NOTED, `${JSON.stringify(ratios, undefined, 2)}\n`);
} else {
  compare(JSON.parse(readFileSync(NOTED, "utf8")) as Ratios);
}

function compare(noted: Ratios): void {
  const found = measure(ROUNDS);
  let slower = tooSlow(found, noted);
  for (let attempt = 1; attempt < ATTEMPTS && slower.length > 0; attempt++) {
    for (const [name, ratio] of Object.entries(measure(ROUNDS))) found[name] = Math.min(found[name] as number, ratio);
    slower = tooSlow(found, noted);
  }
  for (const name of slower) {
    const [ratio, limit] = [found[name] as number, noted[name]];
    const was =
      limit === undefined ? "which is not noted (--write)" : `noted ${limit}, at most ${TOLERANCE} times that`;
    console.error(`${name}: ${rounded(ratio)} times as long as Map, ${was}`);
  }
  if (slower.length > 0) process.exitCode = 1;
}

function tooSlow(found: Ratios, noted: Ratios): string[] {
  return Object.keys(found).filter((name) => !((found[name] as number) <= (noted[name] ?? 0) * TOLERANCE));
}

/** How many times as long each operation takes as that of `Map`: the least of so many rounds by the least. */
function measure(rounds: number): Ratios {
  const least: Record<string, [own: number, map: number]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const { name, own, map } of all) {
      const before = (least[name] ??= [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
      least[name] = [Math.min(before[0], timed(own)), Math.min(before[1], timed(map))];
    }
  }
  return Object.fromEntries(Object.entries(least).map(([name, [own, map]]) => [name, own / map]));
}

function timed(run: () => void): number {
  const start = cpuTime();
  run();
  // The clock counts whole microseconds.
  return Math.max(cpuTime() - start, 1000);
}

function rounded(ratio: number): number {
  return Number(ratio.toPrecision(2));
}

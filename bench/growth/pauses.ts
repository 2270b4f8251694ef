import { spawnSync } from "node:child_process";
import { BUILT } from "../build.ts";

/** The longest pause of the event loop in milliseconds, by what was done with all entries of a map. */
export interface Pauses {
  readonly setMany: number;
  readonly setSlices: number;
  readonly iterate: number;
  readonly slices: number;
  readonly drain: number;
  readonly drainSlices: number;
}

/** The shortest of the longest pauses of so many processes: what other processes do meanwhile makes a pause longer. */
export function measurePauses(entries: number, rounds: number): Pauses {
  const all = Array.from({ length: rounds }, () => run(entries));
  const least = (name: keyof Pauses): number => Math.min(...all.map((pauses) => pauses[name]));
  const names = Object.keys(all[0] as Pauses) as (keyof Pauses)[];
  return Object.fromEntries(names.map((name) => [name, least(name)])) as unknown as Pauses;
}

function run(entries: number): Pauses {
  const { stdout, stderr } = spawnSync(process.execPath, [BUILT.pauseProcess, `${entries}`], { encoding: "utf8" });
  if (stdout === "") throw new Error(`the pauses of the event loop could not be measured: ${stderr}`);
  return JSON.parse(stdout) as Pauses;
}

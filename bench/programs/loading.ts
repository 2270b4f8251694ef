import { spawnSync } from "node:child_process";
import { BUILT } from "../build.ts";
import { type Spread, spreadOf } from "../statistics.ts";

/** Milliseconds of CPU time, those of V8's own threads that optimize among them, and milliseconds by the clock. */
export interface LoadingTime<T> {
  readonly worked: T;
  readonly elapsed: T;
}

/** What it takes to verify and compile a program: the first one of a process, and the tenth. */
export interface LoadingCost {
  readonly instructions: number;
  readonly first: LoadingTime<Spread>;
  readonly tenth: LoadingTime<Spread>;
}

/** Loads programs in so many processes, one after another. */
export function loadingCost(processes: number): LoadingCost {
  const all = Array.from({ length: processes }, run);
  return {
    instructions: all[0]?.instructions as number,
    first: spreadOfTimes(all.map(({ first }) => first)),
    tenth: spreadOfTimes(all.map(({ tenth }) => tenth)),
  };
}

function spreadOfTimes(times: readonly LoadingTime<number>[]): LoadingTime<Spread> {
  return {
    worked: spreadOf(times.map(({ worked }) => worked)),
    elapsed: spreadOf(times.map(({ elapsed }) => elapsed)),
  };
}

function run(): { readonly instructions: number } & Readonly<Record<"first" | "tenth", LoadingTime<number>>> {
  const { stdout, stderr } = spawnSync(process.execPath, [BUILT.loadingProcess], { encoding: "utf8" });
  if (stdout === "") throw new Error(`loading programs could not be measured: ${stderr}`);
  return JSON.parse(stdout);
}

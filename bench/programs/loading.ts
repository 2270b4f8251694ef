import { spawnSync } from "node:child_process";
import { BUILT } from "../build.ts";
import { type Spread, spreadOf } from "../statistics.ts";

/** Milliseconds of CPU time to verify and compile a program: the first one of a process, and the tenth. */
export interface LoadingCost {
  readonly instructions: number;
  readonly first: Spread;
  readonly tenth: Spread;
}

/** Loads programs in so many processes, one after another. */
export function loadingCost(processes: number): LoadingCost {
  const all = Array.from({ length: processes }, run);
  return {
    instructions: all[0]?.instructions as number,
    first: spreadOf(all.map(({ first }) => first)),
    tenth: spreadOf(all.map(({ tenth }) => tenth)),
  };
}

function run(): { readonly instructions: number; readonly first: number; readonly tenth: number } {
  const { stdout, stderr } = spawnSync(process.execPath, [BUILT.loadingProcess], { encoding: "utf8" });
  if (stdout === "") throw new Error(`loading programs could not be measured: ${stderr}`);
  return JSON.parse(stdout);
}

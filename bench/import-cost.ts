import { spawnSync } from "node:child_process";
import { BUILT } from "./build.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/** Milliseconds from starting a process to its end, and what an import adds to an empty script. */
export interface ImportCost {
  readonly emptyScript: Spread;
  readonly mapiary: Spread;
  readonly mapiaryLinux: Spread;
}

/** Starts so many processes of each kind, in turn. */
export function importCost(rounds: number): ImportCost {
  const empty: number[] = [];
  const index: number[] = [];
  const linux: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = run("");
    const ofIndex = run(`import ${JSON.stringify(BUILT.index)}`) - start;
    const ofLinux = run(`import ${JSON.stringify(BUILT.linux)}`) - start;
    // The first one reads the files from the disk.
    if (round === 0) continue;
    empty.push(start);
    index.push(ofIndex);
    linux.push(ofLinux);
  }
  return { emptyScript: spreadOf(empty), mapiary: spreadOf(index), mapiaryLinux: spreadOf(linux) };
}

function run(script: string): number {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" });
  if (status !== 0) throw new Error(`a process with the script \`${script}\` failed`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

import { spawnSync } from "node:child_process";
import { linux } from "mapiary/linux";
import { BUILT } from "../build.ts";

/** How long it took until another process saw an update, in nanoseconds. */
export interface Delays {
  readonly kernel: "embedded" | "linux";
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
}

/** The delays of so many updates on each kernel that is there. */
export function measureDelays(updates: number): Delays[] {
  return (linux.available() ? (["embedded", "linux"] as const) : (["embedded"] as const)).map((kernel) => {
    const delays = run(kernel, updates).sort((a, b) => a - b);
    const at = (fraction: number): number => delays[Math.floor(fraction * (delays.length - 1))] as number;
    return { kernel, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) };
  });
}

function run(kernel: Delays["kernel"], updates: number): number[] {
  const { stdout, stderr } = spawnSync(process.execPath, [BUILT.delayProcess, kernel, `${updates}`], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (stdout === "") throw new Error(`the delay between processes could not be measured: ${stderr}`);
  return JSON.parse(stdout) as number[];
}

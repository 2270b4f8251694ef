import { spawnSync } from "node:child_process";
import { linux } from "mapiary/linux";
import { BUILT } from "../build.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { measureVmlinux, type VmlinuxResult } from "./vmlinux.ts";

/** Types and values: the kernel's own, structs, and memory that is read where it lies. */
export interface ValueResult {
  readonly vmlinux: VmlinuxResult;
  /** Reading a struct of ten fields by a layout, times code that is written for it by hand. */
  readonly struct: Spread;
  /** Reading a `u64` of an array of Linux from its memory: how many times as fast as by `get`. */
  readonly liveMemory: Readonly<Record<string, Spread>>;
  /** Why there is none of the latter. */
  readonly absent?: string;
}

/** The way of reading from memory that a goal is set for. */
export const MEMORY = "memory[i]";

/** Measures each in processes of its own. */
export function measureValues(rounds: number): ValueResult {
  const absent = linux.unavailableReason();
  const liveMemory: Record<string, number[]> = absent === undefined ? run(BUILT.liveMemoryProcess, rounds) : {};
  return {
    vmlinux: measureVmlinux(Math.ceil(rounds / 3)),
    struct: spreadOf(run(BUILT.structProcess, rounds)),
    liveMemory: Object.fromEntries(Object.entries(liveMemory).map(([way, times]) => [way, spreadOf(times)])),
    ...(absent === undefined ? {} : { absent }),
  };
}

function run<T>(program: string, rounds: number): T {
  const { stdout, stderr } = spawnSync(process.execPath, [program, `${rounds}`], { encoding: "utf8" });
  if (stdout === "") throw new Error(`${program} could not be measured: ${stderr}`);
  return JSON.parse(stdout);
}

import { spawnSync } from "node:child_process";
import { BUILT } from "../build.ts";
import { ratioOf, type Spread } from "../statistics.ts";

/** What some operations took, in nanoseconds: by the clock, without what was waited for a CPU, and of CPU time. */
export interface Effort {
  readonly elapsed: number;
  readonly worked: number;
}

/** The efforts of one thread, and of two with as many operations each, round by round. */
export type ScalingSamples = readonly {
  readonly loop: "get" | "set";
  readonly map: Scaling["map"];
  readonly one: Effort[];
  readonly two: Effort[];
}[];

/** How many times as much two threads get done as one, each on keys of its own. */
export interface Scaling {
  readonly loop: "get" | "set";
  /**
   * They share a full map; one of which an eighth is full, so that the chains are short in which one thread comes by what the
   * other writes; or they have a map each, and nothing but the machine is in their way.
   */
  readonly map: "shared" | "roomy" | "own";
  /** By CPU time, as if each had had a CPU to itself all the time. */
  readonly worked: Spread;
  /**
   * By the clock, until the slower of two was done, but for what each waited for a CPU that somebody else had: unlike CPU time
   * it counts what they slept because of each other.
   */
  readonly elapsed: Spread;
}

export function measureScaling(entries: number, rounds: number, operations: number): Scaling[] {
  const args = [BUILT.scalingProcess, ...[entries, rounds, operations].map(String)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stdout === "") throw new Error(`threads that share a map could not be measured: ${stderr}`);
  return (JSON.parse(stdout) as ScalingSamples).map(({ loop, map, one, two }) => {
    const all = (of: readonly Effort[], measure: keyof Effort): number[] => of.map((effort) => effort[measure]);
    const times = (factor: number, measure: keyof Effort): Spread => {
      const { median, low, high } = ratioOf(all(one, measure), all(two, measure));
      return { median: factor * median, low: factor * low, high: factor * high };
    };
    // Two have done twice as much, each in half of their CPU time.
    return { loop, map, worked: times(4, "worked"), elapsed: times(2, "elapsed") };
  });
}

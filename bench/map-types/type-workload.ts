import { cpuTime } from "../cpu-time.ts";
import type { Timing } from "../workload.ts";
import type { Loop, MeasuredMap } from "./measured-map.ts";
import type { TypeMeasure } from "./type-measures.ts";

/** Wall-clock time after which a measure ends early: on Linux an update of a map of maps waits for all CPUs, for ms each. */
const MOST_MILLISECONDS = 25;
/** Nanoseconds below which a time says nothing, however long another process had the CPU. */
const LEAST_NANOSECONDS = 50_000;
/** So long does the untimed pass take at most that goes before. */
const MOST_WARM_UP_MILLISECONDS = 10;
const FIRST_PART = 2;

/** The timed loops over one map. */
export class TypeWorkload {
  readonly #measured: MeasuredMap;

  constructor(measured: MeasuredMap) {
    this.#measured = measured;
  }

  /**
   * Times about `units` of a measure; `undefined` when the type has no such thing. A pass over the map goes before it, untimed:
   * dozens of other processes had the caches until now.
   */
  time(measure: TypeMeasure, units: number): Timing | undefined {
    const loop = this.#measured[measure];
    if (loop === undefined) return undefined;
    timed(loop, this.#measured.map.maxEntries, MOST_WARM_UP_MILLISECONDS);
    return timed(loop, units, MOST_MILLISECONDS);
  }

  verify(): void {
    this.#measured.verify();
  }
}

/** Times a loop in parts that grow, so that it can end when it takes too long. */
function timed(loop: Loop, units: number, milliseconds: number): Timing {
  const { run, undo, most = Number.POSITIVE_INFINITY } = loop;
  const deadline = performance.now() + milliseconds;
  let nanoseconds = 0;
  let done = 0;
  let part = FIRST_PART;
  while (done < units && (nanoseconds < LEAST_NANOSECONDS || performance.now() < deadline)) {
    const count = Math.min(part, most, units - done);
    const start = cpuTime();
    const succeeded = run(count);
    nanoseconds += cpuTime() - start;
    if (succeeded !== count) throw new Error(`${succeeded} of ${count} operations found something`);
    undo?.(count);
    done += count;
    part *= 2;
  }
  return { nanoseconds, units: done };
}

/** Calculating programs on one kernel: `program-process <linux | embedded> …`. What it answers: `serve.ts`. */
import { type Bpf, embedded } from "mapiary";
import { cpuTime } from "../cpu-time.ts";
import { serve } from "../serve.ts";
import type { Timing } from "../workload.ts";
import { arithmeticProgram, ROUNDS_PER_RUN } from "./arithmetic-program.ts";
import { PROGRAM_MEASURE_NAMES, type ProgramMeasure } from "./program-measures.ts";

/** The least packet that a run takes. */
const PACKET = new Uint8Array(64);

class ProgramWorkload {
  readonly #bpf: Bpf;
  readonly #programs = new Map<ProgramMeasure, number>();
  /** What each returned: the same each time. */
  readonly #answers = new Map<ProgramMeasure, number>();

  constructor(bpf: Bpf) {
    this.#bpf = bpf;
    for (const measure of PROGRAM_MEASURE_NAMES) {
      const insns = arithmeticProgram(measure);
      const fd = bpf.sys.progLoad({ type: "socket_filter", license: "GPL", insns });
      if (fd < 0) throw new Error(`the program for ${measure} was refused: ${fd}`);
      this.#programs.set(measure, fd);
      this.#answers.set(measure, this.#run(measure, 1));
    }
  }

  time(measure: ProgramMeasure, units: number): Timing {
    const runs = Math.max(1, Math.round(units / ROUNDS_PER_RUN));
    this.#run(measure, Math.ceil(runs / 8));
    const start = cpuTime();
    this.#run(measure, runs);
    return { nanoseconds: cpuTime() - start, units: runs * ROUNDS_PER_RUN };
  }

  verify(): void {
    for (const [measure, answer] of this.#answers) {
      const again = this.#run(measure, 1);
      if (again !== answer) throw new Error(`${measure} returned ${again}, and ${answer} at first`);
    }
  }

  #run(measure: ProgramMeasure, repeat: number): number {
    const options = { dataIn: PACKET, repeat, retval: -1 };
    const result = this.#bpf.sys.progTestRun(this.#programs.get(measure) as number, options);
    if (result < 0) throw new Error(`the program could not be run: ${result}`);
    return options.retval;
  }
}

await serve(PROGRAM_MEASURE_NAMES, async () => {
  const bpf = process.argv[2] === "linux" ? (await import("mapiary/linux")).linux() : embedded();
  return new ProgramWorkload(bpf);
});

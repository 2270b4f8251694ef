/** Helpers in a program on one kernel: `helper-process <linux | embedded> <entries> <seed>`. What it answers: `serve.ts`. */
import { type Bpf, embedded, type HashMap, u32, u64 } from "mapiary";
import { cpuTime } from "./cpu-time.ts";
import { ELEMENTS_PER_RUN, helperProgram } from "./helper-program.ts";
import { shuffledKeys, sumOfValues, valueOfKey } from "./key-sequence.ts";
import { MEASURE_NAMES, type MeasureName } from "./measures.ts";
import { serve } from "./serve.ts";
import type { Timing } from "./workload.ts";

const [kernel, entries = 0, seed = 0] = process.argv.slice(2);
/** The least packet that a run takes. */
const PACKET = new Uint8Array(64);

class HelperWorkload {
  readonly #bpf: Bpf;
  readonly #map: HashMap<number, number>;
  readonly #entries: number;
  readonly #programs: Readonly<Partial<Record<MeasureName, number>>>;

  constructor(bpf: Bpf, entries: number, seed: number) {
    this.#bpf = bpf;
    this.#entries = entries;
    this.#map = bpf.createMap({ type: "hash", name: "bench", key: u32, value: u64.number, maxEntries: entries });
    for (const key of shuffledKeys(0, entries, seed + 1)) this.#map.set(key, valueOfKey(key));
    this.#programs = { "get-hit": this.#load("bpf_map_lookup_elem"), overwrite: this.#load("bpf_map_update_elem") };
  }

  time(measure: MeasureName, units: number): Timing | undefined {
    const program = this.#programs[measure];
    if (program === undefined) return undefined;
    const runs = Math.max(1, Math.round(units / ELEMENTS_PER_RUN));
    this.#run(program, Math.ceil(runs / 8));
    const start = cpuTime();
    this.#run(program, runs);
    return { nanoseconds: cpuTime() - start, units: runs * ELEMENTS_PER_RUN };
  }

  verify(): void {
    let sum = 0;
    for (const value of this.#map.values()) sum += value;
    if (sum !== sumOfValues(this.#entries)) throw new Error(`the values add up to ${sum}`);
  }

  #load(helper: "bpf_map_lookup_elem" | "bpf_map_update_elem"): number {
    const insns = helperProgram(helper, this.#map, this.#entries);
    const fd = this.#bpf.sys.progLoad({ type: "socket_filter", license: "GPL", insns });
    if (fd < 0) throw new Error(`the program with ${helper} was refused: ${fd}`);
    return fd;
  }

  #run(program: number, repeat: number): void {
    const options = { dataIn: PACKET, repeat, retval: -1 };
    const result = this.#bpf.sys.progTestRun(program, options);
    if (result < 0) throw new Error(`the program could not be run: ${result}`);
    if (options.retval !== ELEMENTS_PER_RUN)
      throw new Error(`${options.retval} elements were there of ${ELEMENTS_PER_RUN}`);
  }
}

await serve(MEASURE_NAMES, async () => {
  const bpf = kernel === "linux" ? (await import("mapiary/linux")).linux() : embedded();
  return new HelperWorkload(bpf, Number(entries), Number(seed));
});

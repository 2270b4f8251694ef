/**
 * One peer in a process of its own: `peer-process <variant> <entries> <seed>`. Writes `ready`, or `error <message>`; then
 * answers each line `<measure> <units>` with `<nanoseconds> <units>`, or `none`, and `verify 0` with `verified`.
 */
import { createInterface } from "node:readline";
import { MEASURE_NAMES, type MeasureName } from "./measures.ts";
import { makePeer } from "./peers/variants.ts";
import { Workload } from "./workload.ts";

const [variant = "", entries = 0, seed = 0] = process.argv.slice(2);

/** Collects what the last measure left, so that the next one does not pay for it. A full collection would also drop code. */
const collectYoung = (): void => globalThis.gc?.({ type: "minor" });

function answer<V>(workload: Workload<V>, measure: string, units: number): string {
  if (measure === "verify") {
    workload.verify();
    return "verified";
  }
  if (!MEASURE_NAMES.includes(measure as MeasureName)) return "none";
  collectYoung();
  const timing = workload.time(measure as MeasureName, units);
  return timing === undefined ? "none" : `${timing.nanoseconds} ${timing.units}`;
}

function reply(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  const peer = await makePeer(variant, Number(entries));
  const workload = new Workload(peer, Number(entries), Number(seed));
  reply("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const [measure = "", units] = line.split(" ");
    reply(answer(workload, measure, Number(units)));
  }
} catch (error) {
  reply(`error ${error instanceof Error ? error.message.replaceAll("\n", " ") : error}`);
  process.exitCode = 1;
}

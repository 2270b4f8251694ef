import { createInterface } from "node:readline";
import type { Timing } from "./workload.ts";

/** What a peer's process can be asked. */
interface Served<M extends string> {
  /** Times about `units` of a measure; `undefined` when the peer has no such thing. */
  time(measure: M, units: number): Timing | undefined;
  /** Throws unless the contents are what they must be. */
  verify(): void;
}

/**
 * Makes a peer and answers for it. Writes `ready`, or `error <message>`; then answers each line `<measure> <units>` with
 * `<nanoseconds> <units>`, or `none`, and `verify 0` with `verified`.
 */
export async function serve<M extends string>(
  measures: readonly M[],
  make: () => Served<M> | Promise<Served<M>>,
): Promise<void> {
  try {
    const served = await make();
    reply("ready");
    for await (const line of createInterface({ input: process.stdin })) {
      const [asked = "", units] = line.split(" ");
      if (asked === "verify") {
        served.verify();
        reply("verified");
        continue;
      }
      const measure = measures.find((one) => one === asked);
      collectYoung();
      const timing = measure && served.time(measure, Number(units));
      reply(timing === undefined ? "none" : `${timing.nanoseconds} ${timing.units}`);
    }
  } catch (error) {
    reply(`error ${error instanceof Error ? error.message.replaceAll("\n", " ") : error}`);
    process.exitCode = 1;
  }
}

/** Collects what the last measure left, so that the next one does not pay for it. A full collection would also drop code. */
function collectYoung(): void {
  globalThis.gc?.({ type: "minor" });
}

function reply(line: string): void {
  process.stdout.write(`${line}\n`);
}

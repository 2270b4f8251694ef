/**
 * Measures mapiary against its peers: `npm run bench -- [--quick | --full] [--json | --markdown]`.
 *
 * `--json` prints one JSON object and nothing else, `--markdown` also writes docs/performance.md. `--entries`, `--rounds`
 * and `--milliseconds` override the sizes, `--seed` the order of the keys.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildJavaScript } from "./build.ts";
import { goals } from "./goals.ts";
import { importCost } from "./import-cost.ts";
import { machine } from "./machine.ts";
import { markdownReport } from "./markdown.ts";
import { memoryPerEntry } from "./memory.ts";
import { peerResults, type Result } from "./result.ts";
import { type Contender, roster } from "./roster.ts";
import { type Effort, measure } from "./rounds.ts";
import { RunningPeer } from "./running-peer.ts";
import { spreadOf } from "./statistics.ts";
import { terminalReport } from "./terminal.ts";

const DEFAULT: Effort = { entries: 100_000, rounds: 20, milliseconds: 15 };
const QUICK: Effort = { entries: 20_000, rounds: 5, milliseconds: 3 };
const FULL: Effort = { entries: 100_000, rounds: 100, milliseconds: 25 };
const DEFAULT_SEED = "2463534242";
const PERFORMANCE = join(import.meta.dirname, "..", "docs", "performance.md");

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    full: { type: "boolean" },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
    entries: { type: "string" },
    rounds: { type: "string" },
    milliseconds: { type: "string" },
    seed: { type: "string", default: DEFAULT_SEED },
  },
});

const seed = natural("seed", options.seed);
const effort = chosenEffort();

buildJavaScript();
const { contenders, peers } = await startAll(roster());
const measured = await measure(peers, effort, tell);
for (const peer of peers) peer.stop();
tell("memory and import");
const memory = memoryPerEntry(effort.entries);
const cost = importCost(Math.min(effort.rounds, 20));
const result: Result = {
  machine: machine(),
  effort: { ...effort, seed },
  ...peerResults(contenders, measured),
  memory,
  importCost: cost,
  clock: spreadOf(measured.clock),
};
const reached = goals(measured.samples, memory, cost);
tell("");

if (options.markdown) writeFileSync(PERFORMANCE, markdownReport(result, reached));
if (options.json) console.log(JSON.stringify({ ...result, goals: reached }));
else process.stdout.write(terminalReport(result, reached));

/** Starts the peers, in parallel. One that cannot be started is absent, and the reason is what it said. */
async function startAll(all: readonly Contender[]): Promise<{ contenders: Contender[]; peers: RunningPeer[] }> {
  tell("starting the peers");
  const peers: RunningPeer[] = [];
  const start = async (contender: Contender): Promise<Contender> => {
    if (contender.command === undefined) return contender;
    try {
      peers.push(await RunningPeer.start(contender, effort.entries, seed));
      return contender;
    } catch (error) {
      return { ...contender, command: undefined, absent: (error as Error).message };
    }
  };
  const contenders = await Promise.all(all.map(start));
  return { contenders, peers };
}

function chosenEffort(): Effort {
  const preset = options.quick ? QUICK : options.full ? FULL : DEFAULT;
  return {
    entries: natural("entries", options.entries ?? `${preset.entries}`),
    rounds: natural("rounds", options.rounds ?? `${preset.rounds}`),
    milliseconds: natural("milliseconds", options.milliseconds ?? `${preset.milliseconds}`),
  };
}

function natural(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value < 2 ** 32) return value;
  throw new RangeError(`--${name} is a whole number from 1, not ${text}`);
}

/** Says what is going on, on a terminal only, on one line. */
function tell(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}

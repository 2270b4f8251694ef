import { cpuTime } from "./cpu-time.ts";
import type { RunningPeer } from "./running-peer.ts";

/** How long and how often. */
export interface Effort {
  readonly entries: number;
  readonly rounds: number;
  /** Milliseconds that one measure of one peer takes in a round; a pass over the whole map may take longer. */
  readonly milliseconds: number;
}

/** Nanoseconds per unit, one sample a round; by measure, then by the peer's name. */
export type Samples<M extends string> = Record<M, Record<string, number[]>>;

export interface Measured<M extends string> {
  readonly samples: Samples<M>;
  /** Nanoseconds of a piece of arithmetic that is always the same, between the peers: how steady the machine was. */
  readonly clock: readonly number[];
}

const WARM_UP_ROUNDS = 3;
/** Long enough for the engine to compile the loop, and what it calls, to its best code. */
const LEAST_WARM_UP_MILLISECONDS = 8;
const FIRST_UNITS = 1000;
const MOST_UNITS = 2_000_000;

/**
 * Measures all peers in one run, one at a time and in turn, so that what slows the machine down for a while slows all of
 * them. Each round begins with the next peer. The first rounds warm up and say how many units fill the time.
 */
export async function measure<M extends string>(
  names: readonly M[],
  peers: readonly RunningPeer[],
  effort: Effort,
  tell: (done: string) => void,
): Promise<Measured<M>> {
  const units = await warmUp(names, peers, effort, tell);
  const samples = emptySamples(names);
  const clock: number[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    tell(`round ${round + 1} of ${effort.rounds}`);
    for (const name of names) {
      const ofPeers: Record<string, number[]> = samples[name];
      for (const peer of rotated(peers, round)) {
        const count = units.get(peer)?.[name];
        if (count === undefined) continue;
        const sample = await peer.time(name, count);
        if (sample !== undefined) (ofPeers[peer.contender.name] ??= []).push(sample);
      }
      clock.push(timeArithmetic());
    }
  }
  for (const peer of peers) await peer.verify();
  return { samples, clock };
}

/** Has every loop compiled, and answers how many units of each measure fill the time. */
async function warmUp<M extends string>(
  names: readonly M[],
  peers: readonly RunningPeer[],
  { milliseconds }: Effort,
  tell: (done: string) => void,
) {
  const units = new Map<RunningPeer, Partial<Record<M, number>>>();
  const warming = Math.max(milliseconds, LEAST_WARM_UP_MILLISECONDS);
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    tell(`warming up, ${round + 1} of ${WARM_UP_ROUNDS}`);
    for (const peer of peers) {
      const own: Partial<Record<M, number>> = {};
      for (const name of names) {
        const first = await peer.time(name, FIRST_UNITS);
        const then = first && (await peer.time(name, unitsFor(warming, first)));
        if (then !== undefined) own[name] = unitsFor(milliseconds, then);
      }
      units.set(peer, own);
    }
  }
  return units;
}

function unitsFor(milliseconds: number, nanosecondsPerUnit: number): number {
  return Math.min(Math.max(Math.round((milliseconds * 1e6) / nanosecondsPerUnit), FIRST_UNITS), MOST_UNITS);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function emptySamples<M extends string>(names: readonly M[]): Samples<M> {
  return Object.fromEntries(names.map((name) => [name, {}])) as Samples<M>;
}

let product = 1;

/** A chain of multiplications, each of which waits for the one before: its time is cycles and nothing else. */
function timeArithmetic(): number {
  const start = cpuTime();
  for (let i = 0; i < 100_000; i++) product = Math.imul(product, 0x9e3779b1) | 1;
  return cpuTime() - start;
}

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { linux } from "mapiary/linux";
import { event, loadEventProgram } from "../../test/records/event-program.ts";
import { BUILT, buildC } from "../build.ts";
import { ratioOf, type Spread, spreadOf } from "../statistics.ts";

/** One who takes records from a ring buffer. */
export interface RingConsumer {
  readonly title: string;
  /** Records in a microsecond. */
  readonly rate: Spread;
  /** Times libbpf's rate, of the same round. */
  readonly times: Spread;
  /** Nanoseconds of CPU time for a record. */
  readonly cost: Spread;
}

/** Records of 64 bytes on Linux, from a program in one process to a consumer in another; or why they were not measured. */
export interface RingResult {
  readonly records: number;
  readonly consumers: readonly RingConsumer[];
  readonly absent?: string;
}

export const FOR_AWAIT = "mapiary, for await";
const BATCHES = "mapiary, batches";
const LIBBPF = "libbpf in C";
const RING_BYTES = 1 << 22;

/** Measures each consumer in each round, one after the other. None may lose a record. */
export async function measureRings(records: number, rounds: number): Promise<RingResult> {
  const nothing = (absent: string): RingResult => ({ records, consumers: [], absent });
  const noLinux = linux.unavailableReason();
  if (noLinux !== undefined) return nothing(noLinux);
  const peer = buildC("rings/peer.c");
  if ("absent" in peer) return nothing(peer.absent);
  const bpffs = mkdtempSync(join(tmpdir(), "mapiary-bpffs-"));
  const { status, stderr } = spawnSync("mount", ["-t", "bpf", "bpf", bpffs], { encoding: "utf8" });
  try {
    if (status !== 0) return nothing(`no bpffs can be mounted: ${stderr.trim()}`);
    return { records, consumers: await measure(peer.program, bpffs, records, rounds) };
  } finally {
    if (status === 0) spawnSync("umount", [bpffs]);
    rmSync(bpffs, { recursive: true });
  }
}

async function measure(peer: string, bpffs: string, records: number, rounds: number): Promise<RingConsumer[]> {
  using bpf = linux();
  const ring = bpf.createMap({ type: "ringbuf", name: "bench", value: event, maxEntries: RING_BYTES });
  const { program, control } = loadEventProgram(bpf, ring);
  const paths = { ring: join(bpffs, "ring"), program: join(bpffs, "program"), control: join(bpffs, "control") };
  ring.pin(paths.ring);
  program.pin(paths.program);
  control.pin(paths.control);
  const own = [process.execPath, BUILT.ringConsumer];
  const consumers = [
    { title: LIBBPF, command: [peer, "consume"], rates: [] as number[], costs: [] as number[] },
    { title: FOR_AWAIT, command: [...own, "loop"], rates: [], costs: [] },
    { title: BATCHES, command: [...own, "batches"], rates: [], costs: [] },
  ];
  for (let round = 0; round < rounds; round++) {
    for (const { title, command, rates, costs } of consumers) {
      const settings = control.at(0);
      settings.written = 0n;
      settings.limit = BigInt(records);
      const consumer = start([...command, paths.ring, `${records}`]);
      const lines = createInterface(consumer.stdout)[Symbol.asyncIterator]();
      await lines.next();
      const producer = start([peer, "produce", paths.program, paths.control, `${records}`]);
      const [nanoseconds = 0, worked = 0] = String((await lines.next()).value)
        .split(" ")
        .map(Number);
      await Promise.all([producer.ended, consumer.ended]);
      if (!(nanoseconds > 0)) throw new Error(`${title} lost records`);
      rates.push((records / nanoseconds) * 1e3);
      costs.push(worked / records);
    }
  }
  const baseline = consumers[0]?.rates ?? [];
  return consumers.map(({ title, rates, costs }) => ({
    title,
    rate: spreadOf(rates),
    times: ratioOf(rates, baseline),
    cost: spreadOf(costs),
  }));
}

/** Starts a process. Its end is waited for from now on: who asks later may have missed it. */
function start([program = "", ...parameters]: readonly string[]): { stdout: Readable; ended: Promise<unknown> } {
  const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  return { stdout: child.stdout, ended: once(child, "exit") };
}

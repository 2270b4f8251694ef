/**
 * Measures a ring buffer on Linux: so many records of 64 bytes from a program to a `for await` loop, and to libbpf's
 * consumer in C: `npx tsx bench/ring-buffers.ts [--records 1000000] [--rounds 5]`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { linux } from "mapiary/linux";
import { event, loadEventProgram } from "../test/records/event-program.ts";

const { values: options } = parseArgs({
  options: { records: { type: "string", default: "1000000" }, rounds: { type: "string", default: "5" } },
});
const RING_BYTES = 1 << 22;

const directory = mkdtempSync(join(tmpdir(), "mapiary-rings-"));
const peer = join(directory, "peer");
const bpffs = mkdtempSync(join(tmpdir(), "mapiary-bpffs-"));
run("cc", ["-O2", "-o", peer, join(import.meta.dirname, "ring-buffers.c"), "-lbpf"]);
run("mount", ["-t", "bpf", "bpf", bpffs]);

try {
  using bpf = linux();
  const ring = bpf.createMap({ type: "ringbuf", name: "bench", value: event, maxEntries: RING_BYTES });
  const { program, control } = loadEventProgram(bpf, ring);
  const paths = { ring: join(bpffs, "ring"), program: join(bpffs, "program"), control: join(bpffs, "control") };
  ring.pin(paths.ring);
  program.pin(paths.program);
  control.pin(paths.control);
  const script = [process.execPath, "--import", "tsx", join(import.meta.dirname, "ring-consumer.ts")];
  const consumers: readonly (readonly [name: string, command: readonly string[]])[] = [
    ["libbpf in C", [peer, "consume"]],
    ["mapiary, for await", [...script, "loop"]],
    ["mapiary, batches", [...script, "batches"]],
  ];
  const rates = new Map<string, number[]>(consumers.map(([name]) => [name, []]));
  const costs = new Map<string, number[]>(consumers.map(([name]) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, command] of consumers) {
      const settings = control.at(0);
      settings.written = 0n;
      settings.limit = BigInt(options.records);
      const consumer = start([...command, paths.ring, options.records]);
      const lines = createInterface(consumer.stdout as NonNullable<ChildProcess["stdout"]>)[Symbol.asyncIterator]();
      await lines.next();
      const producer = start([peer, "produce", paths.program, paths.control, options.records]);
      const [nanoseconds, worked] = String((await lines.next()).value)
        .split(" ")
        .map(Number) as [number, number];
      await Promise.all([once(producer, "exit"), once(consumer, "exit")]);
      if (!(nanoseconds > 0)) throw new Error(`${name} lost records`);
      rates.get(name)?.push((Number(options.records) / nanoseconds) * 1e3);
      costs.get(name)?.push(worked / Number(options.records));
    }
  }
  const base = rates.get("libbpf in C") ?? [];
  for (const [name, of] of rates) {
    const ratio = median(of.map((rate, round) => rate / (base[round] as number)));
    const rate = `${median(of).toFixed(2)} million records per second, ${ratio.toFixed(2)} × libbpf's`;
    console.log(`${name}: ${rate}; ${median(costs.get(name) ?? []).toFixed(0)} ns of CPU time each`);
  }
} finally {
  run("umount", [bpffs]);
  rmSync(bpffs, { recursive: true });
  rmSync(directory, { recursive: true });
}

function start([program = "", ...parameters]: readonly string[]): ChildProcess {
  return spawn(program, parameters, { stdio: ["ignore", "pipe", "inherit"] });
}

function run(program: string, parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

/**
 * Measures the command `mapiary`: `npx tsx bench/command-line.ts [--entries N] [--rounds N]`. All in turns in one run, in
 * CPU time of the processes, which others on the machine disturb less than the clock.
 *
 * - starting: `map show` on both kernels beside `node -e 0`;
 * - import and export of a hash of N entries as JSON lines on both kernels, in the map's order and sorted, and bpftool updating the same map of Linux by a
 *   batch file with a line for each entry.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");

const { values } = parseArgs({
  options: { entries: { type: "string", default: "1000000" }, rounds: { type: "string", default: "5" } },
});
const entries = Number(values.entries);
const rounds = Number(values.rounds);

mkdirSync(join(ROOT, ".tmp"), { recursive: true });
const directory = mkdtempSync(join(ROOT, ".tmp/bench-cli-"));
const bpffs = mkdtempSync(join(tmpdir(), "mapiary-bench-"));
const mounted = spawnSync("mount", ["-t", "bpf", "bpf", bpffs]).status === 0;
const hasBpftool = mounted && spawnSync("bpftool", ["version"]).status === 0;
mkdirSync(join(bpffs, "cli"));

try {
  run();
} finally {
  if (mounted) spawnSync("umount", [bpffs]);
  rmSync(bpffs, { recursive: true, force: true });
  rmSync(directory, { recursive: true });
}

function run(): void {
  const cli = build();
  const env = { ...process.env, MAPIARY_BPFFS: join(directory, "bpffs"), XDG_STATE_HOME: join(directory, "state") };
  const mapiary = (line: string): readonly string[] => [process.execPath, cli, ...line.split(" ")];
  const types = "--key=u32 --value=u64";
  const sizes = `type hash key 4 value 8 entries ${entries} name bench flags 0x40`;
  const kernels = mounted ? ["embedded", "linux"] : ["embedded"];
  const pin = (kernel: string): string => (kernel === "linux" ? join(bpffs, "cli/bench") : "bench");
  const input = join(directory, "entries.jsonl");
  const output = join(directory, "output.jsonl");
  writeFileSync(
    input,
    linesOf((key) => `{"key":${key},"value":${key * 7}}`),
  );

  const commands: [name: string, command: readonly string[]][] = [["node -e 0", [process.execPath, "-e", "0"]]];
  for (const kernel of kernels) {
    const flags = `--kernel ${kernel}`;
    cpuSeconds(mapiary(`${flags} map create ${pin(kernel)} ${sizes}`), env);
    commands.push([`map show, ${kernel}`, mapiary(`${flags} map show`)]);
    commands.push([`import, ${kernel}`, mapiary(`${flags} ${types} map import pinned ${pin(kernel)} file ${input}`)]);
    commands.push([`export, ${kernel}`, mapiary(`${flags} ${types} map export pinned ${pin(kernel)} file ${output}`)]);
  }
  for (const kernel of kernels) {
    const words = `--kernel ${kernel} ${types} --sort map export pinned ${pin(kernel)} file ${output}`;
    commands.push([`sorted export, ${kernel}`, mapiary(words)]);
  }
  if (hasBpftool) {
    const batch = join(directory, "batch");
    const pinned = pin("linux");
    writeFileSync(
      batch,
      linesOf((key) => `map update pinned ${pinned} key ${bytes(key, 4)} value ${bytes(key * 7, 8)}`),
    );
    commands.push(["bpftool batch", ["bpftool", "batch", "file", batch]]);
  }

  const times = new Map(commands.map(([name]) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, command] of commands) {
      times.get(name)?.push(cpuSeconds(command, env));
      if (name.startsWith("export")) requireEqual(input, output);
      if (name.startsWith("sorted")) requireSame(input, output);
    }
  }
  const empty = median(times.get("node -e 0") ?? []);
  for (const [name, seconds] of times) {
    const time = median(seconds);
    const isStart = name === "node -e 0" || name.startsWith("map show");
    const rate = isStart
      ? `${(time / empty).toFixed(2)} × node -e 0`
      : `${Math.round(entries / time).toLocaleString("en")} entries a second`;
    console.log(`${name.padEnd(20)} ${(time * 1000).toFixed(0).padStart(7)} ms of CPU  ${rate}`);
  }
}

/** Builds the command by the package's own script: what is measured is what people run. */
function build(): string {
  const args = ["run", "--silent", "build:command", "--", `--outdir=${directory}`];
  const { error, status, stderr } = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8" });
  if (status !== 0) throw new Error(`the command could not be built: ${error?.message ?? stderr}`);
  return join(directory, "cli.js");
}

function linesOf(line: (key: number) => string): string {
  return `${Array.from({ length: entries }, (_, key) => line(key)).join("\n")}\n`;
}

/** A number as bpftool wants it: byte by byte, the least significant first. */
function bytes(number: number, count: number): string {
  return Array.from({ length: count }, (_, index) => Math.floor(number / 256 ** index) % 256).join(" ");
}

/** The CPU time of a process, which must succeed, by the shell's own count of its children. */
function cpuSeconds(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const script = '"$@" >/dev/null || exit 1; times';
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, "sh", ...command], { encoding: "utf8", env });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  const [user = 0, system = 0] = [...(stdout.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds),
  );
  return user + system;
}

function requireEqual(input: string, output: string): void {
  const sorted = (file: string): string => readFileSync(file, "utf8").split("\n").sort().join("\n");
  if (sorted(input) !== sorted(output)) throw new Error("what was exported is not what was imported");
}

function requireSame(input: string, output: string): void {
  if (!readFileSync(input).equals(readFileSync(output))) throw new Error("what was exported sorted is another file");
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

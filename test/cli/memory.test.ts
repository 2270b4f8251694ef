/** What moves the entries of a map needs no more memory for a large one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { onLinux } from "../kernels.ts";
import { type BuiltCommand, buildCommand } from "./built-command.ts";
import { commandLine } from "./command-line.ts";

const FEW = 1000;
/** With `--runs`, as many entries as are said. */
const MANY = Number(process.env["MAPIARY_RUNS"] ?? 50_000);
const VALUE_BYTES = 1000;
/** What processes that do the same differ by, in MiB: less than half of what the values of many entries are. */
const NOISE = 20;

/** A module that says at the process's end how many KiB of memory it had at most. */
const PEAK = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync, writeSync } from "node:fs";
  process.on("exit", () => writeSync(3, /VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]));
`)}`;

onLinux(({ bpffs }) => {
  const run = commandLine();
  let command: BuiltCommand;
  before(() => {
    command = buildCommand();
  });
  after(() => rmSync(command.directory, { recursive: true }));

  /** The most memory that a command had, in MiB. */
  function peak(line: string): number {
    const types = ["--kernel=linux", "--key=u32", `--value=cstring(${VALUE_BYTES})`];
    const argv = ["--import", PEAK, command.cli, ...types, ...line.split(" ")];
    const env = { ...process.env, XDG_STATE_HOME: join(command.directory, "state") };
    const { status, output } = spawnSync(process.execPath, argv, {
      encoding: "utf8",
      env,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
    });
    assert.equal(status, 0, output[2] ?? "");
    return Number(output[3]) / 1024;
  }

  /** The most memory that each command had on a map with so many entries. */
  async function peaks(entries: number): Promise<Record<string, number>> {
    const path = `${bpffs}/memory${entries}`;
    const input = join(command.directory, "input");
    const output = join(command.directory, "output");
    writeEntries(input, entries);
    const sizes = `type hash key 4 value ${VALUE_BYTES} entries ${entries} name memory`;
    assert.equal((await run(`--kernel=linux map create ${path} ${sizes}`)).exitCode, 0);
    const found = {
      import: peak(`map import pinned ${path} file ${input}`),
      export: peak(`map export pinned ${path} file ${output}`),
      "export --sort": peak(`map export pinned ${path} file ${output} --sort`),
      "export --sort to standard output": peak(`map export pinned ${path} --sort`),
    };
    assert.ok(readFileSync(input).equals(readFileSync(output)), "what came out is what went in");
    return found;
  }

  test("an import and an export, sorted or not, need no more memory for a large map than for a small one", async (t) => {
    const few = await peaks(FEW);
    for (const [name, most] of Object.entries(await peaks(MANY))) {
      const more = most - (few[name] as number);
      t.diagnostic(`${name}: ${most.toFixed(0)} MiB for ${MANY} entries, ${more.toFixed(1)} more than for ${FEW}`);
      assert.ok(more < NOISE, `${name} needs ${more} MiB more`);
    }
  });
});

function writeEntries(path: string, entries: number): void {
  const file = openSync(path, "w");
  for (let key = 0; key < entries; key++) writeSync(file, `{"key":${key},"value":"entry ${key}"}\n`);
  closeSync(file);
}

/** The command as people have it: bundled, a process for each command line, on maps that outlive it. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Writable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Metafile } from "esbuild";
import { withoutProgram } from "../prerequisite.ts";
import { buildCommand } from "./built-command.ts";
import type { Answer } from "./command-line.ts";

describe("the command", () => {
  let directory = "";
  let cli = "";
  let built: Metafile;

  before(() => {
    ({ directory, cli, built } = buildCommand());
  });

  after(() => rmSync(directory, { recursive: true }));

  function environment(): NodeJS.ProcessEnv {
    const { MAPIARY_BPFFS: _, MAPIARY_KERNEL: __, ...rest } = process.env;
    return { ...rest, XDG_RUNTIME_DIR: join(directory, "run"), XDG_STATE_HOME: join(directory, "state") };
  }

  /** The sources whose code a command line loads, by what V8 saw. */
  function sourcesLoadedBy(line: string): string[] {
    const coverage = mkdtempSync(join(directory, "coverage-"));
    const env = { ...environment(), NODE_V8_COVERAGE: coverage };
    execFileSync(process.execPath, [cli, ...line.split(" ")], { env, stdio: "ignore" });
    const [report = ""] = readdirSync(coverage);
    const { result } = JSON.parse(readFileSync(join(coverage, report), "utf8"));
    const loaded = new Set(result.map(({ url }: { url: string }) => basename(url)));
    const outputs = Object.entries(built.outputs).filter(([path]) => loaded.has(basename(path)));
    const inputs = outputs.flatMap(([, output]) => Object.entries(output.inputs));
    return inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  }

  function mapiary(line: string, input = "", env: NodeJS.ProcessEnv = {}): Answer {
    const args = [cli, ...line.split(" ")];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      env: { ...environment(), ...env },
      input,
    });
    return { exitCode: status ?? -1, stdout, stderr };
  }

  test("finds in each process what the one before it has made, with no privilege and no set-up", () => {
    const steps: readonly [line: string, stdout: string][] = [
      ["map create hits type hash key 4 value 8 entries 16 name hits", ""],
      ["map update pinned hits key 5 value 100", ""],
      ["map lookup pinned /sys/fs/bpf/hits key 5 0 0 0", "key: 05 00 00 00  value: 64 00 00 00 00 00 00 00\n"],
      ["-j map delete name hits key 5", "null\n"],
      ["map dump pinned hits", "Found 0 elements\n"],
    ];
    for (const [line, stdout] of steps) assert.deepEqual(mapiary(line), { exitCode: 0, stdout, stderr: "" }, line);
  });

  test("keeps them where nobody else may look", { skip: process.platform === "win32" && "there are no modes" }, () => {
    mapiary("map create other type array key 4 value 8 entries 1 name other");
    assert.equal(statSync(join(directory, "run/mapiary")).mode & 0o077, 0);
  });

  const isElsewhere = process.platform !== "linux" && "there is no /proc";
  test("says that maps cannot be kept where no directory can be made", { skip: isElsewhere }, () => {
    const shown = mapiary("map show", "", { XDG_RUNTIME_DIR: "/proc/nothing" });
    assert.match(shown.stderr, /^Maps are kept no longer than this command takes: ENOENT: .*'\/proc\/nothing'\. /);
    assert.match(shown.stderr, / --bpffs=DIR or MAPIARY_BPFFS names another directory for them\.$/m);
    assert.equal(shown.exitCode, 0);
    const asked = mapiary("--bpffs=/proc/nothing map show");
    assert.match(asked.stderr, /^Error: the embedded kernel cannot keep its maps in \/proc\/nothing\n +ENOENT: /);
    assert.equal(asked.exitCode, 255);
  });

  test("reads entries from standard input, and a batch", () => {
    mapiary("map create piped type hash key 4 value 8 entries 16 name piped");
    const line = "--key=u32 --value=u64 map import pinned piped";
    assert.match(mapiary(line, '{"key":1,"value":2}\n').stdout, /^imported 1 entries/);
    const batch = mapiary("batch file -", "map lookup pinned piped key 1 # the one\n\nmap freeze pinned piped\n");
    assert.deepEqual(batch, {
      exitCode: 0,
      stdout: "key: 01 00 00 00  value: 02 00 00 00 00 00 00 00\nprocessed 2 commands\n",
      stderr: "",
    });
  });

  test("complains on standard error, or as JSON on standard output, and never ends with 0 then", () => {
    const plain = mapiary("map lookup name nothing key 1");
    assert.equal(plain.exitCode, 255);
    assert.equal(plain.stdout, "");
    assert.match(plain.stderr, /^Error: no map is named 'nothing'\n/);
    const json = mapiary("-j map lookup name nothing key 1");
    assert.equal(json.exitCode, 255);
    assert.equal(json.stderr, "");
    assert.equal(JSON.parse(json.stdout).error, "no map is named 'nothing'");
  });

  test("ends quietly when nobody reads its output any more", async () => {
    mapiary("map create large type array key 4 value 8 entries 200000 name large");
    const child = spawn(process.execPath, [cli, "map", "dump", "pinned", "large"], {
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaints = "";
    child.stderr.on("data", (data) => {
      complaints += data;
    });
    child.stdout.once("data", () => child.stdout.destroy());
    await new Promise((done) => child.on("close", done));
    assert.equal(complaints, "");
  });

  const withoutTerminal = withoutProgram("script", "--version");
  test("shows on a terminal how far it is, and takes that away at the end", { skip: withoutTerminal }, async () => {
    mapiary("map create slow type array key 4 value 4 entries 16 name slow");
    const line = `'${process.execPath}' '${cli}' --key=u32 --value=u32 map import pinned slow <&3`;
    const child = spawn("script", ["-qec", line, "/dev/null"], {
      env: environment(),
      stdio: ["ignore", "pipe", "inherit", "pipe"],
    });
    let shown = "";
    child.stdout?.on("data", (data) => {
      shown += data;
    });
    const end = new Promise((done) => child.on("close", done));
    const input = child.stdio[3] as Writable;
    let entries = 0;
    for (; !/import .*entries/.test(shown) && child.exitCode === null; entries++) {
      input.write(`{"key":5,"value":${entries}}\n`);
      await sleep(20);
    }
    input.end();
    await end;
    assert.match(shown, /^\rimport [\d,]+ entries {2}[\d,]+\/s.\[K/);
    assert.ok(shown.includes(`\r\x1b[Kimported ${entries} entries into map slow of `), shown);
    const found = JSON.parse(mapiary("-j --value=u32 map lookup pinned slow key 5").stdout);
    assert.equal(found.formatted.value, entries - 1);
  });

  test("loads for maps no code that is for programs", () => {
    const isForPrograms = (path: string): boolean =>
      path.startsWith("src/program/") || /^src\/kernel\/embedded\/programs\/(?!wasm\/|clock\.ts)/.test(path);
    mapiary("map create light type hash key 4 value 8 entries 16 name light");
    for (const line of ["map show", "map update pinned light key 5 value 1", "map dump pinned light"]) {
      const sources = sourcesLoadedBy(line);
      assert.ok(sources.includes("src/kernel/embedded/map-kernel.ts"), "what is loaded would be seen");
      assert.deepEqual(sources.filter(isForPrograms), [], line);
    }
    assert.ok(sourcesLoadedBy("tour").some(isForPrograms), "and code for programs, too");
  });

  test("starts fast", (t) => {
    const median = (run: () => void): number => {
      const times = Array.from({ length: 7 }, () => {
        const start = performance.now();
        run();
        return performance.now() - start;
      });
      return times.sort((a, b) => a - b)[3] as number;
    };
    const empty = median(() => execFileSync(process.execPath, ["-e", "0"]));
    const show = median(() => mapiary("map show"));
    t.diagnostic(`map show takes ${(show / empty).toFixed(2)} times as long as node -e 0`);
  });
});

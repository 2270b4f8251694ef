/** A transfer that is killed in the middle and run again with --resume: nothing is lost, and nothing is done twice. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { onLinux } from "../kernels.ts";
import { commandLine } from "./command-line.ts";

const CLI = resolve(import.meta.dirname, "../../src/cli/cli.ts");
const ENTRIES = 150_000;
const TYPES = ["--key=u32", "--value=u32"];

/** How far the transfer has come that keeps its journal in a state directory. */
function progressIn(state: string): number {
  try {
    const directory = join(state, "mapiary");
    const [journal] = readdirSync(directory).filter((name) => name.endsWith(".json"));
    return journal === undefined ? 0 : JSON.parse(readFileSync(join(directory, journal), "utf8")).entries;
  } catch {
    return 0;
  }
}

/** Kills a process when so many entries are done; answers how many they were at the last look. */
async function killAt(child: ChildProcess, state: string, entries: number): Promise<number> {
  const end = new Promise((done) => child.on("close", (code, signal) => done(signal ?? code)));
  const timer = setInterval(() => {
    if (progressIn(state) >= entries) child.kill("SIGKILL");
  }, 1);
  assert.equal(await end, "SIGKILL", "it was killed before it was done");
  clearInterval(timer);
  return progressIn(state);
}

onLinux(({ bpffs }) => {
  const run = commandLine();
  const directory = mkdtempSync(join(tmpdir(), "mapiary-killed-"));
  const lines = join(directory, "entries.jsonl");
  after(() => rmSync(directory, { recursive: true }));
  const text = Array.from({ length: ENTRIES }, (_, key) => `{"key":${key},"value":${(key * 7) >>> 0}}\n`);
  writeFileSync(lines, text.join(""));

  function start(state: string, words: readonly string[]): ChildProcess {
    const argv = ["--import", "tsx", CLI, "--kernel", "linux", ...TYPES, ...words];
    return spawn(process.execPath, argv, { env: { ...process.env, XDG_STATE_HOME: state }, stdio: "ignore" });
  }

  async function ok(words: readonly string[], state: string): Promise<string> {
    const { exitCode, stdout, stderr } = await run(["--kernel", "linux", ...words], { env: { XDG_STATE_HOME: state } });
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }

  async function exported(path: string, state: string): Promise<string[]> {
    const output = await ok([...TYPES, "map", "export", "pinned", path], state);
    return output.trimEnd().split("\n");
  }

  const create = (path: string, state: string) => {
    const sizes = `type hash key 4 value 4 entries ${ENTRIES} name killed`;
    return ok(`map create ${path} ${sizes}`.split(" "), state);
  };

  test("an import goes on where it was killed", async (t) => {
    const state = join(directory, "import");
    const path = `${bpffs}/imported`;
    await create(path, state);
    const words = ["map", "import", "pinned", path, "file", lines];
    const done = await killAt(start(state, words), state, 30_000);
    // An entry that was done before is not done again: what it is by now stays.
    await ok(["map", "update", "pinned", path, "key", "3", "value", "999"], state);
    const resumed = await ok([...TYPES, ...words, "noexist", "--resume"], state);
    t.diagnostic(`killed after ${done} of ${ENTRIES} entries`);
    assert.match(resumed, new RegExp(`^imported ${ENTRIES} entries`));
    const entries = await exported(path, state);
    const expected = text.map((line) => line.trimEnd()).with(3, '{"key":3,"value":999}');
    assert.deepEqual(entries.sort(), expected.sort());
  });

  test("a copy goes on where it was killed", async (t) => {
    const state = join(directory, "copy");
    const source = `${bpffs}/imported`;
    const target = `${bpffs}/copied`;
    await create(target, state);
    const words = ["map", "copy", "pinned", source, "to", "pinned", target];
    const done = await killAt(start(state, words), state, 30_000);
    const resumed = await ok([...words, "noexist", "--resume"], state);
    t.diagnostic(`killed after ${done} of ${ENTRIES} entries`);
    assert.match(resumed, new RegExp(`^copied ${ENTRIES} entries`));
    assert.deepEqual((await exported(target, state)).sort(), (await exported(source, state)).sort());
  });
});

/** What a shell offers when the tab key is pressed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { withoutProgram } from "../prerequisite.ts";
import { commandLine } from "./command-line.ts";

const run = commandLine();

async function completed(line: string): Promise<string[]> {
  const { stdout, exitCode } = await run(["__complete", "--", ...line.split(" ")]);
  assert.equal(exitCode, 0);
  return stdout === "" ? [] : stdout.trimEnd().split("\n");
}

describe("completion", () => {
  before(async () => {
    await run("map create hits type hash key 4 value 8 entries 16 name hits");
    await run("map create routes type lpm_trie key 8 value 8 entries 16 flags 1 name routes");
  });

  test("offers what can stand at the cursor", async () => {
    assert.deepEqual(await completed("ma"), ["map"]);
    assert.deepEqual(await completed("map ex"), ["export"]);
    assert.deepEqual(await completed("map lookup "), ["id", "name", "pinned", "embedded", "linux"]);
    assert.deepEqual(await completed("map lookup name h"), ["hits"]);
    assert.deepEqual(await completed("map lookup pinned /sys/fs/bpf/r"), ["/sys/fs/bpf/routes"]);
    assert.deepEqual(await completed("map update name hits "), ["key", "value", "any", "exist", "noexist"]);
    assert.deepEqual(await completed("map create /sys/fs/bpf/x type lp"), ["lpm_trie"]);
    assert.deepEqual(await completed("map create /sys/fs/bpf/x type hash k"), ["key"]);
    assert.deepEqual(await completed("map copy name hits t"), ["to"]);
    assert.deepEqual(await completed("map copy name hits to linux p"), ["pinned"]);
    assert.deepEqual(await completed("--kernel l"), ["linux"]);
    assert.deepEqual(await completed("map --ke"), ["--kernel", "--key"]);
    assert.deepEqual(await completed("completion z"), ["zsh"]);
    assert.deepEqual(await completed("map nosuch x "), []);
  });

  for (const shell of ["bash", "zsh", "fish"]) {
    const missing = withoutProgram(shell, "-c", "exit 0");
    test(`has a script that ${shell} can read`, { skip: missing }, async () => {
      const { stdout } = await run(["completion", shell]);
      const directory = mkdtempSync(join(tmpdir(), "mapiary-completion-"));
      const script = join(directory, "script");
      writeFileSync(script, stdout);
      const { status, stderr } = spawnSync(shell, ["-n", script], { encoding: "utf8" });
      rmSync(directory, { recursive: true });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    });
  }

  const noBash = withoutProgram("bash", "-c", "exit 0");
  test("completes in bash", { skip: noBash }, async () => {
    const { stdout: script } = await run(["completion", "bash"]);
    const asks = `
      mapiary() { [ "$3 $4" = "map lo" ] && echo lookup; }
      ${script}
      COMP_WORDS=(mapiary map lo) COMP_CWORD=2
      _mapiary
      echo "\${COMPREPLY[@]}"`;
    assert.equal(spawnSync("bash", ["-c", asks], { encoding: "utf8" }).stdout, "lookup\n");
  });

  const noFish = withoutProgram("fish", "-c", "exit 0");
  test("completes in fish", { skip: noFish }, async () => {
    const { stdout: script } = await run(["completion", "fish"]);
    // The first word behind `--` is the first one behind the command.
    const asks = `
      function mapiary; test "$argv[3] $argv[4]" = "map lo"; and printf 'lookup\\nlost\\n'; end
      ${script}
      complete -C 'mapiary map lo'`;
    const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", asks], { encoding: "utf8" });
    assert.deepEqual({ stdout, stderr }, { stdout: "lookup\nlost\n", stderr: "" });
  });

  const noZsh = withoutProgram("zsh", "-c", "exit 0");
  test("completes in zsh, when the tab key is pressed", { skip: noZsh }, async () => {
    const { stdout: script } = await run(["completion", "zsh"]);
    const directory = mkdtempSync(join(tmpdir(), "mapiary-zsh-"));
    writeFileSync(
      join(directory, ".zshrc"),
      `
      autoload -Uz compinit && compinit -u -D
      mapiary() { if [[ $1 == __complete ]]; then [[ "$3 $4" == "map lo" ]] && echo lookup; else echo "asked: $*"; fi }
      ${script}
      PS1='ready> '`,
    );
    const asks = `
      zmodload zsh/zpty
      zpty shell "ZDOTDIR=${directory} TERM=dumb zsh -i"
      zpty -r shell seen '*ready> '
      zpty -w -n shell $'mapiary map lo\t\n'
      zpty -r shell seen '*asked: map lookup*'
      print -r -- "$seen"`;
    const { stdout } = spawnSync("zsh", ["-f", "-c", asks], { encoding: "utf8", timeout: 60_000 });
    rmSync(directory, { recursive: true });
    assert.match(stdout, /asked: map lookup/);
  });

  test("says which shells there are", async () => {
    assert.match((await run(["completion", "bsh"])).stderr, /no completion for 'bsh'\n.*'bash'/);
  });
});

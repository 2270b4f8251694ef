/**
 * The grammar of bpftool: the same command lines given to Debian's bpftool and to mapiary on this machine's kernel, and to
 * mapiary on the embedded kernel: equal exit codes, equal JSON value by value, equal effect on the maps.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { describe, test } from "node:test";
import { linux } from "mapiary/linux";
import { onLinux } from "../kernels.ts";
import { withoutProgram } from "../prerequisite.ts";
import { play, type Result } from "./comparison.ts";
import { bpftool, onEmbeddedKernel, onLinuxKernel } from "./player.ts";
import { EFFECT, type Line, SCRIPT } from "./script.ts";

const LINES: readonly Line[] = [...SCRIPT, ...EFFECT];

const missing = withoutProgram("bpftool", "version");

/** Three characters that no other process's maps begin with. */
function prefix(letter: string): string {
  return letter + process.pid.toString(36).slice(-2);
}

/** bpftool answers `null` or nothing at all where it prints its help or has no message; mapiary says what is wrong. */
function isWordless({ exitCode, json }: Result): boolean {
  return exitCode !== 0 && (json === undefined || json === null);
}

/** What differs between the answers of bpftool and those of mapiary, a line each. */
function differences(theirs: readonly Result[], ours: readonly Result[]): string[] {
  return LINES.flatMap(({ line, difference }, index) => {
    const expected = theirs[index] as Result;
    const actual = ours[index] as Result;
    if (difference !== undefined) {
      const exitCode = difference.exitCode ?? expected.exitCode;
      return actual.exitCode === exitCode ? [] : [`${line}: ends with ${actual.exitCode}, not ${exitCode}`];
    }
    if (actual.exitCode !== expected.exitCode) {
      return [
        `${line}: ends with ${actual.exitCode}, bpftool with ${expected.exitCode} ${JSON.stringify([actual, expected])}`,
      ];
    }
    if (isWordless(expected) && (actual.complained || actual.json === null)) return [];
    return sameJson(actual.json, expected.json)
      ? []
      : [`${line}:\n  ${JSON.stringify(actual.json)}\n  bpftool ${JSON.stringify(expected.json)}`];
  });
}

function sameJson(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

describe("the command lines of bpftool", { skip: missing }, () => {
  onLinux(({ bpffs }) => {
    test(`${SCRIPT.length} of them are answered by mapiary as by bpftool, on both kernels`, async (t) => {
      assert.ok(SCRIPT.length >= 150);
      mkdirSync(`${bpffs}/b`);
      mkdirSync(`${bpffs}/m`);
      const theirs = await play(bpftool(`${bpffs}/b`, prefix("b")), SCRIPT);
      await t.test("on Linux", async () => {
        const ours = await play(onLinuxKernel(`${bpffs}/m`, prefix("m")), SCRIPT);
        assert.deepEqual(differences(theirs, ours), []);
      });
      await t.test("on the embedded kernel", async () => {
        const bpf = linux();
        const ours = await play(onEmbeddedKernel(prefix("e"), bpf.possibleCpus), SCRIPT);
        bpf.close();
        assert.deepEqual(differences(theirs, ours), []);
      });
    });
  });
});

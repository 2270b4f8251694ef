/** What the help and the manual page say of the options is what there is. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OPTION_USAGE } from "../../src/cli/option-usage.ts";
import { OPTION_KINDS } from "../../src/cli/options.ts";
import { commandLine } from "./command-line.ts";
import { manualPage } from "./manual-page.ts";

/** An option as it is written: `-B, --base-btf FILE`. */
interface Written {
  readonly name: string;
  readonly short: string | undefined;
  readonly takesArgument: boolean;
}

function written(form: string): Written {
  const [, short, name, argument] = /^(?:-(\w), )?--([a-z-]+)([ =][A-Z]+)?$/.exec(form) ?? [];
  assert.ok(name !== undefined, form);
  return { name, short, takesArgument: argument !== undefined };
}

/** All options as a text lists them. */
function listedIn(text: string, pattern: RegExp): Written[] {
  return [...text.matchAll(pattern)].map(([, form = ""]) => written(form));
}

describe("the options", () => {
  const run = commandLine();
  const forms = OPTION_USAGE.flatMap(({ options }) => options.map(([form]) => form));
  const described = forms.map(written);

  test("that are described are those that there are, each once", () => {
    const kinds = Object.entries(OPTION_KINDS).map(([name, { short, argument }]) => ({
      name,
      short,
      takesArgument: argument !== undefined,
    }));
    // The one name that has two meanings: with a directory behind it, it is that of the embedded kernel.
    const directory = { name: "bpffs", short: undefined, takesArgument: true };
    assert.equal(described.length, kinds.length + 1);
    assert.deepEqual(new Set(described), new Set([...kinds, directory]));
  });

  for (const line of ["help", "map help", "--help", "map show -h"]) {
    test(`are all in mapiary ${line}`, async () => {
      const { exitCode, stdout } = await run(line);
      assert.equal(exitCode, 0);
      assert.deepEqual(new Set(listedIn(stdout, /^ {11}(-\S+(?:, --\S+)?(?: [A-Z]+)?) {2}/gm)), new Set(described));
      for (const each of stdout.split("\n")) assert.ok(each.length <= 120, each);
    });
  }

  test("are all in the manual page", () => {
    const page = manualPage().replaceAll("\\-", "-");
    assert.deepEqual(new Set(listedIn(page, /^\.TP\n\\fB(-.*)\\fR$/gm)), new Set(described));
  });

  test("are each understood, and what they need asked for", async () => {
    for (const { name, short, takesArgument } of described) {
      for (const option of [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]) {
        if (name === "bpffs" && takesArgument) continue;
        const { exitCode, stdout, stderr } = await run(["version", option]);
        const needs = `${option} needs`;
        assert.equal(exitCode === 0, !takesArgument, `${option}: ${stderr}${stdout}`);
        assert.equal(stderr.includes(needs), takesArgument, option);
      }
    }
  });
});

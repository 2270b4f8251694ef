/** What docs/cli.md shows is what happens: its command lines are run in their order, and print what stands below them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { commandLine } from "./command-line.ts";

const PAGE = resolve(import.meta.dirname, "../../docs/cli.md");

/** A command line of the page, what is printed below it, and where it stands. */
interface Example {
  readonly line: number;
  readonly command: string;
  readonly output: string;
}

function examplesOf(text: string): Example[] {
  const examples: { line: number; command: string; output: string[] }[] = [];
  let isInside = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("```")) isInside = line === "```console";
    else if (isInside && line.startsWith("$ ")) examples.push({ line: index + 1, command: line.slice(2), output: [] });
    else if (isInside) examples.at(-1)?.output.push(line);
  }
  return examples.map((example) => ({ ...example, output: example.output.map((line) => `${line}\n`).join("") }));
}

/** The words of a command, with quotes as a shell has them. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
}

test("the command lines of docs/cli.md print what stands there", async () => {
  const examples = examplesOf(readFileSync(PAGE, "utf8"));
  assert.ok(examples.length > 20);
  const run = commandLine();
  const wrong: string[] = [];
  for (const { line, command, output } of examples) {
    const [call = "", filter] = command.split(" | ");
    const [name, ...words] = wordsOf(call);
    assert.equal(name, "mapiary");
    const { stdout, stderr } = await run(words);
    const printed = filter === undefined ? stdout + stderr : filtered(stdout, filter);
    if (printed !== output) wrong.push(`docs/cli.md:${line}: $ ${command}\n${printed}`);
  }
  assert.equal(wrong.join("\n"), "");
});

function filtered(text: string, filter: string): string {
  return spawnSync("sh", ["-c", filter], { input: text, encoding: "utf8" }).stdout;
}

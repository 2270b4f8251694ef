import { CliError } from "./cli-error.ts";
import { batch } from "./commands/batch.ts";
import { help } from "./commands/help.ts";
import { version } from "./commands/version.ts";
import { map } from "./map-commands.ts";
import type { Command, Session } from "./session.ts";
import { isPrefix, listed, suggestion, type Words } from "./words.ts";

/** What a command line can begin with: bpftool's objects in bpftool's order, then mapiary's own. */
const OBJECTS: readonly (readonly [name: string, command: Command | undefined])[] = [
  ["help", help],
  ["batch", batch],
  ["prog", undefined],
  ["map", map],
  ["link", undefined],
  ["cgroup", undefined],
  ["perf", undefined],
  ["net", undefined],
  ["feature", undefined],
  ["btf", undefined],
  ["gen", undefined],
  ["struct_ops", undefined],
  ["iter", undefined],
  ["version", version],
  ["types", async (words, session) => (await import("./commands/types.ts")).types(words, session)],
  ["completion", async (words, session) => (await import("./commands/completion.ts")).completion(words, session)],
  ["__complete", async (words, session) => (await import("./commands/completion.ts")).complete(words, session)],
  ["tour", async (words, session) => (await import("./commands/tour.ts")).tour(words, session)],
];

/** Those of them that people call. */
const OWN = OBJECTS.filter(([name, command]) => command !== undefined && !name.startsWith("_")).map(([name]) => name);

/** Runs the command of a line, and answers what the process ends with. Throws a `CliError` for a mistake. */
export async function run(words: Words, session: Session): Promise<number> {
  const word = words.peek();
  const [name, command] = (word === undefined ? OBJECTS[0] : OBJECTS.find(([each]) => isPrefix(word, each))) ?? [];
  if (name === undefined) throw new CliError(`there is no command '${word}'`, { hint: suggestion(word ?? "", OWN) });
  if (command === undefined) {
    throw new CliError(`mapiary has no '${name}'`, { hint: `It has ${listed(OWN)}; bpftool has the others.` });
  }
  if (word !== undefined) words.take("a command");
  return await command(words, session);
}

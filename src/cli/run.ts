import { CliError } from "./cli-error.ts";
import type { Command, Session } from "./session.ts";
import { isPrefix, listed, suggestion, type Words } from "./words.ts";

/** What a command line can begin with: bpftool's objects in bpftool's order, then mapiary's own. */
const OBJECTS: readonly (readonly [name: string, load: (() => Promise<Command>) | undefined])[] = [
  ["help", async () => (await import("./commands/help.ts")).help],
  ["batch", async () => (await import("./commands/batch.ts")).batch],
  ["prog", undefined],
  ["map", async () => (await import("./map-commands.ts")).map],
  ["link", undefined],
  ["cgroup", undefined],
  ["perf", undefined],
  ["net", undefined],
  ["feature", undefined],
  ["btf", undefined],
  ["gen", undefined],
  ["struct_ops", undefined],
  ["iter", undefined],
  ["version", async () => (await import("./commands/version.ts")).version],
  ["tour", async () => (await import("./commands/tour.ts")).tour],
];

const OWN = OBJECTS.filter(([, load]) => load !== undefined).map(([name]) => name);

/** Runs the command of a line, and answers what the process ends with. Throws a `CliError` for a mistake. */
export async function run(words: Words, session: Session): Promise<number> {
  const word = words.peek();
  const [name, load] = (word === undefined ? OBJECTS[0] : OBJECTS.find(([name]) => isPrefix(word, name))) ?? [];
  if (name === undefined) throw new CliError(`there is no command '${word}'`, { hint: suggestion(word ?? "", OWN) });
  if (load === undefined) {
    throw new CliError(`mapiary has no '${name}'`, { hint: `It has ${listed(OWN)}; bpftool has the others.` });
  }
  if (word !== undefined) words.take("a command");
  const command = await load();
  return await command(words, session);
}

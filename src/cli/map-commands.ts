import { CliError } from "./cli-error.ts";
import { MAP_USAGE, type MapUsage } from "./map-usage.ts";
import type { Command, Session } from "./session.ts";
import { isPrefix, suggestion, type Words } from "./words.ts";

/** The commands on maps by their names, loaded when they are run. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  show: async () => (await import("./commands/show.ts")).show,
  list: async () => (await import("./commands/show.ts")).show,
  help: async () => (await import("./commands/help.ts")).mapHelp,
  dump: async () => (await import("./commands/dump.ts")).dump,
  update: async () => (await import("./commands/update.ts")).update,
  lookup: async () => (await import("./commands/lookup.ts")).lookup,
  getnext: async () => (await import("./commands/getnext.ts")).getnext,
  delete: async () => (await import("./commands/delete.ts")).deleteKey,
  pin: async () => (await import("./commands/pin.ts")).pin,
  event_pipe: async () => (await import("./commands/event-pipe.ts")).eventPipe,
  create: async () => (await import("./commands/create.ts")).create,
  peek: async () => (await import("./commands/lookup.ts")).lookup,
  push: async () => (await import("./commands/update.ts")).update,
  enqueue: async () => (await import("./commands/update.ts")).update,
  pop: async () => (await import("./commands/pop.ts")).pop,
  dequeue: async () => (await import("./commands/pop.ts")).pop,
  freeze: async () => (await import("./commands/freeze.ts")).freeze,
  export: async () => (await import("./commands/export.ts")).exportEntries,
  import: async () => (await import("./commands/import.ts")).importEntries,
  copy: async () => (await import("./commands/copy.ts")).copy,
  diff: async () => (await import("./commands/diff.ts")).diff,
  watch: async () => (await import("./commands/watch.ts")).watch,
  top: async () => (await import("./commands/top.ts")).top,
  unpin: async () => (await import("./commands/pin.ts")).unpin,
};

/** `map COMMAND …`: runs the command that the next word stands for; without one, `show`. */
export async function map(words: Words, session: Session): Promise<number> {
  const word = words.peek();
  const command = word === undefined ? MAP_USAGE[0] : MAP_USAGE.find(({ name }) => isPrefix(word, name));
  if (command === undefined) {
    const names = MAP_USAGE.map(({ name }) => name);
    throw new CliError(`there is no command 'map ${word}'`, { hint: suggestion(word ?? "", names) });
  }
  if (word !== undefined) words.take("a command");
  requireMap(command, words);
  const run = await COMMANDS[command.name]?.();
  if (run === undefined) throw new TypeError(`there is no command for ${command.name}`);
  return await run(words, session);
}

/** Says what a command needs that has not even a map to work on. */
function requireMap({ name, synopsis }: MapUsage, words: Words): void {
  if (!synopsis.startsWith("MAP") || words.left >= 2 || name === "pin" || name === "freeze") return;
  const last = words.peek();
  const problem = last === undefined ? "which map?" : `what follows '${last}'?`;
  throw new CliError(`${name}: ${problem}`, { hint: `Usage: mapiary map ${name} ${synopsis}` });
}

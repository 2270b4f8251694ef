import { CliError } from "./cli-error.ts";
import { mapHelp } from "./commands/help.ts";
import { MAP_USAGE, type MapUsage } from "./map-usage.ts";
import type { Command, Session } from "./session.ts";
import { isPrefix, suggestion, type Words } from "./words.ts";

/** Where the commands on maps are: the groups are loaded when one of theirs is run. */
const GROUPS: readonly (readonly [names: readonly string[], load: () => Promise<object>])[] = [
  [["help"], () => Promise.resolve({ help: mapHelp })],
  [["export", "import", "copy", "diff"], () => import("./commands/transfer-commands.ts")],
  [["watch", "top"], () => import("./commands/monitor-commands.ts")],
];

/** `map COMMAND …`: runs the command that the next word stands for; without one, `show`. */
export async function map(words: Words, session: Session): Promise<number> {
  const word = words.peek();
  const usage = word === undefined ? MAP_USAGE[0] : MAP_USAGE.find(({ name }) => isPrefix(word, name));
  if (usage === undefined) {
    const names = MAP_USAGE.map(({ name }) => name);
    throw new CliError(`there is no command 'map ${word}'`, { hint: suggestion(word ?? "", names) });
  }
  if (word !== undefined) words.take("a command");
  requireMap(usage, words);
  const command = await load(usage.name);
  return await command(words, session);
}

async function load(name: string): Promise<Command> {
  const [, group] = GROUPS.find(([names]) => names.includes(name)) ?? [];
  const commands = await (group === undefined ? import("./commands/bpftool-commands.ts") : group());
  const command = (commands as Readonly<Record<string, Command>>)[name];
  if (command === undefined) throw new TypeError(`there is no command for ${name}`);
  return command;
}

/** Says what a command needs that has not even a map to work on. */
function requireMap({ name, synopsis }: MapUsage, words: Words): void {
  if (!synopsis.startsWith("MAP") || words.left >= 2 || name === "pin" || name === "freeze") return;
  const last = words.peek();
  const problem = last === undefined ? "which map?" : `what follows '${last}'?`;
  throw new CliError(`${name}: ${problem}`, { hint: `Usage: mapiary map ${name} ${synopsis}` });
}

import { MAP_TYPE_NAMES } from "../../abi/map-types.ts";
import { CliError } from "../cli-error.ts";
import { allMaps } from "../map-reference.ts";
import { MAP_USAGE } from "../map-usage.ts";
import { OPTION_KINDS, OPTION_NAMES } from "../options.ts";
import { pinsOf } from "../pins.ts";
import type { Session } from "../session.ts";
import { LAYOUT_NAMES } from "../values/layout-syntax.ts";
import { isPrefix } from "../words.ts";

/** What a command line can begin with. */
const OBJECTS = ["batch", "completion", "help", "map", "tour", "types", "version"];
const CREATE_WORDS = ["type", "key", "value", "entries", "name", "flags", "inner_map"];
const KERNELS = ["embedded", "linux"];
const REFERENCES = ["id", "name", "pinned"];
const FLAGS = ["any", "exist", "noexist"];

/** What follows the map of a command. */
const AFTER_MAP: Readonly<Record<string, readonly string[]>> = {
  update: ["key", "value", ...FLAGS],
  lookup: ["key"],
  getnext: ["key"],
  delete: ["key"],
  push: ["value", ...FLAGS],
  enqueue: ["value", ...FLAGS],
  import: ["file", ...FLAGS],
  export: ["file"],
  copy: ["to", ...FLAGS],
  diff: ["and"],
  top: ["by"],
};

/** The words that may stand where the last of `words` is being typed, whatever it begins with. */
export async function candidates(words: readonly string[], session: Session): Promise<readonly string[]> {
  const last = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const option = before.at(-1) ?? "";
  if (option === "--kernel") return KERNELS;
  if (option === "--key" || option === "--value") return LAYOUT_NAMES;
  if (option === "--format") return ["jsonl", "csv"];
  if (last.startsWith("-")) return OPTION_NAMES.map((name) => `--${name}`);
  const [object, command, ...rest] = withoutOptions(before);
  if (object === undefined) return OBJECTS;
  if (object === "completion") return ["bash", "fish", "zsh"];
  if (object === "batch") return ["file"];
  if (object === "types")
    return await afterCommand(
      "types",
      [command, ...rest].filter((word) => word !== undefined),
      session,
    );
  if (!isPrefix(object, "map")) return [];
  if (command === undefined) return MAP_USAGE.map(({ name }) => name);
  const name = MAP_USAGE.find((usage) => isPrefix(command, usage.name))?.name ?? "";
  return name === "create" ? await afterCreate(rest, session) : await afterCommand(name, rest, session);
}

function withoutOptions(words: readonly string[]): string[] {
  return words.filter((word, index) => !word.startsWith("-") && !takesWord(words[index - 1] ?? ""));
}

/** Whether the word behind an option belongs to it. */
function takesWord(option: string): boolean {
  return option.startsWith("--") && OPTION_KINDS[option.slice(2)]?.argument !== undefined;
}

async function afterCreate(rest: readonly string[], session: Session): Promise<readonly string[]> {
  const last = rest.at(-1);
  if (last === undefined) return ["/sys/fs/bpf/"];
  if (last === "type") return MAP_TYPE_NAMES;
  const reference = await afterReference(last, session);
  if (reference !== undefined && rest.at(-2) === "inner_map") return reference;
  if (last === "inner_map") return REFERENCES;
  return rest.length % 2 === 1 ? CREATE_WORDS.filter((word) => !rest.includes(word)) : [];
}

async function afterCommand(name: string, rest: readonly string[], session: Session): Promise<readonly string[]> {
  const last = rest.at(-1);
  const isUnpin = name === "unpin" && last === undefined;
  if (isUnpin) return (await afterReference("pinned", session)) ?? [];
  if (last === undefined || last === "to" || last === "and") return [...REFERENCES, ...KERNELS];
  if (KERNELS.includes(last)) return REFERENCES;
  return (await afterReference(last, session)) ?? AFTER_MAP[name] ?? [];
}

/** The maps that `id`, `name` and `pinned` can lead to; `undefined` for any other word. */
async function afterReference(word: string, session: Session): Promise<readonly string[] | undefined> {
  if (!REFERENCES.includes(word)) return undefined;
  try {
    const cli = await session.kernel();
    if (word === "pinned") return [...pinsOf(cli).values()].flat();
    const values = new Set<string>();
    for (const map of allMaps(cli)) {
      const value = word === "id" ? String(map.info.id) : map.info.name;
      if (value !== "") values.add(value);
      map.close();
    }
    return [...values];
  } catch (error) {
    // Nobody who presses the tab key wants to hear why there are no maps.
    if (error instanceof CliError) return [];
    throw error;
  }
}

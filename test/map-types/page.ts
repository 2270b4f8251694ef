import { MAP_TYPE_NAMES, type MapTypeName } from "../../src/abi/map-types.ts";
import { type Answers, COMMAND_TITLES } from "./answers.ts";

/** What one kernel answers, by type. */
export type Column = ReadonlyMap<string, Answers>;

const INTRODUCTION = `# What each map type answers

For every map type of Linux 6.18 and every command on maps: what the embedded kernel answers, and what Linux does. The
simplest map of the type is asked three times, made anew for each question: when it holds what is asked for, when it does
not, and when it holds it and is frozen. The answers stand in this order: *hit* · *miss* · *frozen*. \`0\` is success;
\`ENOENT\` of a lookup batch says that these were the last entries. A row in which the kernels differ is marked with
**≠**.

The miss of a type with keys is key 9, which is past the end of an array; that of a type without keys is an empty map.
Nothing is a hit for the maps of programs, perf events, sockets, cgroups and stacks, of which there are none here: an update
gives them the fd of the map itself. A devmap is given the loopback device, and a cpumap a queue of one
packet. The types for which *create* alone is listed are not made without BTF.

This page is written by \`npm run docs:map-types\`, and a test compares it with both kernels.
`;

/** The page for what two kernels answer. */
export function mapTypesPage(embedded: Column, linux: Column): string {
  const sections = MAP_TYPE_NAMES.map((type) => section(type, embedded.get(type), linux.get(type)));
  return [INTRODUCTION, ...sections].join("\n");
}

function section(type: MapTypeName, embedded: Answers | undefined, linux: Answers | undefined): string {
  const rows = COMMAND_TITLES.flatMap((command) => {
    const ours = embedded?.get(command);
    const theirs = linux?.get(command);
    if (ours === undefined && theirs === undefined) return [];
    const mark = ours === theirs ? "" : " **≠**";
    return `| ${command}${mark} | ${ours ?? "–"} | ${theirs ?? "–"} |`;
  });
  return [`## \`${type}\`\n`, "| | embedded | Linux 6.18 |", "|---|---|---|", ...rows, ""].join("\n");
}

/** What a page says that Linux answers. */
export function linuxColumn(page: string): Column {
  const column = new Map<string, Map<string, string>>();
  let answers = new Map<string, string>();
  for (const line of page.split("\n")) {
    const [, type] = /^## `(\w+)`/.exec(line) ?? [];
    if (type !== undefined) column.set(type, (answers = new Map()));
    const [, command, linux] = /^\| ([a-z][^|]*?)(?: \*\*≠\*\*)? \| [^|]* \| ([^|]*) \|$/.exec(line) ?? [];
    if (command !== undefined && linux !== undefined && linux !== "–") answers.set(command, linux);
  }
  return column;
}

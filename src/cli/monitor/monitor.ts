import { CliError } from "../cli-error.ts";
import type { MapHandle } from "../map-reference.ts";
import type { JsonValue } from "../output/json-writer.ts";
import { jsonText } from "../output/json-writer.ts";
import type { Session } from "../session.ts";
import { typingOf } from "../values/typing.ts";
import { type ChangedRow, type Changes, changesBetween } from "./changes.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";

/** What is shown of a map at one moment. */
export interface View {
  /** The first line. */
  readonly title: string;
  readonly lines: readonly string[];
  /** The rows, for programs. */
  readonly rows: readonly ChangedRow[];
}

const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[K";
const CLEAR_REST = "\x1b[J";
const CLEAR_SCREEN = "\x1b[2J";

/**
 * Looks at a map again and again, and shows each time what `view` makes of it: on a terminal in the same place, elsewhere
 * one below the other, with `-j` as a line of JSON each. Ends after `--count` looks, or never.
 */
export async function monitor(map: MapHandle, session: Session, view: (changes: Changes) => View): Promise<number> {
  const { output, options, world } = session;
  if (map.info.keySize === 0) {
    throw new CliError(`a map of type ${map.info.type} cannot be watched`, { hint: "It has no keys." });
  }
  const interval = positive(options.interval ?? "1", "--interval");
  const count = options.count === undefined ? Number.POSITIVE_INFINITY : positive(options.count, "--count");
  const typing = typingOf(map, options);
  const start = world.now();
  let before: Snapshot | undefined;
  let last = start;
  for (let looks = 0; looks < count; looks++) {
    if (looks > 0) await world.sleep(interval * 1000);
    const now = world.now();
    const snapshot = takeSnapshot(map, typing);
    const shown = view(changesBetween(before, snapshot, (now - last) / 1000));
    if (output.isJson) output.line(jsonText({ elapsed: (now - start) / 1000, entries: shown.rows.map(rowJson) }));
    else output.text(output.results.isTTY ? screen(shown, output.results.rows, looks === 0) : page(shown, looks === 0));
    output.flush();
    before = snapshot;
    last = now;
  }
  return 0;
}

function positive(text: string, name: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new CliError(`can't parse ${text} as ${name}`, { hint: "It is a number above 0." });
}

function rowJson({ json, rates, hasChanged }: ChangedRow): JsonValue {
  const ratesJson = Object.fromEntries([...rates].map(([place, rate]) => [place === "" ? "value" : place, rate]));
  return { ...json, changed: hasChanged, rates: ratesJson };
}

function page({ title, lines }: View, isFirst: boolean): string {
  return `${isFirst ? "" : "\n"}${[title, ...lines].join("\n")}\n`;
}

/** As much as fits on the screen, over what is there. */
function screen({ title, lines }: View, height: number, isFirst: boolean): string {
  const room = Math.max(1, height - 3);
  const shown = lines.length <= room ? lines : [...lines.slice(0, room), `… and ${lines.length - room} more`];
  const text = [title, ...shown].map((line) => `${line}${CLEAR_LINE}\n`).join("");
  return `${isFirst ? CLEAR_SCREEN : ""}${HOME}${text}${CLEAR_REST}`;
}

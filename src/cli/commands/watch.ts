import { openMap } from "../map-reference.ts";
import { type ChangedRow, type Changes, ratesText } from "../monitor/changes.ts";
import { monitor, type View } from "../monitor/monitor.ts";
import type { Session } from "../session.ts";
import { painter } from "../terminal.ts";
import type { Words } from "../words.ts";

type Paint = ReturnType<typeof painter>;

/** `map watch MAP`: a dump that refreshes, with what changed and how fast numbers grow. */
export async function watch(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "read");
  words.requireEnd();
  const paint = painter({ hasColour: session.output.hasColour(session.world.env) });
  const name = `map ${map.label} of ${map.cli.description}`;
  return await monitor(map, session, (changes) => watchView(name, changes, paint));
}

function watchView(name: string, { rows, gone }: Changes, paint: Paint): View {
  const width = Math.max(0, ...rows.map(({ key }) => key.length));
  const fresh = rows.filter(({ isNew }) => isNew).length;
  const news = [fresh > 0 ? `${fresh} new` : "", gone > 0 ? `${gone} gone` : ""].filter((text) => text !== "");
  const title = `${name}: ${rows.length} entries${news.length === 0 ? "" : `, ${news.join(", ")}`}`;
  return { title, lines: rows.map((row) => lineOf(row, width, paint)), rows };
}

/** `*` marks what changed where there is no colour to do so. */
function lineOf({ key, value, hasChanged, isNew, rates }: ChangedRow, width: number, paint: Paint): string {
  const rate = rates.size === 0 ? "" : `  ${paint("cyan", ratesText(rates))}`;
  const shown = hasChanged ? paint(isNew ? "green" : "yellow", value) : value;
  return `${hasChanged ? "*" : " "} ${key.padEnd(width)}  ${shown}${rate}`;
}

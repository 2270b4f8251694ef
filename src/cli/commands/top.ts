import { CliError } from "../cli-error.ts";
import { type MapHandle, openMap } from "../map-reference.ts";
import { type ChangedRow, type Changes, rateText } from "../monitor/changes.ts";
import { monitor, type View } from "../monitor/monitor.ts";
import type { Session } from "../session.ts";
import { painter } from "../terminal.ts";
import { suggestion, type Words } from "../words.ts";

/** So many entries are shown where there is no terminal that says how many fit. */
const SHOWN = 10;

/** `map top MAP [by FIELD]`: the entries whose number grows fastest; without a field, whichever of them does. */
export async function top(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "read");
  const field = words.takeExactly("by") ? words.take("a field") : undefined;
  words.requireEnd();
  const paint = painter({ hasColour: session.output.hasColour(session.world.env) });
  const most = session.output.results.isTTY ? Number.POSITIVE_INFINITY : SHOWN;
  return await monitor(map, session, (changes) => topView(map, field, changes, most, paint));
}

function topView(map: MapHandle, field: string | undefined, { rows }: Changes, most: number, paint: Paint): View {
  requireField(rows, field);
  const growth = (row: ChangedRow): number => fastest(row, field);
  const growing = rows.filter((row) => growth(row) > 0).sort((a, b) => growth(b) - growth(a));
  const shown = growing.slice(0, most);
  const width = Math.max(0, ...shown.map(({ key }) => key.length));
  const by = field === undefined ? "" : ` by ${field}`;
  const title = `map ${map.label} of ${map.cli.description}: ${growing.length} of ${rows.length} entries grow${by}`;
  const lines = shown.map((row) => {
    return `${paint("cyan", rateText(growth(row)).padStart(14))}  ${row.key.padEnd(width)}  ${row.value}`;
  });
  return { title, lines, rows: shown };
}

type Paint = ReturnType<typeof painter>;

function fastest({ rates }: ChangedRow, field: string | undefined): number {
  if (field !== undefined) return rates.get(field) ?? 0;
  return Math.max(0, ...rates.values());
}

function requireField(rows: readonly ChangedRow[], field: string | undefined): void {
  const [row] = rows;
  if (row === undefined) return;
  const names = [...row.numbers.keys()];
  if (names.length === 0) {
    const hint = "Say how values are written: --value 'struct{hits:u64}'.";
    throw new CliError("there is no number in the values of the map", { hint });
  }
  if (field !== undefined && !names.includes(field)) {
    const isOne = names.length === 1 && names[0] === "";
    const hint = isOne ? "A value is one number: leave out by." : suggestion(field, names);
    throw new CliError(`there is no number '${field}' in the values of the map`, { hint });
  }
}

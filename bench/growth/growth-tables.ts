import { figures, type Table } from "../report.ts";
import type { Pauses } from "./pauses.ts";
import type { Growth, Kind, Series, Sizing } from "./sizing.ts";

const KIND_TITLES: Readonly<Record<Kind, string>> = {
  map: "Map",
  embedded: "embedded",
  bare: "bare access",
};

const OPERATIONS = [
  ["fill", "insert"],
  ["get", "get"],
  ["overwrite", "overwrite"],
  ["iterate", "iterate"],
] as const;

/** More and more entries, larger and larger values, higher and higher load. */
export function growthTables(growths: readonly Growth[], pauseEntries: number, pauses: Pauses): Table[] {
  const [bySize, byValue, byLoad] = (["entries", "values", "load"] as const).map((series) => of(growths, series)) as [
    Growth[],
    Growth[],
    Growth[],
  ];
  return [
    table("Growth: nanoseconds of CPU time by the number of entries", bySize, ["map", "embedded"], (growth) => [
      growth.entries.toLocaleString("en"),
      ...figuresOf(growth.kinds.bare, "get"),
      ...figuresOf(growth.kinds.bare, "inTurn"),
    ]),
    table("Growth: by the size of the values", byValue, ["map", "embedded"], (growth) => [
      `${growth.entries.toLocaleString("en")} × ${growth.valueBytes} bytes`,
    ]),
    table("Growth: by the load factor, entries for each bucket", byLoad, ["embedded"], (growth) => [
      (growth.entries / growth.room).toFixed(2),
    ]),
    creation(bySize),
    pauseTable(pauseEntries, pauses),
  ].filter(({ rows }) => rows.length > 1);
}

function of(growths: readonly Growth[], series: Series): Growth[] {
  return growths.filter((growth) => growth.series === series);
}

/** What a lookup costs, drawn against size. */
export function growthChart(growths: readonly Growth[]): string {
  const bySize = of(growths, "entries");
  const most = Math.max(...bySize.flatMap(({ kinds }) => Object.values(kinds).map((sizing) => sizing.get)));
  const lines = bySize.flatMap(({ entries, kinds }) =>
    (Object.keys(kinds) as Kind[]).map((kind, index) => {
      const { get } = kinds[kind] as Sizing;
      const bar = "█".repeat(Math.max(1, Math.round((get / most) * 60)));
      const label = index === 0 ? entries.toLocaleString("en") : "";
      return `${label.padStart(11)}  ${KIND_TITLES[kind].padEnd(11)} ${bar} ${figures(get)}`;
    }),
  );
  return ["nanoseconds of a get, by the number of entries", "", ...lines].join("\n");
}

function table(
  title: string,
  growths: readonly Growth[],
  kinds: readonly Kind[],
  label: (growth: Growth) => string[],
): Table {
  const columns = OPERATIONS.flatMap(([name, text]) => kinds.map((kind) => ({ name, kind, text })));
  const rows = growths.map((growth) => [
    ...label(growth),
    ...columns.flatMap(({ name, kind }) => figuresOf(growth.kinds[kind], name)),
  ]);
  const first = label(growths[0] ?? { series: "entries", entries: 0, room: 1, valueBytes: 0, kinds: {} });
  const titles = ["", ...(first.length > 1 ? [KIND_TITLES.bare, `${KIND_TITLES.bare}, in turn`] : [])];
  return { title, rows: [[...titles, ...columns.map(({ text, kind }) => `${text}, ${KIND_TITLES[kind]}`)], ...rows] };
}

function figuresOf(sizing: Sizing | undefined, name: keyof Sizing): string[] {
  const value = sizing?.[name];
  return [value === undefined ? "–" : figures(value)];
}

function creation(growths: readonly Growth[]): Table {
  const rows = growths.map(({ entries, kinds }) => [
    entries.toLocaleString("en"),
    `${((kinds.embedded?.create ?? 0) / 1000).toFixed(0)}`,
  ]);
  return { title: "Creation of a map on the embedded kernel, in microseconds", rows: [["room for", "µs"], ...rows] };
}

function pauseTable(entries: number, pauses: Pauses): Table {
  const row = (title: string, atOnce: number, inSlices: number): string[] => [
    title,
    atOnce.toFixed(1),
    inSlices.toFixed(2),
  ];
  return {
    title: `The longest pause of the event loop with ${entries.toLocaleString("en")} entries, in milliseconds`,
    rows: [
      ["", "at once", "in slices of 4,096"],
      row("setMany, setSlices", pauses.setMany, pauses.setSlices),
      row("iteration, slices", pauses.iterate, pauses.slices),
      row("setMany and drain, drainSlices", pauses.drain, pauses.drainSlices),
    ],
  };
}

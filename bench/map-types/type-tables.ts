import { figures, type Table } from "../report.ts";
import type { Spread } from "../statistics.ts";
import { MEASURED_TYPES } from "./measured-types.ts";
import type { TypeMeasure } from "./type-measures.ts";
import type { TypeResult } from "./type-result.ts";

const TIME_TITLES = ["lookup, embedded", "Linux", "×", "update, embedded", "Linux", "×"];
const MEMORY_TITLES = ["bytes / entry, embedded", "Linux (memlock)"];

/** The map types: the times on both kernels, and how much memory an entry takes. */
export function typeTable(types: readonly TypeResult[]): Table {
  const rows = types.map((type) => [type.title, ...times(type, "lookup"), ...times(type, "update"), ...memory(type)]);
  return {
    title:
      "Every map type, mapiary embedded and mapiary linux: nanoseconds of CPU time, and how many times as long on Linux",
    rows: [["", ...TIME_TITLES, ...MEMORY_TITLES], ...rows],
  };
}

/** What stands for a lookup and an update of each type, in a line for those that are alike. */
export function typeDescriptions(): string[] {
  const titles = new Map<string, string[]>();
  for (const { title, lookup, update } of Object.values(MEASURED_TYPES)) {
    const does = [...(lookup === undefined ? [] : [lookup]), update].join(", ");
    titles.set(does, [...(titles.get(does) ?? []), title]);
  }
  return [...titles].map(([does, of]) => `- **${of.join("; ")}**: ${does}`);
}

function times({ cells }: TypeResult, measure: TypeMeasure): string[] {
  const cell = cells[measure];
  return [median(cell?.embedded), median(cell?.linux), cell?.times?.median.toFixed(1) ?? "–"];
}

function median(spread: Spread | undefined): string {
  return spread === undefined ? "–" : figures(spread.median);
}

function memory({ bytesPerEntry: { embedded, linux } }: TypeResult): string[] {
  return [embedded.toFixed(1), linux?.toFixed(1) ?? "–"];
}

import type { Goal } from "./goals.ts";
import { growthTables } from "./growth/growth-tables.ts";
import { typeTable } from "./map-types/type-tables.ts";
import { absences, goalsTable, header, otherTables, placeTables, type Table } from "./report.ts";
import type { Result } from "./result.ts";

/** The result for a terminal, or any other place with a fixed pitch. */
export function terminalReport(result: Result, goals: readonly Goal[]): string {
  const tables = [
    ...placeTables(result),
    typeTable(result.types),
    ...growthTables(result.growth, result.pauses.entries, result.pauses.longest),
    ...otherTables(result),
    goalsTable(goals),
  ];
  const lines = [...header(result), "", ...tables.flatMap((table) => [...inColumns(table), ""]), ...absences(result)];
  return `${lines.join("\n").trimEnd()}\n`;
}

function inColumns({ title, rows }: Table): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join("  ");
  return [title, ...rows.map((row) => `  ${line(row)}`)];
}

import type { Row, Snapshot } from "./snapshot.ts";

/** An entry, and what became of it since the snapshot before. */
export interface ChangedRow extends Row {
  /** Whether it is another than before, or new. */
  readonly hasChanged: boolean;
  readonly isNew: boolean;
  /** How fast the numbers in it grow, a second, by their places; only those that do. */
  readonly rates: ReadonlyMap<string, number>;
}

/** What became of a map between two snapshots. */
export interface Changes {
  readonly rows: readonly ChangedRow[];
  /** How many entries are gone. */
  readonly gone: number;
}

/** Compares a snapshot with the one before it, so many seconds ago; without one, nothing has changed. */
export function changesBetween(before: Snapshot | undefined, now: Snapshot, seconds: number): Changes {
  const rows = [...now].map(([key, row]): ChangedRow => {
    const old = before?.get(key);
    const isNew = before !== undefined && old === undefined;
    return {
      ...row,
      isNew,
      hasChanged: isNew || (old !== undefined && old.value !== row.value),
      rates: rates(old, row, seconds),
    };
  });
  const gone = before === undefined ? 0 : [...before.keys()].filter((key) => !now.has(key)).length;
  return { rows, gone };
}

function rates(before: Row | undefined, now: Row, seconds: number): ReadonlyMap<string, number> {
  const rates = new Map<string, number>();
  for (const [place, number] of now.numbers) {
    const old = before?.numbers.get(place);
    if (old !== undefined && old !== number && seconds > 0) rates.set(place, Number(number - old) / seconds);
  }
  return rates;
}

/** A rate for people: `+1,200/s`, `-0.5/s`. */
export function rateText(rate: number): string {
  const digits = Math.abs(rate) < 10 ? 1 : 0;
  const text = rate.toLocaleString("en", { maximumFractionDigits: digits });
  return `${rate > 0 ? "+" : ""}${text}/s`;
}

/** The rates of a row for people: `+5/s`, or `hits +5/s, bytes +320/s`. */
export function ratesText(rates: ReadonlyMap<string, number>): string {
  return [...rates].map(([place, rate]) => `${place === "" ? "" : `${place} `}${rateText(rate)}`).join(", ");
}

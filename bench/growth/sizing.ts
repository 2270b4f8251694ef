/** What one table of one size cost: nanoseconds of CPU time, for each operation or entry; `create` in all. */
export interface Sizing {
  readonly get: number;
  readonly create?: number;
  readonly fill?: number;
  readonly overwrite?: number;
  readonly iterate?: number;
  /** Of bare accesses: when each waits for the one before it. */
  readonly inTurn?: number;
}

export type Kind = "map" | "embedded" | "bare";

/** What grows from one table to the next. */
export type Series = "entries" | "values" | "load";

/** The tables of one size, the median of several processes each. */
export interface Growth {
  readonly series: Series;
  readonly entries: number;
  /** For how many entries there is room; `Map` makes room as it needs it. */
  readonly room: number;
  readonly valueBytes: number;
  readonly kinds: Readonly<Partial<Record<Kind, Sizing>>>;
}

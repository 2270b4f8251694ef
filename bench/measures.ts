/** What is measured, in the order in which a round asks for it. Times are per unit: one operation, or one entry. */
export const MEASURES = {
  "get-hit": { title: "get (hit)", does: "`get` of a key that is there" },
  "get-miss": { title: "get (miss)", does: "`get` of a key that is not there" },
  overwrite: { title: "set (overwrite)", does: "`set` of a key that is there" },
  replace: { title: "delete + set (new)", does: "`delete` of a key, and later `set` of it, which is then new" },
  iterate: { title: "iterate / entry", does: "`for (const [key, value] of map)` over the map" },
  batch: { title: "batch lookup / entry", does: "the whole map by explicit batches of 4,096 entries" },
  "set-many": { title: "setMany / entry", does: "overwriting the whole map with one call" },
} as const;

export type MeasureName = keyof typeof MEASURES;

export const MEASURE_NAMES = Object.keys(MEASURES) as MeasureName[];

/** Entries of one explicit batch, for every peer. */
export const BATCH_ENTRIES = 4096;

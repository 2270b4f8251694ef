/** The commands that carry entries, by their names. */
export { copy } from "./copy.ts";
export { diff } from "./diff.ts";
export { exportEntries as export } from "./export.ts";
export { importEntries as import } from "./import.ts";

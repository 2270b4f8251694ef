/** The commands that look at a map again and again, by their names. */
export { top } from "./top.ts";
export { watch } from "./watch.ts";

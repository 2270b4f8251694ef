import { readFileSync } from "node:fs";

/** The version of this package: its package.json lies one folder above `dist`, two above `src/cli`. */
export const VERSION: string = versionFrom(["../package.json", "../../package.json"]);

function versionFrom(places: readonly string[]): string {
  for (const place of places) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {}
  }
  return "unknown";
}

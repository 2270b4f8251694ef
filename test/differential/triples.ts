import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Triple } from "./behaviour.ts";

/** Every (type, command, answer) that was seen on Linux 6.18 by random programs. */
const FILE = join(import.meta.dirname, "triples.json");

export function readTriples(): Triple[] {
  return existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : [];
}

/** Writes the table anew: what a long run with MAPIARY_LEARN=true has seen beside what was known. */
export function writeTriples(triples: readonly Triple[]): void {
  writeFileSync(FILE, `${JSON.stringify([...new Set(triples)].sort(), null, 2)}\n`);
}

import { readFileSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import { openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import { typesOfFile, typesOfMap } from "../types.ts";
import type { Words } from "../words.ts";

const OF_MAPS = ["id", "name", "pinned", "linux", "embedded"];

/** `types { MAP | FILE [NAME…] }`: TypeScript for the types of a map, of an object file or of BTF; of a file, of some names alone. */
export async function types(words: Words, session: Session): Promise<number> {
  words.requireAtLeast(1, "types", "Say of what: types pinned FILE, or the path of a .bpf.o or of BTF.");
  const source = OF_MAPS.includes(words.peek() ?? "") ? await ofMap(words, session) : ofFile(words);
  session.output.text(source);
  return 0;
}

async function ofMap(words: Words, session: Session): Promise<string> {
  using map = await openMap(words, session, "read");
  words.requireEnd();
  return said(() => typesOfMap(map.cli.sys, map.info));
}

function ofFile(words: Words): string {
  const path = words.take("a file");
  const names = words.takeRest();
  return said(() => typesOfFile(new Uint8Array(readFileSync(path)), names), path);
}

/** What is wrong with a file or a map is said as any mistake is. */
function said(make: () => string, what?: string): string {
  try {
    return make();
  } catch (cause) {
    const { message } = cause as Error;
    throw new CliError(what === undefined ? message : `${what}: ${message}`, { cause });
  }
}

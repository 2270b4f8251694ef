import { CliError } from "./cli-error.ts";
import { type MapHandle, openPin } from "./map-reference.ts";
import type { Session } from "./session.ts";
import { suggestion, type Words } from "./words.ts";

/** Opens the program that the next words refer to, `pinned FILE`, on the kernel of a map. Answers its fd. */
export function openProgram(words: Words, _session: Session, map: MapHandle): Promise<number> {
  const { cli } = map;
  if (!words.takeIf("pinned")) {
    const word = words.take("a program");
    const hint = suggestion(word, ["pinned"]);
    throw new CliError(`expected 'id', 'tag', 'name' or 'pinned', got: '${word}'?`, { hint });
  }
  return Promise.resolve(openPin(cli, words.take("a path"), "prog"));
}

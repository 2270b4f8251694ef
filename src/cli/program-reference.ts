import { CliError, strerror } from "./cli-error.ts";
import type { CliKernel } from "./cli-kernel.ts";
import { type MapHandle, openPin } from "./map-reference.ts";
import { parseU32 } from "./numbers.ts";
import type { Session } from "./session.ts";
import { suggestion, type Words } from "./words.ts";

/**
 * Opens the program that the next words refer to, on the kernel of a map: `id N`, `pinned FILE`, `tag TAG` or `name NAME`.
 * Answers its fd.
 */
export function openProgram(words: Words, { output }: Session, { cli }: MapHandle): Promise<number> {
  if (words.takeIf("id")) {
    output.note(
      "Warning: updating program array via MAP_ID, make sure this map is kept open\n" +
        "         by some process or pinned otherwise update will be lost",
    );
    return Promise.resolve(openById(cli, parseU32(words.take("an id"), "ID")));
  }
  if (words.takeIf("tag")) return Promise.resolve(openMatching(cli, "tag", words.take("a tag").toLowerCase()));
  if (words.takeIf("name")) return Promise.resolve(openMatching(cli, "name", words.take("a name")));
  if (words.takeIf("pinned")) return Promise.resolve(openPin(cli, words.take("a path"), "prog"));
  const word = words.take("a program");
  const hint = suggestion(word, ["id", "tag", "name", "pinned"]);
  throw new CliError(`expected 'id', 'tag', 'name' or 'pinned', got: '${word}'?`, { hint });
}

function openById({ sys, description }: CliKernel, id: number): number {
  const fd = sys.progGetFdById(id);
  if (fd >= 0) return fd;
  const hint = `There is no program ${id} on ${description}, or it may not be opened.`;
  throw new CliError(`get by id (${id}): ${strerror(fd)}`, { hint });
}

/** Opens the one program whose name or tag is this. */
function openMatching(cli: CliKernel, what: "name" | "tag", wanted: string): number {
  const { sys } = cli;
  const found: number[] = [];
  const id = new Uint32Array(1);
  while (sys.progGetNextId(id[0] as number, id) === 0) {
    const fd = sys.progGetFdById(id[0] as number);
    if (fd < 0) continue;
    const info = sys.progGetInfoByFd(fd);
    if (typeof info !== "number" && info[what] === wanted) found.push(fd);
    else sys.close(fd);
  }
  const [fd] = found;
  if (found.length === 1 && fd !== undefined) return fd;
  for (const each of found) sys.close(each);
  if (found.length === 0)
    throw new CliError(`no program has the ${what} '${wanted}'`, { hint: `That was ${cli.description}.` });
  throw new CliError("several programs match this handle", { hint: "Say which by its id." });
}

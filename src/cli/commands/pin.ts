import { BPF_OBJ_PIN } from "../../abi/commands.ts";
import { EINVAL } from "../../abi/errno.ts";
import { CliError } from "../cli-error.ts";
import { isInBpffs, kernelError, type MapHandle, openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import type { Words } from "../words.ts";

/** `map pin MAP FILE`. */
export async function pin(words: Words, session: Session): Promise<number> {
  if (words.left < 3) {
    const hint = "Say which map and where: pin id N FILE.";
    throw new CliError(`'pin' needs at least 3 arguments, ${words.left} found`, { hint, errno: -EINVAL });
  }
  using map = await openMap(words, session, "read");
  pinMap(map, words.take("a path"));
  const rest = words.takeRest();
  if (rest.length > 0) session.output.note(`Nothing was done with '${rest.join(" ")}'.`);
  session.output.done();
  return 0;
}

/** Pins a map at the path that a word names. */
export function pinMap(map: MapHandle, word: string): void {
  const { cli } = map;
  const path = cli.pathOf(word);
  if (!isInBpffs(cli, path)) {
    const hint = `${word} is outside the BPF filesystems of ${cli.description}: ${cli.mounts().join(", ")}.`;
    throw new CliError("no BPF file system found, not mounting it due to --nomount option", { hint });
  }
  const result = cli.sys.objPin(map.fd, path);
  if (result < 0) throw map.failure(`can't pin the object (${word})`, BPF_OBJ_PIN, result, { path });
}

/** `map unpin FILE`: takes a pin away. The map lives on while something else refers to it. */
export async function unpin(words: Words, session: Session): Promise<number> {
  const cli = await session.kernel();
  const word = words.take("a path");
  words.requireEnd();
  const path = cli.pathOf(word);
  const result = cli.kernel.unlink(path);
  if (result < 0) throw kernelError(cli, `can't unpin (${word})`, { command: "unlink", errno: result, path });
  session.output.done();
  return 0;
}

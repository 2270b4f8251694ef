import { BPF_MAP_FREEZE } from "../../abi/commands.ts";
import { openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import type { Words } from "../words.ts";

/** `map freeze MAP`: from now on user space cannot write it. */
export async function freeze(words: Words, session: Session): Promise<number> {
  words.requireAtLeast(2, words.last, "Say which map: freeze id N.");
  using map = await openMap(words, session, "write");
  words.requireEnd();
  const result = map.cli.sys.mapFreeze(map.fd);
  if (result < 0) throw map.failure("failed to freeze map", BPF_MAP_FREEZE, result);
  session.output.done();
  return 0;
}

import { BPF_MAP_UPDATE_ELEM } from "../../abi/commands.ts";
import { takeElement } from "../element-words.ts";
import { openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import { shownKey } from "../values/shown-key.ts";
import type { Words } from "../words.ts";

/** `map { update | push | enqueue } MAP [key DATA] [value VALUE] [UPDATE_FLAGS]`. */
export async function update(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "write");
  const grammar = { key: map.info.keySize > 0, value: map.info.valueSize > 0, flags: true };
  using element = await takeElement(words, map, grammar, session);
  const { key, value, flags } = element;
  const result = map.cli.sys.mapUpdateElem(map.fd, key, value, flags);
  if (result < 0) {
    const details = { flags, ...shownKey(key, element.typing) };
    throw map.failure("update failed", BPF_MAP_UPDATE_ELEM, result, details);
  }
  session.output.done();
  return 0;
}

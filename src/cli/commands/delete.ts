import { BPF_MAP_DELETE_ELEM } from "../../abi/commands.ts";
import { takeElement } from "../element-words.ts";
import { openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import { shownKey } from "../values/shown-key.ts";
import type { Words } from "../words.ts";

/** `map delete MAP key DATA`. */
export async function deleteKey(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "write");
  using element = await takeElement(words, map, { key: true, value: false, flags: false }, session);
  const result = map.cli.sys.mapDeleteElem(map.fd, element.key);
  if (result < 0) {
    throw map.failure("delete failed", BPF_MAP_DELETE_ELEM, result, shownKey(element.key, element.typing));
  }
  session.output.done();
  return 0;
}

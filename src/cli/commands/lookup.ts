import { BPF_MAP_LOOKUP_ELEM } from "../../abi/commands.ts";
import { ENOENT } from "../../abi/errno.ts";
import { takeElement } from "../element-words.ts";
import { openMap } from "../map-reference.ts";
import { hexLines, writeEntry } from "../output/entry.ts";
import type { Session } from "../session.ts";
import { shownKey } from "../values/shown-key.ts";
import type { Words } from "../words.ts";

const NO_KEY = new Uint8Array(0);

/** `map lookup MAP [key DATA]` and `map peek MAP`. */
export async function lookup(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "read");
  const grammar = { key: map.info.keySize > 0, value: false, flags: false };
  using element = await takeElement(words, map, grammar, session);
  const { key, typing } = element;
  const value = new Uint8Array(map.shape.valueSize);
  const result = map.cli.sys.mapLookupElem(map.fd, key, value);
  if (result === 0) {
    writeEntry(session.output, map, typing, key ?? NO_KEY, value);
    return 0;
  }
  const failure = map.failure("lookup failed", BPF_MAP_LOOKUP_ELEM, result, shownKey(key, typing));
  if (result !== -ENOENT) throw failure;
  // That nothing is there is an answer, and none of success.
  if (session.output.isJson) session.output.json.value(null);
  else session.output.text(`key:\n${hexLines(key ?? NO_KEY)}\n\nNot found\n`);
  return failure.exitCode;
}

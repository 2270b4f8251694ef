import { BPF_MAP_GET_NEXT_KEY } from "../../abi/commands.ts";
import { takeElement } from "../element-words.ts";
import { openMap } from "../map-reference.ts";
import { hexJson, hexLines } from "../output/entry.ts";
import type { Session } from "../session.ts";
import { shownKey } from "../values/shown-key.ts";
import { typingOf } from "../values/typing.ts";
import type { Words } from "../words.ts";

/** `map getnext MAP [key DATA]`: the key after a key, or the first one. */
export async function getnext(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "read");
  const { output } = session;
  const key = words.left === 0 ? null : (await takeElement(words, map, KEY_ALONE, session)).key;
  const next = new Uint8Array(map.info.keySize);
  const result = map.cli.sys.mapGetNextKey(map.fd, key, next);
  if (result < 0) {
    const details = shownKey(key, typingOf(map, session.options));
    throw map.failure("can't get next key", BPF_MAP_GET_NEXT_KEY, result, details);
  }
  if (output.isJson) {
    output.json.value({ key: key === null ? null : hexJson(key), next_key: hexJson(next) });
  } else {
    output.text(key === null ? "key: None\n" : `key:\n${hexLines(key)}\n`);
    output.text(`next key:\n${hexLines(next)}\n`);
  }
  return 0;
}

const KEY_ALONE = { key: true, value: false, flags: false };

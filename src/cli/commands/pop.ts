import { BPF_MAP_LOOKUP_AND_DELETE_ELEM } from "../../abi/commands.ts";
import { ENOENT } from "../../abi/errno.ts";
import { openMap } from "../map-reference.ts";
import { writeEntry } from "../output/entry.ts";
import type { Session } from "../session.ts";
import { typingOf } from "../values/typing.ts";
import type { Words } from "../words.ts";

/** `map { pop | dequeue } MAP`: takes a value out of a queue or a stack. */
export async function pop(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "write");
  const { output } = session;
  const typing = typingOf(map, session.options);
  const key = new Uint8Array(map.info.keySize);
  const value = new Uint8Array(map.shape.valueSize);
  const result = map.cli.sys.mapLookupAndDeleteElem(map.fd, map.info.keySize === 0 ? null : key, value);
  if (result === 0) {
    writeEntry(output, map, typing, key, value);
    return 0;
  }
  const failure = map.failure("pop failed", BPF_MAP_LOOKUP_AND_DELETE_ELEM, result);
  if (result !== -ENOENT) throw failure;
  if (output.isJson) output.json.value(null);
  else output.line("Error: empty map");
  return failure.exitCode;
}

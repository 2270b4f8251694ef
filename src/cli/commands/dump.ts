import { BPF_MAP_GET_NEXT_KEY } from "../../abi/commands.ts";
import { ENOENT, ENOSPC } from "../../abi/errno.ts";
import { type CliError, strerror } from "../cli-error.ts";
import { type MapHandle, openMaps } from "../map-reference.ts";
import { hexJson, hexLines, writeEntry } from "../output/entry.ts";
import type { Output } from "../output/output.ts";
import type { Session } from "../session.ts";
import { type MapTyping, typingOf } from "../values/typing.ts";
import type { Words } from "../words.ts";
import { headerJson, headerText } from "./show.ts";

/** `map dump MAP`: every entry of the map, or of all maps of a name. */
export async function dump(words: Words, session: Session): Promise<number> {
  const maps = await openMaps(words, session, "read");
  words.requireEnd();
  const { output } = session;
  const typings = maps.map((map) => typingOf(map, session.options));
  const asArray = maps.length > 1 && output.isJson;
  if (asArray) output.json.beginArray();
  let exitCode = 0;
  for (const [index, map] of maps.entries()) {
    const isLast = index === maps.length - 1;
    exitCode = dumpMap(map, typings[index] as MapTyping, maps.length > 1, isLast, output);
    map.close();
    if (exitCode !== 0) break;
  }
  if (asArray) output.json.end();
  return exitCode;
}

function dumpMap(map: MapHandle, typing: MapTyping, showsHeader: boolean, isLast: boolean, output: Output): number {
  const { json } = output;
  if (!output.isJson) {
    if (showsHeader) output.line(headerText(map));
    const { count, refusal } = dumpEntries(map, typing, output);
    output.line(`Found ${count} element${count === 1 ? "" : "s"}`);
    if (refusal !== undefined) output.error(refusal);
    if (!isLast) output.line();
    return refusal?.exitCode ?? 0;
  }
  if (showsHeader) {
    json.beginObject();
    for (const [name, value] of Object.entries(headerJson(map))) {
      if (value === undefined) continue;
      json.name(name);
      json.value(value);
    }
    json.name("elements");
  }
  json.beginArray();
  const { refusal } = dumpEntries(map, typing, output);
  json.end();
  if (showsHeader) json.end();
  return refusal?.exitCode ?? 0;
}

/** Writes every entry; answers how many could be read, and why there are no more when that is not the end. */
function dumpEntries(map: MapHandle, typing: MapTyping, output: Output): { count: number; refusal?: CliError } {
  const { sys } = map.cli;
  const value = new Uint8Array(map.shape.valueSize);
  let previous: Uint8Array | null = null;
  let count = 0;
  for (;;) {
    const key = new Uint8Array(map.info.keySize);
    const next = sys.mapGetNextKey(map.fd, previous, key);
    if (next === -ENOENT) return { count };
    if (next < 0) return { count, refusal: map.failure("can't get next key", BPF_MAP_GET_NEXT_KEY, next) };
    const result = sys.mapLookupElem(map.fd, key, value);
    if (result === 0) {
      writeEntry(output, map, typing, key, value);
      count++;
    } else {
      writeMiss(output, map, key, result);
    }
    previous = key;
  }
}

/** What stands for an entry whose value cannot be read: nothing for a place in a map of maps or programs that is empty. */
function writeMiss(output: Output, map: MapHandle, key: Uint8Array, errno: number): void {
  const { type } = map.info;
  if (errno === -ENOENT && (type === "array_of_maps" || type === "hash_of_maps" || type === "prog_array")) return;
  if (output.isJson) {
    output.json.value({ key: hexJson(key), value: { error: strerror(errno) } });
    return;
  }
  const isUnreadable = errno === -ENOSPC && type === "reuseport_sockarray";
  const text = errno === -ENOENT ? "<no entry>" : isUnreadable ? "<cannot read>" : strerror(errno);
  const isLong = key.length > 16 || text.length > 16;
  const lead = isLong ? "\n" : " ";
  const gap = !isLong && key.length + text.length <= 24 ? "  " : "\n";
  output.text(`key:${lead}${hexLines(key)}${gap}value:${lead}${text}\n`);
}

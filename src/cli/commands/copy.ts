import { BPF_MAP_CREATE } from "../../abi/commands.ts";
import { BPF_ANY } from "../../abi/flags.ts";
import { CliError } from "../cli-error.ts";
import { flagOf } from "../element-words.ts";
import { isMissingPin, kernelError, MapHandle, openMap } from "../map-reference.ts";
import { holdsMaps } from "../output/entry.ts";
import type { Session } from "../session.ts";
import { Journal, type Progress } from "../transfer/journal.ts";
import { MapReader } from "../transfer/map-reader.ts";
import { MapWriter } from "../transfer/map-writer.ts";
import { ProgressBar } from "../transfer/progress-bar.ts";
import type { Words } from "../words.ts";
import { pinMap } from "./pin.ts";

/** `map copy MAP [to] MAP [UPDATE_FLAGS]`: every entry, also to another kernel; a pin that is not there yet is made. */
export async function copy(words: Words, session: Session): Promise<number> {
  using source = await openMap(words, session, "read");
  requireCopyable(source);
  words.takeExactly("to");
  using target = await openTarget(words, session, source);
  const word = words.peek();
  const flags = word === undefined ? undefined : flagOf(word);
  if (flags !== undefined) words.take("a flag");
  words.requireEnd();
  requireAlike(source, target);
  const entries = copyEntries(session, source, target, flags ?? BPF_ANY);
  const { output } = session;
  if (output.isJson) output.json.value({ entries, to: { id: target.info.id, name: target.info.name } });
  else output.line(`copied ${entries} entries of ${described(source)} to ${described(target)}`);
  return 0;
}

function described(map: MapHandle): string {
  return `map ${map.label} of ${map.cli.description}`;
}

/** Opens the map that is copied to; where nothing is pinned yet, makes one like the source and pins it. */
async function openTarget(words: Words, session: Session, source: MapHandle): Promise<MapHandle> {
  const missing = await isMissingPin(words, session);
  if (missing === undefined) return await openMap(words, session, "write");
  const { cli, word } = missing;
  const { type, name, keySize, valueSize, maxEntries, mapFlags, mapExtra } = source.info;
  const create = { type, name, keySize, valueSize, maxEntries, flags: mapFlags, mapExtra };
  const fd = cli.sys.mapCreate(create);
  if (fd < 0) throw kernelError(cli, "map create failed", { command: BPF_MAP_CREATE, errno: fd, create });
  const info = cli.sys.objGetInfoByFd(fd);
  if (typeof info === "number") throw new CliError("can't get map info");
  const map = new MapHandle(cli, fd, info);
  pinMap(map, word);
  return map;
}

function requireCopyable(source: MapHandle): void {
  const { type, keySize } = source.info;
  const refusal = (hint: string): CliError => new CliError(`a map of type ${type} cannot be copied`, { hint });
  if (holdsMaps(source) || type === "prog_array") throw refusal("Its values are maps or programs of one kernel.");
  if (keySize === 0) throw refusal("A queue or a stack shows only its next value, without taking it out.");
}

function requireAlike(source: MapHandle, target: MapHandle): void {
  if (source.cli === target.cli && source.info.id === target.info.id) {
    throw new CliError("a map cannot be copied to itself", { hint: `Both are ${described(source)}.` });
  }
  for (const [role, size] of [
    ["key", "keySize"],
    ["value", "valueSize"],
  ] as const) {
    const [theirs, ours] = [source.shape[size], target.shape[size]];
    if (theirs === ours) continue;
    const hint = `A ${role} of ${described(source)} has ${theirs} bytes, one of ${described(target)} has ${ours}.`;
    throw new CliError("the maps are not alike", { hint });
  }
}

function copyEntries(session: Session, source: MapHandle, target: MapHandle, flags: number): number {
  const names = [source, target].flatMap(({ cli, info }) => [cli.description, String(info.id)]);
  const journal = new Journal(session, ["copy", ...names]);
  const before = resumed(session, journal);
  const bar = new ProgressBar(session.output.complaints, "copy");
  const writer = new MapWriter(target, flags);
  const reader = new MapReader(source, before?.cursor === undefined ? undefined : Buffer.from(before.cursor, "hex"));
  let entries = before?.entries ?? 0;
  // Batches grow, so what was on its way when the run before was ended may be several of this one's.
  const mayBeThere = before !== undefined;
  for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
    const { count, refusal } = writer.write(raw, mayBeThere);
    entries += count;
    if (refusal !== undefined) {
      bar.end();
      const hint = `${refusal.hint ?? ""} ${entries} entries were copied before it.`.trimStart();
      throw new CliError(refusal.message, { hint, exitCode: refusal.exitCode, cause: refusal });
    }
    const { cursor } = reader;
    if (cursor !== undefined) journal.write({ entries, cursor: Buffer.from(cursor).toString("hex") });
    bar.show(entries, undefined);
  }
  bar.end();
  journal.clear();
  return entries;
}

/** Where a copy that was ended left off; without `--resume`, what it left is forgotten. */
function resumed({ options, output }: Session, journal: Journal): Progress | undefined {
  const progress = options.resume ? journal.read() : undefined;
  if (progress !== undefined) {
    output.note(`${progress.entries} entries are there already.`);
    return progress;
  }
  if (options.resume) output.note("Nothing is to be resumed: the copy begins with the first entry.");
  journal.clear();
  return undefined;
}

import { closeSync, ftruncateSync, openSync, readSync, realpathSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import { type MapHandle, openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import { EntryCodec } from "../transfer/entry-codec.ts";
import { type Format, formatName, formatOf } from "../transfer/format.ts";
import { Journal, type Progress, TAIL, tailOf } from "../transfer/journal.ts";
import { LineWriter } from "../transfer/line-writer.ts";
import { MapReader } from "../transfer/map-reader.ts";
import { ProgressBar } from "../transfer/progress-bar.ts";
import { SortedReader } from "../transfer/sorted-reader.ts";
import { typingOf } from "../values/typing.ts";
import type { Words } from "../words.ts";

/** `map export MAP [file FILE]`: every entry as JSON lines or CSV; without a file, to standard output. */
export async function exportEntries(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "read");
  const path = words.takeIf("file") ? words.take("a file") : "-";
  words.requireEnd();
  const codec = new EntryCodec(map, typingOf(map, session.options));
  const format = formatOf(formatName(session.options.format, path), codec);
  if (session.options.sort) {
    using reader = sortedReader(session, map, codec);
    exportFrom(session, codec, format, path, () => reader);
  } else {
    exportFrom(session, codec, format, path, (cursor) => new MapReader(map, cursor));
  }
  return 0;
}

/** Begins to read the entries, from a cursor on where there is one. */
type Open = (cursor?: Uint8Array) => Pick<MapReader, "next" | "cursor">;

function exportFrom(session: Session, codec: EntryCodec, format: Format, path: string, open: Open): void {
  if (path === "-") exportToOutput(session, codec, format, open);
  else exportToFile(session, codec, format, path, open);
}

/** The map as it is now, in the order of its keys. */
function sortedReader({ options, output }: Session, map: MapHandle, codec: EntryCodec): SortedReader {
  if (options.resume) {
    throw new CliError("a sorted export cannot be resumed", { hint: "It reads the whole map before it writes." });
  }
  if (codec.key === undefined) {
    const hint = "It has no keys to sort by: leave out --sort.";
    throw new CliError(`a map of type ${map.info.type} cannot be sorted`, { hint });
  }
  const bar = new ProgressBar(output.complaints, "sort");
  const reader = new SortedReader(map, codec.key);
  try {
    reader.readMap((entries) => bar.show(entries, undefined));
  } catch (error) {
    reader[Symbol.dispose]();
    throw error;
  } finally {
    bar.end();
  }
  return reader;
}

function exportToOutput({ output, options }: Session, codec: EntryCodec, format: Format, open: Open): void {
  if (options.resume) throw new CliError("an export to standard output cannot be resumed", { hint: "Name a file." });
  if (format.header !== undefined) output.line(format.header);
  const reader = open();
  for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
    for (const entry of codec.toJson(raw)) output.line(format.encode(entry));
  }
}

function exportToFile(session: Session, codec: EntryCodec, format: Format, path: string, open: Open): void {
  const { output } = session;
  const { map } = codec;
  const journal = new Journal(session, ["export", map.cli.description, String(map.info.id), nameOf(path)]);
  const file = openFile(path, session.options.resume);
  try {
    const before = resumed(session, journal, file, path);
    const bar = new ProgressBar(output.complaints, "export");
    const reader = open(before === undefined ? undefined : Buffer.from(before.cursor ?? "", "hex"));
    let entries = before?.entries ?? 0;
    const lines = new LineWriter(file, before?.offset ?? 0);
    if (before === undefined && format.header !== undefined) lines.line(format.header);
    for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
      for (const entry of codec.toJson(raw)) lines.line(format.encode(entry));
      lines.flush();
      entries += raw.count;
      bar.show(entries, undefined);
      const { cursor } = reader;
      if (cursor === undefined) continue;
      const { offset } = lines;
      const tail = tailOf(lastBytes(file, offset));
      journal.write({ entries, offset, tail, cursor: Buffer.from(cursor).toString("hex") });
    }
    lines.flush();
    bar.end();
    journal.clear();
    if (output.isJson) output.json.value({ entries });
    else output.line(`exported ${entries} entries of map ${map.label} of ${map.cli.description} to ${path}`);
  } finally {
    closeSync(file);
  }
}

function openFile(path: string, keeps: boolean): number {
  try {
    return openSync(path, keeps ? "a+" : "w+");
  } catch (error) {
    throw new CliError(`can't write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Where an export that was ended left off; what it wrote beyond that is taken back. */
function resumed({ options, output }: Session, journal: Journal, file: number, path: string): Progress | undefined {
  const progress = options.resume ? journal.read() : undefined;
  if (progress?.offset === undefined || progress.cursor === undefined) {
    journal.clear();
    ftruncateSync(file, 0);
    if (options.resume) output.note("Nothing is to be resumed: the export begins with the first entry.");
    return undefined;
  }
  if (tailOf(lastBytes(file, progress.offset)) !== progress.tail) {
    const hint = "Export it from the beginning, without --resume.";
    throw new CliError(`${path} is not what it was when the export was ended`, { hint });
  }
  ftruncateSync(file, progress.offset);
  output.note(`${progress.entries} entries are there already.`);
  return progress;
}

function lastBytes(file: number, offset: number): Uint8Array {
  const start = Math.max(0, offset - TAIL);
  const bytes = new Uint8Array(offset - start);
  return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start));
}

/** What a file is known by from run to run. */
function nameOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

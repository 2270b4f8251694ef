import { realpathSync } from "node:fs";
import { BPF_ANY } from "../../abi/flags.ts";
import { CliError } from "../cli-error.ts";
import { flagOf } from "../element-words.ts";
import { type MapHandle, openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import { EntryBatch } from "../transfer/entry-batch.ts";
import { EntryCodec } from "../transfer/entry-codec.ts";
import { type Format, formatName, formatOf } from "../transfer/format.ts";
import { Journal, type Progress, TAIL, tailOf } from "../transfer/journal.ts";
import { type Lines, openSource, readLines, type TextSource } from "../transfer/line-reader.ts";
import { MapWriter } from "../transfer/map-writer.ts";
import { ProgressBar } from "../transfer/progress-bar.ts";
import { typingOf } from "../values/typing.ts";
import type { Words } from "../words.ts";

/** `map import MAP [file FILE] [UPDATE_FLAGS]`: entries from JSON lines or CSV; without a file, from standard input. */
export async function importEntries(words: Words, session: Session): Promise<number> {
  using map = await openMap(words, session, "write");
  const path = words.takeIf("file") ? words.take("a file") : "-";
  const flags = takeFlags(words);
  words.requireEnd();
  const source = openSource(path);
  try {
    const entries = new Import(session, map, path, source, flags).run();
    if (session.output.isJson) session.output.json.value({ entries });
    else session.output.line(`imported ${entries} entries into map ${map.label} of ${map.cli.description}`);
    return 0;
  } finally {
    source.close();
  }
}

function takeFlags(words: Words): number {
  const word = words.peek();
  const flags = word === undefined ? undefined : flagOf(word);
  if (flags === undefined) return BPF_ANY;
  words.take("a flag");
  return flags;
}

/** One import on its way. */
class Import {
  readonly #session: Session;
  readonly #path: string;
  readonly #source: TextSource;
  readonly #codec: EntryCodec;
  readonly #name: "jsonl" | "csv";
  readonly #writer: MapWriter;
  readonly #journal: Journal;
  readonly #bar: ProgressBar;
  /** How to go on after a refusal; empty for a map in which entries would be there twice. */
  readonly #canResume: boolean;
  readonly #batch: EntryBatch;
  /** The line of each entry in the batch, from 1. */
  readonly #numbers: number[] = [];
  #format: Format | undefined;
  #header: string | undefined;
  #entries = 0;
  #lines = 0;

  constructor(session: Session, map: MapHandle, path: string, source: TextSource, flags: number) {
    this.#session = session;
    this.#path = path;
    this.#source = source;
    this.#codec = new EntryCodec(map, typingOf(map, session.options));
    this.#name = formatName(session.options.format, path);
    this.#batch = new EntryBatch(this.#codec);
    this.#writer = new MapWriter(map, flags);
    this.#journal = new Journal(session, ["import", map.cli.description, String(map.info.id), nameOf(path)]);
    this.#bar = new ProgressBar(session.output.complaints, "import");
    this.#canResume = map.info.keySize > 0;
  }

  /** Answers how many entries were imported, those of the runs before it too. */
  run(): number {
    const before = this.#resumed();
    for (const piece of readLines(this.#source, before?.offset ?? 0)) {
      this.#importLines(piece, before !== undefined);
      this.#bar.show(this.#entries, this.#source.size === undefined ? undefined : piece.end / this.#source.size);
    }
    this.#bar.end();
    this.#journal.clear();
    return this.#entries;
  }

  /** Where a run that was ended left off; without `--resume`, what it left is forgotten. */
  #resumed(): Progress | undefined {
    const { options, output } = this.#session;
    if (!options.resume) {
      this.#journal.clear();
      return undefined;
    }
    if (!this.#canResume) {
      const hint = "A queue does not tell what is in it, so nobody knows which of the last values it has taken.";
      throw new CliError("an import into a map without keys cannot be resumed", { hint });
    }
    const progress = this.#journal.read();
    if (progress?.offset === undefined) {
      output.note("Nothing is to be resumed: the import begins with the first entry.");
      return undefined;
    }
    if (tailOf(this.#source.skip(progress.offset, TAIL)) !== progress.tail) {
      const hint = "Import it from its beginning, without --resume.";
      throw new CliError(`${this.#path} is not what it was when the import was ended`, { hint });
    }
    this.#entries = progress.entries;
    this.#lines = progress.lines ?? 0;
    this.#header = progress.header;
    output.note(`${progress.entries} entries are there already.`);
    return progress;
  }

  #importLines(piece: Lines, mayBeThere: boolean): void {
    for (const line of piece.lines) {
      this.#lines++;
      if (this.#format === undefined && this.#takeHeader(line)) continue;
      if (line.trim() === "") continue;
      if (this.#batch.isFull) this.#write(mayBeThere);
      this.#add(line, mayBeThere);
    }
    this.#write(mayBeThere);
    this.#journal.write({
      entries: this.#entries,
      offset: piece.end,
      lines: this.#lines,
      tail: tailOf(piece.bytes),
      ...(this.#header === undefined ? {} : { header: this.#header }),
    });
  }

  /** Finds out the format at the first line; answers whether that line is no entry yet. */
  #takeHeader(line: string): boolean {
    const isHeader = this.#name === "csv" && this.#header === undefined;
    if (isHeader) this.#header = line;
    this.#format = formatOf(this.#name, this.#codec, this.#header);
    return isHeader;
  }

  #add(line: string, mayBeThere: boolean): void {
    try {
      this.#batch.add((this.#format as Format).decode(line));
      this.#numbers[this.#batch.count - 1] = this.#lines;
    } catch (error) {
      this.#write(mayBeThere);
      throw this.#refuse(this.#lines, reasonOf(error));
    }
  }

  /** Writes what the lines so far have, into the map. */
  #write(mayBeThere: boolean): void {
    const { count, refusal } = this.#writer.write(this.#batch.entries, mayBeThere);
    this.#entries += count;
    this.#batch.clear();
    if (refusal !== undefined) throw this.#refuse(this.#numbers[count], refusal.message, refusal);
  }

  #refuse(line: number | undefined, why: string, refusal?: CliError): CliError {
    this.#bar.end();
    const done = `${this.#entries} entries were imported before it.`;
    const hint = refusal?.hint === undefined ? done : `${refusal.hint} ${done}`;
    return new CliError(`${this.#path}:${line}: ${why}`, { hint, exitCode: refusal?.exitCode ?? 255, cause: refusal });
  }
}

/** Why a line is no entry, in a sentence or two. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  return error instanceof CliError && error.hint !== undefined ? `${message}. ${error.hint}` : message;
}

/** What a file is known by from run to run. */
function nameOf(path: string): string {
  return path === "-" ? path : realpathSync(path);
}

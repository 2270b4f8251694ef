import { realpathSync } from "node:fs";
import { BPF_ANY } from "../../abi/flags.ts";
import { CliError } from "../cli-error.ts";
import { flagOf } from "../element-words.ts";
import { type MapHandle, openMap } from "../map-reference.ts";
import type { Session } from "../session.ts";
import { EntryCodec, type EntryJson } from "../transfer/entry-codec.ts";
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
    const lines = this.#withoutHeader(piece.lines);
    const format = (this.#format ??= formatOf(this.#name, this.#codec, this.#header));
    const { entries, numbers, failure } = this.#decode(format, lines);
    const { raw, refused } = this.#codec.fromJson(entries);
    const { count, refusal } = this.#writer.write(raw, mayBeThere);
    this.#entries += count;
    if (refusal !== undefined) throw this.#refuse(numbers[count], refusal.message, refusal);
    if (refused !== undefined) throw this.#refuse(numbers[refused.index], refused.why);
    if (failure !== undefined) throw this.#refuse(failure.line, failure.why);
    this.#lines += lines.length;
    this.#journal.write({
      entries: this.#entries,
      offset: piece.end,
      lines: this.#lines,
      tail: tailOf(piece.bytes),
      ...(this.#header === undefined ? {} : { header: this.#header }),
    });
  }

  #withoutHeader(lines: readonly string[]): readonly string[] {
    if (this.#name !== "csv" || this.#header !== undefined) return lines;
    this.#header = lines[0] ?? "";
    this.#lines++;
    return lines.slice(1);
  }

  /** The entries of some lines and the line of each; `failure` is the first line that is none. */
  #decode(format: Format, lines: readonly string[]): Decoded {
    const entries: EntryJson[] = [];
    const numbers: number[] = [];
    for (const [index, line] of lines.entries()) {
      if (line.trim() === "") continue;
      try {
        entries.push(format.decode(line));
      } catch (error) {
        const why = error instanceof CliError ? `${error.message}. ${error.hint}` : (error as Error).message;
        return { entries, numbers, failure: { line: this.#lines + index + 1, why } };
      }
      numbers.push(this.#lines + index + 1);
    }
    return { entries, numbers };
  }

  #refuse(line: number | undefined, why: string, refusal?: CliError): CliError {
    this.#bar.end();
    const done = `${this.#entries} entries were imported before it.`;
    const hint = refusal?.hint === undefined ? done : `${refusal.hint} ${done}`;
    return new CliError(`${this.#path}:${line}: ${why}`, { hint, exitCode: refusal?.exitCode ?? 255, cause: refusal });
  }
}

interface Decoded {
  readonly entries: readonly EntryJson[];
  /** The number of each entry's line, from 1. */
  readonly numbers: readonly number[];
  readonly failure?: { readonly line: number; readonly why: string };
}

/** What a file is known by from run to run. */
function nameOf(path: string): string {
  return path === "-" ? path : realpathSync(path);
}

import { CliError } from "./cli-error.ts";
import { isPrefix, suggestion } from "./words.ts";

/** The options of a command line. */
export interface Options {
  readonly json: boolean;
  readonly pretty: boolean;
  /** `-f`: show where maps are pinned. */
  readonly pins: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** Accept being resumed: go on where a run that was ended left off. */
  readonly resume: boolean;
  /** Export entries in the order of their keys. */
  readonly sort: boolean;
  /** Which kernel: `embedded` or `linux`. */
  readonly kernel?: string;
  /** The directory that the embedded kernel keeps its pins in. */
  readonly bpffs?: string;
  /** Layouts of keys and values, as they are written: `u32`, `struct{hits:u64}`. */
  readonly key?: string;
  readonly value?: string;
  /** `jsonl` or `csv`. */
  readonly format?: string;
  /** Seconds between two looks at a map. */
  readonly interval?: string;
  /** How often to look. */
  readonly count?: string;
}

/** What a word of a command line that begins with `-` may be. */
interface OptionKind {
  /** The field of `Options`; `undefined` for an option of bpftool's that changes nothing here. */
  readonly field?: keyof Options;
  readonly short?: string;
  /** What follows it. */
  readonly argument?: string;
}

/** Every option by its long name. */
export const OPTION_KINDS: Readonly<Record<string, OptionKind>> = {
  json: { field: "json", short: "j" },
  pretty: { field: "pretty", short: "p" },
  help: { field: "help", short: "h" },
  version: { field: "version", short: "V" },
  bpffs: { field: "pins", short: "f" },
  kernel: { field: "kernel", argument: "embedded or linux" },
  key: { field: "key", argument: "a layout, such as u32" },
  value: { field: "value", argument: "a layout, such as u64" },
  format: { field: "format", argument: "jsonl or csv" },
  interval: { field: "interval", argument: "seconds" },
  count: { field: "count", argument: "a number" },
  resume: { field: "resume" },
  sort: { field: "sort" },
  // bpftool's own, for programs and mounts: understood, and without effect on maps.
  nomount: { short: "n" },
  debug: { short: "d" },
  legacy: { short: "l" },
  mapcompat: { short: "m" },
  "use-loader": { short: "L" },
  "base-btf": { short: "B", argument: "a file" },
};

/** The names of all options, for completion. */
export const OPTION_NAMES = Object.keys(OPTION_KINDS);

/** A command line taken apart. */
export interface Arguments {
  readonly options: Options;
  /** What is no option, in its order. */
  readonly words: readonly string[];
}

const NONE: Options = {
  json: false,
  pretty: false,
  pins: false,
  help: false,
  version: false,
  resume: false,
  sort: false,
};

/** An option that is none; `options` are those before it, which say how to complain. */
export class OptionError extends CliError {
  readonly options: Options;

  constructor(message: string, hint: string | undefined, options: Options) {
    super(message, { hint });
    this.options = options;
  }
}

/**
 * Takes a command line apart as `getopt_long` does: options may stand anywhere and be abbreviated, and `--` ends them.
 * What begins with `-` and a digit is a number. Throws an `OptionError` for an option that is none.
 */
export function parseArguments(argv: readonly string[], defaults: Options = NONE): Arguments {
  const parser = new OptionParser(argv, defaults);
  return { words: parser.parse(), options: parser.options };
}

class OptionParser {
  readonly #argv: readonly string[];
  #at = 0;
  options: Options;

  constructor(argv: readonly string[], defaults: Options) {
    this.#argv = argv;
    this.options = defaults;
  }

  parse(): string[] {
    const words: string[] = [];
    while (this.#at < this.#argv.length) {
      const word = this.#argv[this.#at++] as string;
      if (word === "--") return [...words, ...this.#argv.slice(this.#at)];
      if (word.startsWith("--")) this.#long(word);
      else if (/^-[^\d]/.test(word)) this.#short(word);
      else words.push(word);
    }
    return words;
  }

  #long(word: string): void {
    const [, given = "", , text] = /^--([^=]*)(=(.*))?$/s.exec(word) ?? [];
    const names = given in OPTION_KINDS ? [given] : OPTION_NAMES.filter((name) => isPrefix(given, name));
    const [name] = names;
    if (name === undefined || names.length > 1) throw this.#unrecognized(word, given, names);
    if (name === "bpffs" && this.#takeBpffs(text)) return;
    const kind = OPTION_KINDS[name] as OptionKind;
    if (kind.argument === undefined && text !== undefined) throw this.#unrecognized(word, given, []);
    this.#set(kind, `--${name}`, text);
  }

  /** `-f` has a long name that is also that of the directory: with one behind it, it is the directory. */
  #takeBpffs(text: string | undefined): boolean {
    const directory = text ?? this.#argv[this.#at];
    if (directory === undefined || (text === undefined && !directory.includes("/"))) return false;
    if (text === undefined) this.#at++;
    this.options = { ...this.options, bpffs: directory };
    return true;
  }

  #short(word: string): void {
    for (let i = 1; i < word.length; i++) {
      const letter = word[i];
      const kind = Object.values(OPTION_KINDS).find(({ short }) => short === letter);
      if (kind === undefined) throw this.#unrecognized(word, word, []);
      if (kind.argument !== undefined) return this.#set(kind, `-${letter}`, word.slice(i + 1) || undefined);
      this.#set(kind, `-${letter}`, undefined);
    }
  }

  #set({ field, argument }: OptionKind, name: string, text: string | undefined): void {
    const value = argument === undefined ? true : (text ?? this.#argv[this.#at++]);
    if (value === undefined) throw new OptionError(`${name} needs ${argument}`, undefined, this.options);
    if (field !== undefined) this.options = { ...this.options, [field]: value };
    if (field === "pretty") this.options = { ...this.options, json: true };
  }

  #unrecognized(word: string, given: string, names: readonly string[]): OptionError {
    const choice = names.length > 1 ? names : OPTION_NAMES;
    return new OptionError(`unrecognized option '${word}'`, suggestion(given, choice), this.options);
  }
}

import { nearest } from "../layout/fault.ts";
import { CliError } from "./cli-error.ts";

/**
 * Whether a word stands for a name: any beginning of it does, the empty one too, as in bpftool. Where several names
 * begin so, the first one that is asked about is meant.
 */
export function isPrefix(word: string | undefined, name: string): boolean {
  return word !== undefined && name.startsWith(word);
}

/** The words of a command line, read from the first to the last. */
export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** How many are left. */
  get left(): number {
    return this.#words.length - this.#at;
  }

  /** The next word, or a later one, which stays; `undefined` behind the last. */
  peek(ahead = 0): string | undefined {
    return this.#words[this.#at + ahead];
  }

  /** The word before the next one. */
  get last(): string {
    return this.#words[this.#at - 1] ?? "";
  }

  /** Takes the next word. Throws when there is none, saying what was expected. */
  take(expected: string): string {
    const word = this.#words[this.#at];
    if (word === undefined) {
      const after = this.last === "" ? "" : ` after '${this.last}'`;
      throw new CliError(`expected ${expected}${after}`);
    }
    this.#at++;
    return word;
  }

  /** Whether the next word stands for a name. */
  is(name: string): boolean {
    return isPrefix(this.peek(), name);
  }

  /** Takes the next word when it stands for a name. */
  takeIf(name: string): boolean {
    if (!this.is(name)) return false;
    this.#at++;
    return true;
  }

  /** Takes the next word when it is this one, and not only its beginning. */
  takeExactly(word: string): boolean {
    if (this.peek() !== word) return false;
    this.#at++;
    return true;
  }

  /** Throws, in bpftool's words, when fewer words than that follow a command. */
  requireAtLeast(count: number, command: string, hint?: string): void {
    if (this.left >= count) return;
    throw new CliError(`'${command}' needs at least ${count} arguments, ${this.left} found`, { hint });
  }

  /** Throws when a word is left that nobody asked for. */
  requireEnd(): void {
    const word = this.peek();
    if (word !== undefined) throw new CliError(`what is '${word}'?`, { hint: "Nothing is expected there." });
  }

  /** The words that are left, which are taken. */
  takeRest(): string[] {
    const rest = this.#words.slice(this.#at);
    this.#at = this.#words.length;
    return rest;
  }
}

/** `Did you mean 'hash'?`, or what there is to choose from when nothing is near. */
export function suggestion(word: string, names: readonly string[]): string {
  const near = nearest(word, names);
  return near === undefined ? `It can be ${listed(names)}.` : `Did you mean '${near}'?`;
}

/** Names as a sentence has them: `a, b or c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

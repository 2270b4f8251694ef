import { CliError } from "../cli-error.ts";
import type { JsonValue } from "../output/json-writer.ts";

/** What ends a bare word. */
const DELIMITERS = /[\s,:{}[\]]/;
const WORD = /[^\s,{}[\]]+/y;
const NAME = /[^\s,:=(){}[\]"']+/y;
const SPACE = /\s*/y;
const INTEGER = /^-?(0|[1-9]\d*)$/;
const FLOAT = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Reads a value as JSON, exactly: integers beyond 2^53 are bigints. For those who type it, more is allowed: names without
 * quotes, `'…'`, and bare words, which are texts: `{src: 10.0.0.1, hits: 5}`. Throws a `CliError` that names the place.
 */
export function parseNotation(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/**
 * Reads a line of JSON: by `JSON.parse`, which is many times faster, unless there may be an integer in it that a number
 * does not hold.
 */
export function parseJsonLine(text: string): JsonValue {
  return /\d{16}/.test(text) ? parseNotation(text) : (JSON.parse(text) as JsonValue);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsonValue {
    this.#skip();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
      case "'":
        return this.#string();
      default:
        return scalar(this.#match(WORD, "a value"));
    }
  }

  end(): void {
    this.#skip();
    if (this.#at < this.#text.length) throw this.#refusal("the end");
  }

  #object(): JsonValue {
    const fields: [string, JsonValue][] = [];
    this.#at++;
    while (!this.#takeIf("}")) {
      const first = this.#text[this.#at];
      const name = first === '"' || first === "'" ? this.#string() : this.#match(NAME, "a name");
      if (!this.#takeIf(":") && !this.#takeIf("=")) throw this.#refusal("':'");
      fields.push([name, this.value()]);
      if (!this.#takeIf(",") && !this.#is("}")) throw this.#refusal("',' or '}'");
    }
    return Object.fromEntries(fields);
  }

  #array(): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    while (!this.#takeIf("]")) {
      items.push(this.value());
      if (!this.#takeIf(",") && !this.#is("]")) throw this.#refusal("',' or ']'");
    }
    return items;
  }

  #string(): string {
    const start = this.#at;
    const quote = this.#text[start] as string;
    let end = start + 1;
    for (; this.#text[end] !== quote; end++) {
      if (end >= this.#text.length) throw this.#refusal(`a closing ${quote}`);
      if (this.#text[end] === "\\") end++;
    }
    this.#at = end + 1;
    const inner = this.#text.slice(start + 1, end);
    const json = quote === '"' ? inner : inner.replaceAll("\\'", "'").replaceAll('"', '\\"');
    try {
      return JSON.parse(`"${json}"`) as string;
    } catch (error) {
      throw new CliError(`can't read ${quote}${inner}${quote}`, { hint: (error as Error).message, cause: error });
    }
  }

  #match(pattern: RegExp, expected: string): string {
    this.#skip();
    pattern.lastIndex = this.#at;
    const [match] = pattern.exec(this.#text) ?? [];
    if (match === undefined) throw this.#refusal(expected);
    this.#at += match.length;
    return match;
  }

  #is(token: string): boolean {
    this.#skip();
    return this.#text[this.#at] === token;
  }

  #takeIf(token: string): boolean {
    if (!this.#is(token)) return false;
    this.#at++;
    this.#skip();
    return true;
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #refusal(expected: string): CliError {
    const rest = this.#text.slice(this.#at);
    const word = rest.split(DELIMITERS)[0] || rest[0];
    const found = word === undefined ? "the end" : `'${word}'`;
    return new CliError(`can't read '${this.#text}'`, { hint: `${expected} is expected where ${found} stands.` });
  }
}

/** What a bare word means: a number, a constant of JSON, or itself. */
function scalar(word: string): JsonValue {
  if (word === "true") return true;
  if (word === "false") return false;
  if (word === "null") return null;
  if (INTEGER.test(word)) {
    const number = Number(word);
    return Number.isSafeInteger(number) ? number : BigInt(word);
  }
  return FLOAT.test(word) ? Number(word) : word;
}

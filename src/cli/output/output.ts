import type { CliError } from "../cli-error.ts";
import { styleOf } from "../terminal.ts";
import { JsonWriter } from "./json-writer.ts";
import type { OutputStream } from "./stream.ts";

/** Text is handed on in pieces of about this many characters. */
const PIECE = 1 << 13;

/** The output of one command line: results on one stream, complaints on the other; with `-j`, JSON for both on the first. */
export class Output {
  readonly isJson: boolean;
  readonly isPretty: boolean;
  /** For results; only with `-j`. */
  readonly json: JsonWriter;
  readonly results: OutputStream;
  readonly complaints: OutputStream;
  #pending = "";

  constructor(results: OutputStream, complaints: OutputStream, options: { isJson: boolean; isPretty: boolean }) {
    this.isJson = options.isJson;
    this.isPretty = options.isPretty;
    this.results = results;
    this.complaints = complaints;
    this.json = new JsonWriter((text) => this.text(text), options.isPretty);
  }

  /** Writes a part of the result. */
  text(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= PIECE) this.flush();
  }

  /** Writes a line of the result. */
  line(text = ""): void {
    this.text(`${text}\n`);
  }

  /** Whether results may be coloured. */
  hasColour(env: Readonly<Record<string, string | undefined>>): boolean {
    return !this.isJson && styleOf(this.results, env).hasColour;
  }

  /** Says that a command is done that has nothing to say: with `-j` that is `null`. */
  done(): void {
    if (this.isJson) this.json.value(null);
  }

  /** Tells a person something beside the result; programs that read JSON are not told. */
  note(text: string): void {
    if (this.isJson) return;
    this.flush();
    this.complaints.write(`${text}\n`);
  }

  /** Says why a command is not done. */
  error(error: CliError): void {
    const { message, code, hint } = error;
    if (this.isJson) {
      this.json.value({ error: message, code, hint });
      return;
    }
    this.flush();
    this.complaints.write(`Error: ${message}\n${hint === undefined ? "" : `       ${hint}\n`}`);
  }

  /** Hands on what is still pending. */
  flush(): void {
    const text = this.#pending;
    this.#pending = "";
    if (text !== "") this.results.write(text);
  }
}

/** A value as JSON writes it; a `bigint` is a number with all its digits. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

const INDENT = "    ";
/** A pretty value that is no longer than this stays on one line. */
const WIDTH = 100;

/** JSON on one line: as `JSON.stringify`, and with bigints. Fields that are `undefined` are left out. */
export function jsonText(value: JsonValue): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  return `{${fieldsOf(value)
    .map(([name, field]) => `${JSON.stringify(name)}:${jsonText(field)}`)
    .join(",")}}`;
}

/** JSON for people: what fits on a line is on a line, what does not is indented. */
export function prettyJson(value: JsonValue, indent = ""): string {
  const line = spaced(value);
  if (typeof value !== "object" || value === null || indent.length + line.length <= WIDTH) return line;
  const inner = indent + INDENT;
  const items = isArray(value)
    ? value.map((item) => prettyJson(item, inner))
    : fieldsOf(value).map(([name, field]) => `${JSON.stringify(name)}: ${prettyJson(field, inner)}`);
  const [open, close] = isArray(value) ? "[]" : "{}";
  return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
}

function spaced(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return jsonText(value);
  if (isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  const fields = fieldsOf(value).map(([name, field]) => `${JSON.stringify(name)}: ${spaced(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function fieldsOf(value: object): [string, JsonValue][] {
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

/** What is open: an array, or an object whose next value belongs to `name`. */
interface Container {
  readonly close: string;
  isEmpty: boolean;
  name?: string | undefined;
}

/** JSON that is written while it is found out: arrays and objects are opened, filled and closed. */
export class JsonWriter {
  readonly #write: (text: string) => void;
  readonly #isPretty: boolean;
  readonly #open: Container[] = [];

  constructor(write: (text: string) => void, isPretty: boolean) {
    this.#write = write;
    this.#isPretty = isPretty;
  }

  value(value: JsonValue): void {
    this.#item(this.#isPretty ? prettyJson(value, this.#indent) : jsonText(value));
  }

  beginArray(): void {
    this.#begin("[", "]");
  }

  beginObject(): void {
    this.#begin("{", "}");
  }

  /** What the next value in an object is called. */
  name(name: string): void {
    const container = this.#open.at(-1);
    if (container !== undefined) container.name = name;
  }

  /** Closes what was opened last. */
  end(): void {
    const container = this.#open.pop();
    if (container === undefined) return;
    this.#write(`${container.isEmpty ? "" : this.#newLine}${container.close}`);
    if (this.#open.length === 0) this.#write("\n");
  }

  /** Closes everything. */
  endAll(): void {
    while (this.#open.length > 0) this.end();
  }

  #begin(open: string, close: string): void {
    this.#item(open);
    this.#open.push({ close, isEmpty: true });
  }

  #item(text: string): void {
    const container = this.#open.at(-1);
    if (container === undefined) {
      this.#write(text === "[" || text === "{" ? text : `${text}\n`);
      return;
    }
    const comma = container.isEmpty ? "" : ",";
    const name = container.name === undefined ? "" : `${JSON.stringify(container.name)}:${this.#isPretty ? " " : ""}`;
    container.isEmpty = false;
    container.name = undefined;
    this.#write(`${comma}${this.#newLine}${name}${text}`);
  }

  get #indent(): string {
    return INDENT.repeat(this.#open.length);
  }

  get #newLine(): string {
    return this.#isPretty ? `\n${this.#indent}` : "";
  }
}

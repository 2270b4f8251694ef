/** The strings of a BTF while it is written: each once, the empty one first. */
export class StringTable {
  readonly #offsets: Map<string, number>;
  readonly #strings: Uint8Array[] = [];
  readonly #start: number;
  #end: number;

  /** Those of a split BTF follow its base's `start` bytes of strings and have no empty one of their own. */
  constructor(start = 0) {
    this.#start = start;
    this.#end = start;
    this.#offsets = new Map();
    if (start === 0) this.add("");
    else this.#offsets.set("", 0);
  }

  /** The offset of a string, which is added when it is new. */
  add(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) throw new RangeError(`BTF: ${JSON.stringify(text)} holds a NUL, which would end it`);
    const bytes = new TextEncoder().encode(`${text}\0`);
    const offset = this.#end;
    this.#offsets.set(text, offset);
    this.#strings.push(bytes);
    this.#end += bytes.length;
    return offset;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  copyTo(u8: Uint8Array, at: number): void {
    for (const bytes of this.#strings) {
      u8.set(bytes, at);
      at += bytes.length;
    }
  }
}

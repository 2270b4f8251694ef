import { writeSync } from "node:fs";

/** So many bytes are written at once. */
const PIECE = 1 << 16;
const NEWLINE = 0x0a;
/** The longest character in UTF-8, for one in UTF-16. */
const MOST_BYTES = 3;

/** Writes lines into a file from an offset on; they are put together in memory that serves again and again. */
export class LineWriter {
  readonly #fd: number;
  readonly #pending = Buffer.alloc(PIECE);
  #length = 0;
  #offset: number;

  constructor(fd: number, offset: number) {
    this.#fd = fd;
    this.#offset = offset;
  }

  /** Where the file ends when all is written. */
  get offset(): number {
    return this.#offset + this.#length;
  }

  line(text: string): void {
    const most = text.length * MOST_BYTES + 1;
    if (this.#length + most > PIECE) this.flush();
    if (most > PIECE) return this.#write(Buffer.from(`${text}\n`));
    this.#length += this.#pending.write(text, this.#length);
    this.#pending[this.#length++] = NEWLINE;
  }

  /** Writes what is pending. */
  flush(): void {
    const bytes = this.#pending.subarray(0, this.#length);
    this.#length = 0;
    this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const written = writeSync(this.#fd, bytes, at, bytes.length - at, this.#offset);
      at += written;
      this.#offset += written;
    }
  }
}

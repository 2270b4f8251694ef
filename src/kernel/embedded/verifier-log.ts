import { EFAULT, EINVAL, ENOSPC } from "../../abi/errno.ts";
import { BPF_LOG_FIXED, BPF_LOG_MASK } from "../../abi/flags.ts";
import type { Address, AddressSpace } from "../../memory/address-space.ts";
import { accessOk } from "./user-memory.ts";

/** `BPF_VERIFIER_TMP_LOG_SIZE`: so much at a time, its NUL included, goes through the kernel's own buffer. */
const PIECE_SIZE = 1024;
/** `UINT_MAX >> 2`. */
const GREATEST_SIZE = 0x3fff_ffff;

/**
 * Where the verifiers of programs and of BTF say what they find: a buffer of the caller's. When the text is longer than
 * that its end is kept, or with BPF_LOG_FIXED its beginning, and the command answers ENOSPC. `kernel/bpf/log.c`, 6.18.
 */
export class VerifierLog {
  readonly level: number;
  readonly #memory: AddressSpace;
  readonly #buffer: Address;
  readonly #size: number;
  #pieces: string[] = [];
  /** How much text there was, and how much of its beginning is no longer kept. */
  #length = 0;
  #dropped = 0;

  private constructor(memory: AddressSpace, level: number, buffer: Address, size: number) {
    this.level = level;
    this.#memory = memory;
    this.#buffer = buffer;
    this.#size = size;
  }

  /** The log that a caller asks for, or `−EINVAL`: a buffer needs a size, a size a buffer, and both a level. */
  static open(memory: AddressSpace, level: number, buffer: Address, size: number): VerifierLog | number {
    const hasBuffer = buffer !== 0;
    if (hasBuffer !== (size !== 0)) return -EINVAL;
    if (hasBuffer && level === 0) return -EINVAL;
    if ((level & ~BPF_LOG_MASK) !== 0 || size > GREATEST_SIZE) return -EINVAL;
    return new VerifierLog(memory, level, buffer, size);
  }

  /** Whether anyone reads it: what nobody reads need not be put into words. */
  get isNeeded(): boolean {
    return this.level !== 0;
  }

  /** Adds text, each character of which is a byte. */
  add(text: string): void {
    if (!this.isNeeded) return;
    const piece = text.length < PIECE_SIZE ? text : text.slice(0, PIECE_SIZE - 1);
    this.#length += piece.length;
    if (this.#buffer === 0) return;
    if ((this.level & BPF_LOG_FIXED) !== 0 && this.#length - piece.length >= this.#size) return;
    this.#pieces.push(piece);
    if (this.#length - this.#dropped > 4 * this.#size + PIECE_SIZE) this.#dropBeginning();
  }

  /** Writes the text into the caller's buffer: `bpf_vlog_finalize`. `trueSize` is how large it would have to be for all of it. */
  finish(): { readonly error: number; readonly trueSize: number } {
    if (!this.isNeeded) return { error: 0, trueSize: 0 };
    const trueSize = this.#length === 0 ? 0 : this.#length + 1;
    if (this.#buffer === 0 || trueSize === 0) return { error: 0, trueSize };
    const text = this.#kept();
    if (!accessOk(this.#memory, this.#buffer, text.length + 1)) return { error: -EFAULT, trueSize };
    const { u8 } = this.#memory;
    for (let i = 0; i < text.length; i++) u8[this.#buffer + i] = text.charCodeAt(i);
    u8[this.#buffer + text.length] = 0;
    return { error: trueSize > this.#size ? -ENOSPC : 0, trueSize };
  }

  #kept(): string {
    const text = this.#pieces.join("");
    const room = this.#size - 1;
    if (text.length <= room) return text;
    return (this.level & BPF_LOG_FIXED) !== 0 ? text.slice(0, room) : text.slice(text.length - room);
  }

  #dropBeginning(): void {
    if ((this.level & BPF_LOG_FIXED) !== 0) return;
    const kept = this.#kept();
    this.#dropped = this.#length - kept.length;
    this.#pieces = [kept];
  }
}

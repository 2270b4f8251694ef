import { define, refuse, requireLength } from "./define.ts";
import { type Fault, outOfRange, quote, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** Up to so many ASCII characters a loop is faster than a TextDecoder or a TextEncoder. */
const DECODE_LOOP_LENGTH = 8;
const ENCODE_LOOP_LENGTH = 32;

const LONE_SURROGATE = /\p{Surrogate}/u;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const texts = new WeakSet<object>();

/** What a string in `char[]` may be. */
export interface CstringOptions {
  /** Whether a NUL must follow the string, as C's functions on strings want it. Default true. */
  readonly terminated?: boolean;
}

/**
 * A string in `char[size]`: UTF-8, ended by a NUL that counts among the `size` bytes, the rest zero, so that equal
 * strings are equal keys. Reading stops at the first NUL, or at the end where a program has left none, as
 * `bpf_get_current_comm` never does; bytes that are not UTF-8 read as U+FFFD (`bytes` keeps them).
 *
 * With `terminated: false` a string may fill all `size` bytes, as names of fixed width do in C; layouts made from BTF
 * take such strings, so that whatever was read can be written back.
 *
 * A string that does not fit, NUL included, or that holds a NUL or half a surrogate pair is a `RangeError`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cstring } from "mapiary";
 *
 * const comm = cstring(16);
 * assert.equal(comm.decode(comm.encode("nginx")), "nginx");
 * assert.throws(() => comm.encode("a name beyond 15 bytes"), /22 bytes of UTF-8 and a NUL do not fit in 16/);
 * assert.deepEqual(cstring(4, { terminated: false }).encode("eth0"), Uint8Array.of(0x65, 0x74, 0x68, 0x30));
 * ```
 */
export function cstring(size: number, { terminated = true }: CstringOptions = {}): Layout<string> {
  requireLength("cstring", size, 1, 1);
  const name = terminated ? `cstring(${size})` : `cstring(${size}, { terminated: false })`;
  const room = terminated ? size - 1 : size;
  const layout: Layout<string> = define<string>({
    name,
    size,
    align: 1,
    read({ u8 }, address) {
      const limit = address + size;
      let end = address;
      while (end < limit && u8[end] !== 0) end++;
      return decode(u8, address, end);
    },
    write({ u8 }, address, value) {
      if (typeof value !== "string") refuse(layout, value);
      let length = encodeAscii(u8, address, value, room);
      if (length < 0) {
        if (fault(name, room, size, value) !== undefined) refuse(layout, value);
        length = encoder.encodeInto(value, u8.subarray(address, address + size)).written;
      }
      u8.fill(0, address + length, address + size);
    },
    fault: (value) => fault(name, room, size, value),
  });
  texts.add(layout);
  return layout;
}

/** Whether a layout is `cstring`. */
export function isTextLayout(layout: object): boolean {
  return texts.has(layout);
}

/** What keeps a value from being written where `room` bytes of `size` are for its characters. */
function fault(name: string, room: number, size: number, value: unknown): Fault | undefined {
  if (typeof value !== "string") return wrongKind(name, "a string", value);
  if (value.includes("\0")) return outOfRange(name, `${quote(value)} holds a NUL, which would end it`);
  if (LONE_SURROGATE.test(value))
    return outOfRange(name, `${quote(value)} holds half a surrogate pair, which UTF-8 cannot`);
  const length = utf8Length(value, room);
  if (length <= room) return undefined;
  const ending = room < size ? " and a NUL" : "";
  return outOfRange(name, `${quote(value)}: ${length} bytes of UTF-8${ending} do not fit in ${size}`);
}

/** How many bytes of UTF-8 a string makes; not counted when its very length shows that it fits. */
function utf8Length(text: string, room: number): number {
  return text.length * 3 <= room ? text.length : encoder.encode(text).length;
}

/** Writes a short string that is ASCII and fits; -1 for any other. */
function encodeAscii(u8: Uint8Array, address: number, text: string, room: number): number {
  const length = text.length;
  if (length > room || length > ENCODE_LOOP_LENGTH) return -1;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return -1;
    u8[address + i] = code;
  }
  return length;
}

function decode(u8: Uint8Array, start: number, end: number): string {
  if (end - start > DECODE_LOOP_LENGTH) return decodeAny(u8, start, end);
  let text = "";
  for (let at = start; at < end; at++) {
    const code = u8[at] as number;
    if (code > 0x7f) return decodeAny(u8, start, end);
    text += String.fromCharCode(code);
  }
  return text;
}

/** Decodes a copy: a TextDecoder refuses shared memory in browsers. */
function decodeAny(u8: Uint8Array, start: number, end: number): string {
  return decoder.decode(u8.slice(start, end));
}

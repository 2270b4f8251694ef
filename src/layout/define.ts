import type { Memory } from "../memory/address-space.ts";
import type { Inline } from "./code.ts";
import { type Fault, faultError, faultOf, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** What a layout of this directory is made of. `check`, `encode` and `decode` follow from it. */
export interface Definition<T> {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  /** Reads without looking at `this`, so that it can be taken off the layout. So does `write`. */
  readonly read: Layout<T>["read"];
  readonly write: Layout<T>["write"];
  /** What keeps a value from being written. */
  readonly fault: (value: unknown) => Fault | undefined;
  /** What keeps the bytes at an address from being read; a layout without parts leaves it out and just throws. */
  readFault?(memory: Memory, address: number): Fault | undefined;
  /** How it is written into the code of a struct or an array; without it, it is called. */
  readonly inline?: Inline;
}

/** A layout whose functions its definition can still replace. */
export type Defined<T> = { -readonly [K in keyof Layout<T>]: Layout<T>[K] };

/** The most bytes that a layout can have: sizes in `union bpf_attr` are `__u32`. */
export const LARGEST_SIZE = 0xffff_ffff;

const definitions = new WeakMap<object, Definition<unknown>>();

/** Makes a layout. */
export function define<T>(definition: Definition<T>): Defined<T> {
  const { name, size, align, read, write } = definition;
  const layout: Defined<T> = {
    name,
    size,
    align,
    read,
    write,
    check(value) {
      const fault = definition.fault(value);
      if (fault !== undefined) throw faultError(name, fault);
    },
    encode(value) {
      const bytes = new Uint8Array(size);
      layout.write(memoryOf(bytes), 0, value);
      return bytes;
    },
    decode(bytes) {
      if (!isBytes(bytes)) throw faultError(name, wrongKind(name, "a Uint8Array to decode", bytes));
      if (bytes.length !== size) throw new RangeError(`${name}: expected ${size} bytes to decode, got ${bytes.length}`);
      return layout.read(memoryOf(bytes), 0);
    },
  };
  definitions.set(layout, definition as Definition<unknown>);
  return layout;
}

/** The function that says what keeps a value from being written by `layout`, which may be of any make. */
export function faultFinder(layout: Layout<unknown>): (value: unknown) => Fault | undefined {
  return definitions.get(layout)?.fault ?? ((value) => faultThrownBy(() => layout.check(value)));
}

/** What keeps `layout`, which may be of any make, from reading the bytes at an address. */
export function readFaultIn(layout: Layout<unknown>, memory: Memory, address: number): Fault | undefined {
  const definition = definitions.get(layout);
  if (definition?.readFault !== undefined) return definition.readFault(memory, address);
  return faultThrownBy(() => layout.read(memory, address));
}

/** How a layout is written into generated code; `undefined` for one that can only be called. */
export function inlineOf(layout: Layout<unknown>): Inline | undefined {
  return definitions.get(layout)?.inline;
}

/** Throws what is wrong with a value that a layout's fast test did not pass. */
export function refuse(layout: Layout<unknown>, value: unknown): never {
  const fault = faultFinder(layout)(value);
  throw faultError(layout.name, fault ?? wrongKind(layout.name, "a value that keeps still", value));
}

/** Throws a `TypeError` that begins with `where` unless `layout` is one. */
export function requireLayout(layout: unknown, where: string): asserts layout is Layout<unknown> {
  if (!isLayout(layout)) throw faultError(where, wrongKind(where, "a layout", layout));
}

/** Whether a value looks like a layout: of this package, of another copy of it, or a user's own. */
export function isLayout(value: unknown): value is Layout<unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { name, size, align, read, write, check } = value as Partial<Record<keyof Layout<unknown>, unknown>>;
  if (typeof name !== "string" || !Number.isSafeInteger(size) || !Number.isSafeInteger(align)) return false;
  return [read, write, check].every((method) => typeof method === "function");
}

/** Throws a `RangeError` unless `length` elements of `size` bytes make a layout. */
export function requireLength(name: string, length: number, size: number, least = 0): void {
  if (typeof length !== "number") throw faultError(name, wrongKind(name, "a length", length));
  const most = size === 0 ? LARGEST_SIZE : Math.floor(LARGEST_SIZE / size);
  if (Number.isInteger(length) && length >= least && length <= most) return;
  throw new RangeError(`${name}: the length must be an integer from ${least} to ${most}, not ${length}`);
}

/** Whether a value is a Uint8Array, also one of another realm (a `vm` context, a frame). */
export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && tagOf(value) === "Uint8Array");
}

function tagOf(value: ArrayBufferView): string | undefined {
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
}

/** Bytes as a memory. The view is a plain Uint8Array even of a Buffer, whose `slice` would not copy. */
function memoryOf(bytes: Uint8Array): Memory {
  const { buffer, byteOffset, length } = bytes;
  return { u8: new Uint8Array(buffer, byteOffset, length), view: new DataView(buffer, byteOffset, length) };
}

function faultThrownBy(action: () => unknown): Fault | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

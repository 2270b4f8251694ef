import type { Memory } from "../memory/address-space.ts";
import { faultFinder, LARGEST_SIZE, refuse, requireLayout } from "./define.ts";
import { type Fault, fieldStep, quote, within, wrongKind } from "./fault.ts";
import type { Layout, Value } from "./layout.ts";
import { defineOfParts, partsOf } from "./layout-of-parts.ts";
import { named, type Part, partOf } from "./part.ts";
import { isSame } from "./part-code.ts";
import type { Fields, StructField } from "./struct.ts";

/** The layout of a union, which also says what it was made of. */
export interface UnionLayout<F extends Fields> extends Layout<{ [Name in keyof F]?: Value<F[Name]> }> {
  /** The layout of each member; all begin at offset 0. */
  readonly members: F;
}

/** How a union is called, and laid out when its members alone do not say it. */
export interface UnionOptions {
  /** The tag, for messages. */
  readonly name?: string;
  readonly size?: number;
  readonly align?: number;
}

/**
 * A C union: members that share their bytes. It reads as an object with all of them. It is written from an object with
 * one of them; bytes beyond that member become zero. Where several are given they must say the same bytes, as those of a
 * value that was read do, else it is a `RangeError` that names them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { array, u8, u32, union } from "mapiary";
 *
 * const address = union({ v4: u32, octets: array(u8, 4) });
 * assert.deepEqual(address.decode(address.encode({ octets: [10, 0, 0, 1] })), { v4: 0x0100000a, octets: [10, 0, 0, 1] });
 * assert.throws(() => address.encode({ v4: 1, octets: [10, 0, 0, 1] }), /v4 and octets say different bytes/);
 * ```
 */
export function union<F extends Fields>(members: F, options: UnionOptions = {}): UnionLayout<F> {
  const entries = Object.entries(members);
  for (const [member, layout] of entries) requireLayout(layout, `union: member ${member}`);
  const layout = unionOfParts(
    entries.map(([member, layout]) => named(member, layout)),
    options,
  );
  return Object.assign(layout, { members: Object.freeze({ ...members }) }) as unknown as UnionLayout<F>;
}

/** Whether a layout is a `union`, which says what its members are. */
export function isUnionLayout(layout: Layout<unknown>): layout is UnionLayout<Fields> {
  return partsOf(layout) !== undefined && "members" in layout;
}

/** The members of a union as fields, which all begin where it does. */
export function unionFields({ members }: UnionLayout<Fields>): StructField[] {
  return Object.entries(members).map(([name, layout]) => ({ name, offset: 0, layout }));
}

/** A union some of whose members may have no name. */
export function unionOfParts(parts: readonly Part[], options: UnionOptions = {}): Layout<Record<string, unknown>> {
  const align = options.align ?? Math.max(1, ...parts.map(({ layout }) => layout.align));
  const most = Math.max(0, ...parts.map(({ layout }) => layout.size));
  const size = options.size ?? Math.ceil(most / align) * align;
  const name = options.name === undefined ? "union" : `union ${options.name}`;
  if (most > size || size > LARGEST_SIZE) throw new RangeError(`${name}: its members do not fit in ${size} bytes`);
  const names = new Set(parts.flatMap((part) => part.names));
  const widestFirst = [...parts].sort((a, b) => b.layout.size - a.layout.size);
  const finders = new Map(parts.map((part) => [part, faultFinder(part.layout)]));

  const layout: Layout<Record<string, unknown>> = defineOfParts("union", parts, {
    name,
    size,
    align,
    write(memory, address, value) {
      const source = sourceOf(value);
      if (!("layout" in source)) return refuse(layout, value);
      memory.u8.fill(0, address, address + size);
      source.layout.write(memory, address, partOf(source, value));
    },
    fault(value) {
      const source = sourceOf(value);
      return "layout" in source ? undefined : source;
    },
  });
  return layout;

  /** The member to write: the widest from whose bytes all others that are given would be read; or what is wrong. */
  function sourceOf(value: unknown): Part | Fault {
    if (typeof value !== "object" || value === null) return wrongKind(name, "an object", value);
    const held = value as Record<string, unknown>;
    const stray = Object.keys(held).find((given) => !names.has(given));
    if (stray !== undefined) return { error: TypeError, path: "", message: `${name}: unknown member ${quote(stray)}` };
    const given = widestFirst.filter((part) => partOf(part, held) !== undefined);
    let first: Fault | undefined;
    for (const part of given) {
      const fault = finders.get(part)?.(partOf(part, held));
      if (fault === undefined && agrees(part, given, held)) return part;
      if (fault !== undefined) first ??= part.isAnonymous ? fault : within(fieldStep(part.names[0] as string), fault);
    }
    if (given.length === 0) return { error: TypeError, path: "", message: `${name}: none of its members is given` };
    const listing = given.map((part) => part.names.join(", ")).join(" and ");
    const message = `${name}: ${listing} say different bytes; give the one that counts`;
    return first ?? { error: RangeError, path: "", message };
  }

  function agrees(source: Part, given: readonly Part[], value: Record<string, unknown>): boolean {
    if (given.length === 1) return true;
    const bytes = new Uint8Array(size);
    bytes.set(source.layout.encode(partOf(source, value)));
    const memory = memoryOf(bytes);
    return given.every((other) => isSame(other.layout.read(memory, 0), partOf(other, value)));
  }
}

function memoryOf(u8: Uint8Array): Memory {
  return { u8, view: new DataView(u8.buffer, u8.byteOffset, u8.byteLength) };
}

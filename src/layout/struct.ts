import { isBitfield } from "./bitfield.ts";
import type { Inline } from "./code.ts";
import { defineComposite } from "./compile.ts";
import { faultFinder, inlineOf, isLayout, LARGEST_SIZE, readFaultIn, refuse, requireLayout } from "./define.ts";
import { type Fault, fieldStep, nearest, quote, within, wrongKind } from "./fault.ts";
import type { Layout, Value } from "./layout.ts";

const LONGEST_LISTING = 120;

/** The fields of a struct: name to layout, in the order in which they lie. */
export type Fields = Readonly<Record<string, Layout<unknown>>>;

/** A field of a struct and where it lies. */
export interface StructField<Name = string, L = Layout<unknown>> {
  readonly name: Name;
  /** `offsetof` in bytes. */
  readonly offset: number;
  readonly layout: L;
}

/** The layout of a struct, which also says what it was made of. */
export interface StructLayout<F extends Fields> extends Layout<{ -readonly [Name in keyof F]: Value<F[Name]> }> {
  /** The fields in the order in which they lie, each with its offset. */
  readonly fields: readonly { [Name in keyof F]: StructField<Name, F[Name]> }[keyof F][];
}

/** How a struct is laid out and called. */
export interface StructOptions {
  /** `__attribute__((packed))`: no padding, and alignment 1. Default false. */
  readonly packed?: boolean;
  /** The tag, for messages: `struct flow` instead of all its fields. */
  readonly name?: string;
}

/**
 * A C struct: fields in their order, each at the next multiple of its alignment, and padding behind the last so that
 * the size is a multiple of the greatest alignment, as the C compiler and BTF have it. Padding is written as zeros,
 * without which two equal keys would not be equal to the kernel.
 *
 * A value is an object with exactly the struct's fields; a missing field and an unknown one throw a `TypeError`.
 * Reading makes a fresh object. `fields` tells the offsets.
 *
 * A field cannot be named `__proto__`, which object literals keep for themselves, nor by an integer, which objects put
 * before all other names; neither is an identifier in C.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { bool, struct, u64, type Value } from "mapiary";
 *
 * const counter = struct({ seen: bool, hits: u64 });
 * const value: Value<typeof counter> = { seen: true, hits: 3n };
 *
 * assert.equal(counter.size, 16);
 * assert.deepEqual(counter.fields.map(({ name, offset }) => [name, offset]), [["seen", 0], ["hits", 8]]);
 * assert.deepEqual(counter.decode(counter.encode(value)), value);
 * assert.throws(() => counter.check({ ...value, hits: -1n }), /field hits: u64: -1 is out of range/);
 * ```
 */
export function struct<F extends Fields>(fields: F, options: StructOptions = {}): StructLayout<F> {
  const { packed = false } = options;
  const name = structName(fields, options);
  const placed: StructField[] = [];
  let end = 0;
  let align = 1;
  for (const [field, layout] of Object.entries(fields)) {
    requireLayout(layout, `struct: field ${field}`);
    const alignment = packed ? 1 : layout.align;
    const offset = roundUp(end, alignment);
    placed.push({ name: field, offset, layout });
    align = Math.max(align, alignment);
    end = offset + layout.size;
  }
  return structAt(name, placed, roundUp(end, align), align) as Layout<unknown> as StructLayout<F>;
}

/**
 * A struct whose fields lie where they are said to, for layouts that come from a compiler rather than from the rules:
 * BTF. What no field covers is padding. Throws a `RangeError` when a field reaches beyond `size`.
 */
export function structAt(
  name: string,
  fields: readonly StructField[],
  size: number,
  align: number,
): StructLayout<Fields> {
  for (const field of fields) requireField(name, field, size);
  if (!(size <= LARGEST_SIZE)) throw new RangeError(`${name}: ${size} bytes are more than ${LARGEST_SIZE}`);
  const names = new Set(fields.map((field) => field.name));
  if (names.size < fields.length) throw new TypeError(`${name}: two fields have the same name`);
  const gaps = gapsBetween(fields, size);
  const blank = Object.fromEntries(fields.map((field) => [field.name, undefined as unknown]));
  const faultFinders = fields.map((field) => [field.name, faultFinder(field.layout)] as const);

  const layout: Layout<Record<string, unknown>> = defineComposite<Record<string, unknown>>({
    name,
    size,
    align,
    inline: inlineStruct(fields, gaps, (value) => strayName(value, names) !== undefined),
    read(memory, address) {
      const value = { ...blank };
      for (const { name, offset, layout } of fields) value[name] = layout.read(memory, address + offset);
      return value;
    },
    write(memory, address, value) {
      if (shapeFault(name, names, value) !== undefined) refuse(layout, value);
      for (const { offset, length } of gaps) memory.u8.fill(0, address + offset, address + offset + length);
      for (const field of fields) {
        const held = value[field.name];
        if (held === undefined) refuse(layout, value);
        field.layout.write(memory, address + field.offset, held);
      }
    },
    fault(value) {
      const fault = shapeFault(name, names, value);
      if (fault !== undefined) return fault;
      for (const [field, findFault] of faultFinders) {
        const held = (value as Record<string, unknown>)[field];
        if (held === undefined) return missingField(name, field);
        const fault = findFault(held);
        if (fault !== undefined) return within(fieldStep(field), fault);
      }
      return undefined;
    },
    readFault(memory, address) {
      for (const { name, offset, layout } of fields) {
        const fault = readFaultIn(layout, memory, address + offset);
        if (fault !== undefined) return within(fieldStep(name), fault);
      }
      return undefined;
    },
  });
  const frozen = Object.freeze(fields.map((field) => Object.freeze({ ...field })));
  return Object.assign(layout, { fields: frozen });
}

/** Whether a layout is that of a struct, which says where its fields lie. */
export function isStructLayout(layout: Layout<unknown>): layout is StructLayout<Fields> {
  return Array.isArray((layout as Partial<StructLayout<Fields>>).fields);
}

interface Gap {
  readonly offset: number;
  readonly length: number;
}

/** The bytes that no field covers. */
function gapsBetween(fields: readonly StructField[], size: number): Gap[] {
  const gaps: Gap[] = [];
  let covered = 0;
  // Bitfields share their bytes: those are cleared first, and then hold what each adds.
  const whole = fields.filter(({ layout }) => !isBitfield(layout));
  for (const { offset, layout } of whole.sort((a, b) => a.offset - b.offset)) {
    if (offset > covered) gaps.push({ offset: covered, length: offset - covered });
    covered = Math.max(covered, offset + layout.size);
  }
  if (size > covered) gaps.push({ offset: covered, length: size - covered });
  return gaps;
}

function inlineStruct(
  fields: readonly StructField[],
  gaps: readonly Gap[],
  isStray: (value: object) => boolean,
): Inline {
  return {
    weight: fields.reduce((sum, { layout }) => sum + (inlineOf(layout)?.weight ?? 1), 0),
    read(code, { base, offset: start }) {
      const properties = fields.map(
        ({ name, offset, layout }) => `${JSON.stringify(name)}: ${code.read(layout, { base, offset: start + offset })}`,
      );
      return `{ ${properties.join(", ")} }`;
    },
    write(code, value, place) {
      code.require(`typeof ${value} === "object" && ${value} !== null`);
      // As many names as fields, none of them undefined: no other name, unless a field is inherited (the accessor of a
      // class). Then the count is most likely wrong, and the names are looked at.
      const count = `Object.keys(${value}).length === ${fields.length}`;
      code.require(`${count} || !${code.constant(isStray)}(${value})`);
      if (place !== undefined) {
        for (const { offset, length } of gaps) code.zero({ base: place.base, offset: place.offset + offset }, length);
      }
      for (const { name, offset, layout } of fields) {
        const at = place && { base: place.base, offset: place.offset + offset };
        code.write(layout, `${value}[${JSON.stringify(name)}]`, at);
      }
    },
  };
}

/** What keeps a value from being an object without unknown fields. */
function shapeFault(struct: string, names: ReadonlySet<string>, value: unknown): Fault | undefined {
  if (typeof value !== "object" || value === null) return wrongKind(struct, "an object", value);
  const stray = strayName(value, names);
  return stray === undefined ? undefined : unknownField(struct, names, stray);
}

/** A name that a value has itself and the struct has not. */
function strayName(value: object, names: ReadonlySet<string>): string | undefined {
  for (const name of Object.keys(value)) if (!names.has(name)) return name;
  return undefined;
}

function unknownField(struct: string, names: ReadonlySet<string>, stray: string): Fault {
  const near = nearest(stray, names);
  const advice = near === undefined ? "" : `; did you mean ${near}?`;
  return { error: TypeError, path: "", message: `${struct}: unknown field ${stray}${advice}` };
}

function missingField(struct: string, name: string): Fault {
  return { error: TypeError, path: "", message: `${struct}: field ${name} is missing` };
}

function requireField(struct: string, { name, offset, layout }: StructField, size: number): void {
  if (name === "__proto__") throw unnameable(struct, name, "object literals keep that name for themselves");
  if (/^(0|[1-9]\d*)$/.test(name)) throw unnameable(struct, name, "objects put integers before all other names");
  if (offset + layout.size <= size) return;
  throw new RangeError(`${struct}: field ${name} ends at ${offset + layout.size}, beyond its ${size} bytes`);
}

function unnameable(struct: string, name: string, reason: string): TypeError {
  return new TypeError(`${struct}: a field cannot be named ${quote(name)}: ${reason}`);
}

function structName(fields: Fields, { packed, name }: StructOptions): string {
  if (typeof fields !== "object" || fields === null) throw new TypeError("struct: expected its fields as an object");
  if (isLayout(Object.getPrototypeOf(fields))) {
    throw unnameable("struct", "__proto__", "object literals keep that name for themselves");
  }
  if (name !== undefined) return `struct ${name}`;
  const listing = Object.entries(fields).map(([field, layout]) => `${field}: ${layout?.name}`);
  const keyword = packed ? "packed struct" : "struct";
  return listing.length === 0 ? `${keyword} {}` : `${keyword} { ${cut(listing.join(", "))} }`;
}

function cut(listing: string): string {
  return listing.length <= LONGEST_LISTING ? listing : `${listing.slice(0, LONGEST_LISTING)}…`;
}

function roundUp(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

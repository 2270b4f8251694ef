import { array } from "../layout/array.ts";
import { bitfield, bitfieldAs } from "../layout/bitfield.ts";
import { bytes } from "../layout/bytes.ts";
import { i128, u128 } from "../layout/int128.ts";
import type { Layout } from "../layout/layout.ts";
import { openEnum } from "../layout/open-enum.ts";
import { named, type Part } from "../layout/part.ts";
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "../layout/scalar.ts";
import { structAt } from "../layout/struct.ts";
import { structOfParts } from "../layout/struct-of-parts.ts";
import { cstring } from "../layout/text.ts";
import { unionOfParts } from "../layout/union.ts";
import { i64, u64 } from "../layout/wide.ts";
import type { Btf } from "./btf.ts";
import type { BtfComposite, BtfEnum, BtfEnum64, BtfInt, BtfMember, BtfSection } from "./btf-type.ts";
import { isSpecialField } from "./special-types.ts";
import { typeNamed } from "./type-named.ts";

type AnyLayout = Layout<unknown>;

const UNSIGNED: Readonly<Record<number, AnyLayout>> = erased({ 1: u8, 2: u16, 4: u32, 8: u64, 16: u128 });
const SIGNED: Readonly<Record<number, AnyLayout>> = erased({ 1: i8, 2: i16, 4: i32, 8: i64, 16: i128 });
const FLOATS: Readonly<Record<number, AnyLayout>> = erased({ 4: f32, 8: f64 });
/** Types lie inside one another no deeper than Linux lets them. */
const GREATEST_DEPTH = 32;

/**
 * How values of a type lie in bytes: structs as objects, with the members of anonymous ones as if they were their own;
 * unions as objects with every member, of which one is enough to write; enums by name, numbers without a name as
 * numbers; `char[]` as strings, `unsigned char[]` as bytes; pointers and 64-bit integers as `bigint`; bitfields as
 * numbers. What only programs may touch – locks, timers, pointers of programs – is left out. A member of no size, as the
 * array at a flexible end, is left out too.
 *
 * What has no such layout is bytes: a float of 16 bytes, a type without a size has none.
 *
 * The type is given by its id, or by its name as C has it: `"struct event"`, `"enum kind"`, `"pid_t"`. Throws a `TypeError`
 * for a name that no type has.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Btf, BtfBuilder, layoutOfType } from "mapiary";
 *
 * const builder = new BtfBuilder();
 * const u32 = builder.add({ kind: "int", name: "__u32", size: 4, bits: 32 });
 * const members = [{ name: "pid", type: u32, bitOffset: 0, bitfieldSize: 0 }];
 * builder.add({ kind: "struct", name: "event", size: 4, members });
 *
 * const event = layoutOfType(new Btf(builder.encode()), "struct event");
 * assert.deepEqual(event.decode(Uint8Array.of(42, 0, 0, 0)), { pid: 42 });
 * ```
 */
export function layoutOfType(btf: Btf, type: number | string): AnyLayout {
  return new TypeReader(btf).layout(typeof type === "string" ? typeNamed(btf, type) : type, 0);
}

/** More members than any struct has with all that lies in it. A few types can say many more, each of which would take its time. */
const MOST_MEMBERS = 2 ** 16;

class TypeReader {
  readonly #btf: Btf;
  /** Each type once, however often it lies in another. */
  readonly #layouts = new Map<number, AnyLayout>();
  #members = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  layout(id: number, depth: number): AnyLayout {
    const known = this.#layouts.get(id);
    if (known !== undefined) return known;
    const layout = this.#make(id, depth);
    this.#layouts.set(id, layout);
    return layout;
  }

  #make(id: number, depth: number): AnyLayout {
    if (depth > GREATEST_DEPTH) throw this.#btf.error(id, `more than ${GREATEST_DEPTH} types, one in the other`);
    const type = this.#btf.type(this.#btf.resolve(id));
    switch (type.kind) {
      case "int":
        return intLayout(type);
      case "ptr":
        return u64 as AnyLayout;
      case "float":
        return FLOATS[type.size] ?? (bytes(type.size) as AnyLayout);
      case "enum":
      case "enum64":
        return enumLayout(type);
      case "array":
        return this.#array(type.type, type.length, depth);
      case "struct":
      case "union":
        return this.#composite(id, type, depth);
      case "datasec":
        return this.#section(type, depth);
      case "var":
        return this.layout(type.type, depth + 1);
      default:
        return bytes(this.#btf.sizeOf(id) ?? 0) as AnyLayout;
    }
  }

  #array(of: number, length: number, depth: number): AnyLayout {
    const type = this.#btf.type(this.#btf.resolve(of));
    if (type.kind === "int" && type.size === 1 && !type.isBool) {
      if (type.isChar || type.name === "char")
        return (length === 0 ? bytes(0) : cstring(length, { terminated: false })) as AnyLayout;
      if (!type.isSigned) return bytes(length) as AnyLayout;
    }
    return array(this.layout(of, depth + 1), length) as AnyLayout;
  }

  #composite(id: number, type: BtfComposite, depth: number): AnyLayout {
    const tag = type.name === "" ? type.kind : `${type.kind} ${type.name}`;
    const align = this.#btf.alignOf(id);
    const parts = this.#parts(type, 0, depth, new Set());
    if (type.kind === "union") {
      return unionOfParts(parts, { size: type.size, align, ...(type.name && { name: type.name }) }) as AnyLayout;
    }
    if (parts.some(({ isAnonymous }) => isAnonymous)) return structOfParts(tag, parts, type.size, align) as AnyLayout;
    const fields = parts.map(({ names: [name], offset, layout }) => ({ name: name as string, offset, layout }));
    return structAt(tag, fields, type.size, align) as AnyLayout;
  }

  /** The members of a struct or union that lies `start` bytes into what it adds its members to, which has those of `names`. */
  #parts({ kind, members }: BtfComposite, start: number, depth: number, names: Set<string>): Part[] {
    this.#members += members.length;
    if (this.#members > MOST_MEMBERS) throw new RangeError(`BTF: more than ${MOST_MEMBERS} members in one type`);
    if (depth > GREATEST_DEPTH) throw new RangeError(`BTF: more than ${GREATEST_DEPTH} types, one in the other`);
    return members.flatMap((member) => this.#part(kind, member, start, depth, names));
  }

  #part(kind: "struct" | "union", member: BtfMember, start: number, depth: number, names: Set<string>): Part[] {
    const btf = this.#btf;
    if (member.name !== "" && names.has(member.name))
      throw new RangeError(`BTF: two members are called ${member.name}`);
    names.add(member.name);
    if (isSpecialField(btf, member.type)) return [];
    const size = btf.sizeOf(member.type);
    const type = btf.type(btf.resolve(member.type));
    const bits = bitfieldSize(member, type);
    if (bits !== undefined) {
      // Bits without a name are padding.
      return member.name === "" ? [] : [bitfieldPart(member, type, bits, start)];
    }
    const offset = start + member.bitOffset / 8;
    if (size === 0 || size === undefined) return [];
    if (member.name !== "") return [named(member.name, this.layout(member.type, depth + 1), offset)];
    if (type.kind !== "struct" && type.kind !== "union") return [];
    // The members of an anonymous struct in a struct are simply some more; a union's share their place and stay together.
    if (kind === "struct" && type.kind === "struct") return this.#parts(type, offset, depth + 1, names);
    const inside = this.#parts(type, 0, depth + 1, names).flatMap((part) => part.names);
    if (inside.length === 0) return [];
    return [{ names: inside, isAnonymous: true, offset, layout: this.layout(member.type, depth + 1) }];
  }

  #section({ name, size, variables }: BtfSection, depth: number): AnyLayout {
    const fields = variables.flatMap(({ type, offset, size }) => {
      const variable = this.#btf.type(type);
      if (variable.kind !== "var" || size === 0 || isSpecialField(this.#btf, variable.type)) return [];
      return [{ name: variable.name, offset, layout: this.layout(variable.type, depth + 1) }];
    });
    return structAt(`section ${name}`, fields, size, 8) as AnyLayout;
  }
}

/** How many bits a member has when it is a bitfield, in either of BTF's ways of saying so. */
function bitfieldSize({ bitOffset, bitfieldSize }: BtfMember, type: { readonly kind: string }): number | undefined {
  if (bitfieldSize > 0) return bitfieldSize;
  if (type.kind !== "int") return undefined;
  const int = type as BtfInt;
  const isWhole = bitOffset % 8 === 0 && int.bitOffset === 0 && int.bits === int.size * 8;
  return isWhole ? undefined : int.bits;
}

function bitfieldPart(
  { name, bitOffset }: BtfMember,
  type: { readonly kind: string },
  bits: number,
  start: number,
): Part {
  const first = bitOffset + (type.kind === "int" ? (type as BtfInt).bitOffset : 0);
  const isSigned = (type.kind === "int" || type.kind === "enum") && (type as BtfInt | BtfEnum).isSigned;
  const number = bitfield(first % 8, bits, { signed: isSigned });
  return named(name, bitfieldLayout(number, type), start + Math.floor(first / 8));
}

function bitfieldLayout(number: Layout<number | bigint>, type: { readonly kind: string }): AnyLayout {
  if (type.kind === "enum" || type.kind === "enum64") {
    const fits = (type as BtfEnum).values.filter(({ value }) => isFit(number, value));
    const names = Object.fromEntries(fits.map(({ name, value }) => [name, value]));
    return bitfieldAs(openEnum(names, number)) as AnyLayout;
  }
  return number as AnyLayout;
}

function isFit(layout: Layout<number | bigint>, value: number | bigint): boolean {
  try {
    layout.check(value);
    return true;
  } catch {
    return false;
  }
}

function intLayout({ size, isSigned, isBool }: BtfInt): AnyLayout {
  if (isBool && size === 1) return bool as AnyLayout;
  return (isSigned ? SIGNED : UNSIGNED)[size] ?? (bytes(size) as AnyLayout);
}

function enumLayout({ size, isSigned, values }: BtfEnum | BtfEnum64): AnyLayout {
  const underlying = (isSigned ? SIGNED : UNSIGNED)[size] as Layout<number | bigint> | undefined;
  if (underlying === undefined) return bytes(size) as AnyLayout;
  const numbers = values.map(({ name, value }) => [name, size === 8 ? BigInt(value) : Number(value)] as const);
  const fitting = numbers.filter(([, value]) => isFit(underlying, value));
  return openEnum(Object.fromEntries(fitting), underlying) as AnyLayout;
}

function erased(layouts: Record<number, Layout<number> | Layout<bigint>>): Record<number, AnyLayout> {
  return layouts as Record<number, AnyLayout>;
}

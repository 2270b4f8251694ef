import { ipv4, ipv6, mac } from "../layout/address.ts";
import { isArrayLayout } from "../layout/array.ts";
import { i16be, i32be, u16be, u32be } from "../layout/big-endian.ts";
import { isBytesLayout } from "../layout/bytes.ts";
import { cidr, cidr6 } from "../layout/cidr.ts";
import { isEnumLayout } from "../layout/enum.ts";
import { i128, u128 } from "../layout/int128.ts";
import type { Layout } from "../layout/layout.ts";
import { isOpenEnumLayout, type OpenEnumLayout } from "../layout/open-enum.ts";
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "../layout/scalar.ts";
import { isStructLayout, type StructField } from "../layout/struct.ts";
import { isTextLayout } from "../layout/text.ts";
import { isUnionLayout, unionFields } from "../layout/union.ts";
import { i64, i64be, u64, u64be } from "../layout/wide.ts";
import { BtfBuilder, type BtfTypeSpec } from "./btf-builder.ts";

type AnyLayout = Layout<unknown>;

interface Int {
  readonly name: string;
  readonly isSigned?: boolean;
  readonly isBool?: boolean;
}

const U8: Int = { name: "unsigned char" };
const U16: Int = { name: "unsigned short" };
const U32: Int = { name: "unsigned int" };
const U64: Int = { name: "unsigned long long" };
const I16: Int = { name: "short", isSigned: true };
const I32: Int = { name: "int", isSigned: true };
const I64: Int = { name: "long long", isSigned: true };

/** The integers of C that layouts are; of those in network order, by the name that says so. */
const INTS = new Map<object, Int & { readonly typedef?: string }>([
  [u8, U8],
  [u16, U16],
  [u32, U32],
  [u64, U64],
  [u64.number, U64],
  [u128, { name: "unsigned __int128" }],
  [i8, { name: "signed char", isSigned: true }],
  [i16, I16],
  [i32, I32],
  [i64, I64],
  [i64.number, I64],
  [i128, { name: "__int128", isSigned: true }],
  [bool, { name: "_Bool", isBool: true }],
  [u16be, { ...U16, typedef: "__be16" }],
  [u32be, { ...U32, typedef: "__be32" }],
  [u64be, { ...U64, typedef: "__be64" }],
  [u64be.number, { ...U64, typedef: "__be64" }],
  [i16be, { ...I16, typedef: "__be16" }],
  [i32be, { ...I32, typedef: "__be32" }],
  [i64be, { ...I64, typedef: "__be64" }],
  [i64be.number, { ...I64, typedef: "__be64" }],
  [ipv4, { ...U32, typedef: "__be32" }],
]);

const FLOATS = new Map<object, string>([
  [f32, "float"],
  [f64, "double"],
]);

/** What Linux takes for a name of a type or member. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The types of the keys and values of a map, as BTF; ids are 0 where there are none. */
export interface LayoutTypes {
  readonly bytes: Uint8Array;
  readonly keyType: number;
  readonly valueType: number;
}

/** BTF for the keys and values of a map; `undefined` when it cannot say what one of them is. */
export function layoutTypes(key: AnyLayout | undefined, value: AnyLayout): LayoutTypes | undefined {
  const writer = new TypeWriter();
  const keyType = key === undefined ? 0 : writer.type(key);
  const valueType = writer.type(value);
  if (keyType === undefined || valueType === undefined) return undefined;
  return { bytes: writer.builder.encode(), keyType, valueType };
}

class TypeWriter {
  readonly builder = new BtfBuilder();
  readonly #layouts = new Map<object, number>();
  readonly #names = new Map<string, number>();

  /** The id of the type that a layout is; `undefined` when BTF cannot say it. */
  type(layout: AnyLayout): number | undefined {
    const known = this.#layouts.get(layout);
    if (known !== undefined) return known;
    const id = this.#add(layout);
    if (id !== undefined) this.#layouts.set(layout, id);
    return id;
  }

  #add(layout: AnyLayout): number | undefined {
    const int = INTS.get(layout);
    if (int !== undefined) return this.#int(int, layout.size);
    const float = FLOATS.get(layout);
    if (float !== undefined) return this.builder.add({ kind: "float", name: float, size: layout.size });
    if (isTextLayout(layout)) return this.#array(this.#int({ name: "char", isSigned: true }, 1), layout.size);
    if (isBytesLayout(layout) || layout === (mac as AnyLayout)) return this.#array(this.#byte(), layout.size);
    if (layout === (ipv6 as AnyLayout)) return this.#struct("in6_addr", [["s6_addr", 16]]);
    if (layout === (cidr as AnyLayout) || layout === (cidr6 as AnyLayout)) return this.#prefix(layout.size);
    if (isArrayLayout(layout)) {
      const of = this.type(layout.of);
      return of === undefined ? undefined : this.#array(of, layout.length);
    }
    if (isEnumLayout(layout)) return this.#enum(layout);
    if (isOpenEnumLayout(layout)) return this.#openEnum(layout);
    if (isUnionLayout(layout)) return this.#composite("union", layout, unionFields(layout));
    return isStructLayout(layout) ? this.#composite("struct", layout, layout.fields) : undefined;
  }

  #int({ name, isSigned = false, isBool = false, typedef }: Int & { readonly typedef?: string }, size: number): number {
    const id = this.#once({ kind: "int", name, size, isSigned, isBool });
    return typedef === undefined ? id : this.#once({ kind: "typedef", name: typedef, type: id });
  }

  #byte(): number {
    return this.#int(U8, 1);
  }

  #array(of: number, length: number): number {
    return this.builder.add({ kind: "array", type: of, indexType: this.#int(U32, 4), length });
  }

  /** A struct of byte arrays. */
  #struct(name: string, members: readonly (readonly [string, number])[]): number {
    let bitOffset = 0;
    const placed = members.map(([name, length]) => {
      const member = { name, type: this.#array(this.#byte(), length), bitOffset, bitfieldSize: 0 };
      bitOffset += length * 8;
      return member;
    });
    return this.builder.add({ kind: "struct", name, size: bitOffset / 8, members: placed });
  }

  #prefix(size: number): number {
    const members = [
      { name: "prefixlen", type: this.#int(U32, 4), bitOffset: 0, bitfieldSize: 0 },
      { name: "data", type: this.#array(this.#byte(), size - 4), bitOffset: 32, bitfieldSize: 0 },
    ];
    return this.builder.add({ kind: "struct", name: "bpf_lpm_trie_key", size, members });
  }

  #enum({
    names,
    size,
  }: {
    readonly names: Readonly<Record<string, number>>;
    readonly size: number;
  }): number | undefined {
    const values = Object.entries(names).map(([name, value]) => ({ name, value }));
    if (!values.every(({ name }) => IDENTIFIER.test(name))) return undefined;
    const isSigned = values.some(({ value }) => value < 0);
    return this.builder.add({ kind: "enum", name: "", size, isSigned, values });
  }

  /** An enum of any size; whose numbers may be negative is what its layout takes. */
  #openEnum({ names, size, underlying }: OpenEnumLayout<string, number | bigint>): number | undefined {
    const isNumber = INTS.has(underlying);
    const values = Object.entries(names).map(([name, value]) => ({ name, value: BigInt(value) }));
    if (!isNumber || !values.every(({ name }) => IDENTIFIER.test(name))) return undefined;
    const isSigned = INTS.get(underlying)?.isSigned ?? false;
    if (size === 8) return this.builder.add({ kind: "enum64", name: "", size, isSigned, values });
    const numbers = values.map(({ name, value }) => ({ name, value: Number(value) }));
    return this.builder.add({ kind: "enum", name: "", size, isSigned, values: numbers });
  }

  #composite(kind: "struct" | "union", { name, size }: AnyLayout, fields: readonly StructField[]): number | undefined {
    const members: { name: string; type: number; bitOffset: number; bitfieldSize: number }[] = [];
    for (const field of fields) {
      const type = this.type(field.layout);
      if (type === undefined || !IDENTIFIER.test(field.name)) return undefined;
      members.push({ name: field.name, type, bitOffset: field.offset * 8, bitfieldSize: 0 });
    }
    const [, tag = ""] = /^(?:struct|union) ([A-Za-z_][A-Za-z0-9_]*)$/.exec(name) ?? [];
    return this.builder.add({ kind, name: tag, size, members });
  }

  #once(type: BtfTypeSpec & { readonly name: string }): number {
    const known = this.#names.get(type.name);
    if (known !== undefined) return known;
    const id = this.builder.add(type);
    this.#names.set(type.name, id);
    return id;
  }
}

import {
  BTF_HEADER,
  BTF_INT_BOOL,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_KIND_NAMES,
  BTF_MAGIC,
  BTF_MAX_VLEN,
  BTF_VERSION,
} from "../abi/btf.ts";
import type { Btf } from "./btf.ts";
import { type BtfComposite, type BtfInt, type BtfType, type BtfVoid, LINKAGES } from "./btf-type.ts";
import { StringTable } from "./string-table.ts";

/** What `BtfBuilder.add` takes: a type as `Btf.type` gives it. Of an int, only what is not the usual need be said. */
export type BtfTypeSpec =
  | Exclude<BtfType, BtfInt | BtfVoid>
  | (Partial<BtfInt> & Pick<BtfInt, "kind" | "name" | "size">);

/**
 * Writes BTF. Types get ids from 1 in the order in which they are added, and may refer to ids that come later; each
 * name is written once.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Btf, BtfBuilder } from "mapiary";
 *
 * const builder = new BtfBuilder();
 * const u64 = builder.add({ kind: "int", name: "unsigned long long", size: 8 });
 * const members = [{ name: "packets", type: u64, bitOffset: 0, bitfieldSize: 0 }];
 * const traffic = builder.add({ kind: "struct", name: "traffic", size: 8, members });
 *
 * assert.equal(new Btf(builder.encode()).find("traffic", "struct"), traffic);
 * ```
 */
export class BtfBuilder {
  readonly #strings: StringTable;
  readonly #words: number[] = [];
  #nextId: number;

  /** With a `base`, what is written is split BTF: its ids begin behind the last of the base. */
  constructor(options: { readonly base?: Btf } = {}) {
    this.#strings = new StringTable(options.base?.stringsEnd);
    this.#nextId = options.base?.endId ?? 1;
  }

  /** The id that the next type will have. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Adds a type and answers its id. Throws a `RangeError` for what BTF has no room for. */
  add(type: BtfTypeSpec): number {
    this.#append(type);
    return this.#nextId++;
  }

  /** The offset of a string among those of the BTF, for `.BTF.ext`; it is added when it is new. */
  string(text: string): number {
    return this.#strings.add(text);
  }

  /** The BTF as bytes, in the byte order of x64 and arm64 unless the other is asked for. */
  encode(options: { readonly littleEndian?: boolean } = {}): Uint8Array<ArrayBuffer> {
    const { littleEndian = true } = options;
    const typeLength = this.#words.length * 4;
    const bytes = new Uint8Array(BTF_HEADER.SIZE + typeLength + this.#strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(BTF_HEADER.MAGIC, BTF_MAGIC, littleEndian);
    view.setUint8(BTF_HEADER.VERSION, BTF_VERSION);
    view.setUint32(BTF_HEADER.HDR_LEN, BTF_HEADER.SIZE, littleEndian);
    view.setUint32(BTF_HEADER.TYPE_LEN, typeLength, littleEndian);
    view.setUint32(BTF_HEADER.STR_OFF, typeLength, littleEndian);
    view.setUint32(BTF_HEADER.STR_LEN, this.#strings.length, littleEndian);
    for (const [index, word] of this.#words.entries()) view.setUint32(BTF_HEADER.SIZE + index * 4, word, littleEndian);
    this.#strings.copyTo(bytes, BTF_HEADER.SIZE + typeLength);
    return bytes;
  }

  #append(type: BtfTypeSpec): void {
    switch (type.kind) {
      case "int":
        this.#head(type.kind, type.name, type.size);
        return this.#push(intWord(type));
      case "ptr":
      case "typedef":
      case "volatile":
      case "const":
      case "restrict":
        return this.#head(type.kind, type.name, type.type);
      case "type_tag":
        return this.#head(type.kind, type.name, type.type, 0, type.isAttribute);
      case "array":
        this.#head(type.kind, "", 0);
        return this.#push(type.type, type.indexType, type.length);
      case "struct":
      case "union":
        return this.#composite(type);
      case "enum":
        this.#head(type.kind, type.name, type.size, type.values.length, type.isSigned);
        for (const { name, value } of type.values) this.#push(this.string(name), value);
        return;
      case "enum64":
        this.#head(type.kind, type.name, type.size, type.values.length, type.isSigned);
        for (const { name, value } of type.values) {
          this.#push(this.string(name), Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
        }
        return;
      case "fwd":
        return this.#head(type.kind, type.name, 0, 0, type.isUnion);
      case "func":
        return this.#head(type.kind, type.name, type.type, LINKAGES.indexOf(type.linkage));
      case "func_proto":
        this.#head(type.kind, "", type.type, type.params.length);
        for (const param of type.params) this.#push(this.string(param.name), param.type);
        return;
      case "var":
        this.#head(type.kind, type.name, type.type);
        return this.#push(LINKAGES.indexOf(type.linkage));
      case "datasec":
        this.#head(type.kind, type.name, type.size, type.variables.length);
        for (const variable of type.variables) this.#push(variable.type, variable.offset, variable.size);
        return;
      case "float":
        return this.#head(type.kind, type.name, type.size);
      case "decl_tag":
        this.#head(type.kind, type.name, type.type, 0, type.isAttribute);
        return this.#push(type.componentIndex);
    }
  }

  #composite({ kind, name, size, members }: BtfComposite): void {
    const hasBitfields = members.some(({ bitfieldSize }) => bitfieldSize > 0);
    const mostBits = hasBitfields ? 0xff_ffff : 0xffff_ffff;
    this.#head(kind, name, size, members.length, hasBitfields);
    for (const { name, type, bitOffset, bitfieldSize } of members) {
      if (bitOffset > mostBits || bitfieldSize > 0xff)
        throw new RangeError(`BTF: member ${name} lies beyond its reach`);
      this.#push(this.string(name), type, hasBitfields ? bitfieldSize * 2 ** 24 + bitOffset : bitOffset);
    }
  }

  /** The `struct btf_type` that every type begins with. */
  #head(kind: BtfTypeSpec["kind"], name: string, sizeOrType: number, vlen = 0, kindFlag = false): void {
    if (vlen > BTF_MAX_VLEN)
      throw new RangeError(`BTF: ${kind} ${name} has ${vlen} parts, at most ${BTF_MAX_VLEN} fit`);
    const info = (kindFlag ? 2 ** 31 : 0) + BTF_KIND_NAMES.indexOf(kind) * 2 ** 24 + vlen;
    this.#push(this.string(name), info, sizeOrType);
  }

  #push(...words: number[]): void {
    for (const word of words) this.#words.push(word);
  }
}

function intWord({ size, bits = size * 8, bitOffset = 0, isSigned, isChar, isBool }: BtfIntSpec): number {
  const encoding = (isSigned ? BTF_INT_SIGNED : 0) | (isChar ? BTF_INT_CHAR : 0) | (isBool ? BTF_INT_BOOL : 0);
  return (encoding << 24) | (bitOffset << 16) | bits;
}

type BtfIntSpec = Extract<BtfTypeSpec, { kind: "int" }>;

import { BTF_HEADER, BTF_KIND_NAMES, BTF_TYPE } from "../abi/btf.ts";
import { BtfError } from "./btf-error.ts";
import type { BtfKind, BtfType } from "./btf-type.ts";
import { decodeType } from "./decode-type.ts";
import { NameIndex } from "./name-index.ts";
import { type BtfBytes, btfBytes, headerLength, section } from "./sections.ts";
import { indexTypes } from "./type-index.ts";
import { TypeSizes } from "./type-sizes.ts";

const VOID: BtfType = { kind: "void" };

/** The kinds of a type of another name, or of the same with a promise about it: they change no byte. */
const TRANSPARENT: ReadonlySet<BtfKind> = new Set(["typedef", "volatile", "const", "restrict", "type_tag"]);
/** `MAX_RESOLVE_DEPTH` of libbpf: no type that anyone writes refers through so many others. */
const LONGEST_CHAIN = 32;

const decoder = new TextDecoder();

/**
 * Types in the BPF Type Format: of a map, of a program's object file, of a kernel (`/sys/kernel/btf/vmlinux`). Types have
 * ids, from 1 in the order in which they stand; id 0 is `void`.
 *
 * Making one costs a single pass over the bytes, which it keeps; types and names become objects when they are asked
 * for. Byte order is that of whoever wrote it. The split BTF of a kernel module or of anything else that builds on
 * another BTF needs that as `base`, and counts ids on from it.
 *
 * Throws a `BtfError` that says where the bytes are wrong and why.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Btf, BtfBuilder } from "mapiary";
 *
 * const builder = new BtfBuilder();
 * const int = builder.add({ kind: "int", name: "int", size: 4, bits: 32, isSigned: true });
 * const pid = builder.add({ kind: "typedef", name: "pid_t", type: int });
 *
 * const btf = new Btf(builder.encode());
 * assert.deepEqual(btf.type(pid), { kind: "typedef", name: "pid_t", type: int });
 * assert.equal(btf.resolve(btf.find("pid_t") ?? 0), int);
 * assert.equal(btf.sizeOf(pid), 4);
 * ```
 *
 * Source: Documentation/bpf/btf.rst and `include/uapi/linux/btf.h`, Linux 6.18.
 */
export class Btf {
  /** The bytes that it was made from. */
  readonly bytes: Uint8Array;
  /** What a split BTF builds on. */
  readonly base: Btf | undefined;
  /** One more than the id of the last type, those of the base included. */
  readonly endId: number;
  readonly isLittleEndian: boolean;
  readonly #bytes: BtfBytes;
  /** The id of the first type of its own. */
  readonly #firstId: number;
  readonly #offsets: Uint32Array;
  readonly #strings: number;
  /** @internal How many bytes of strings there are, those of the base included. */
  readonly stringsEnd: number;
  /** Where its own strings begin among them. */
  readonly #firstString: number;
  #names: NameIndex | undefined;
  #sizes: TypeSizes | undefined;

  constructor(bytes: Uint8Array, options: { readonly base?: Btf | undefined } = {}) {
    const { base } = options;
    this.bytes = bytes;
    this.base = base;
    this.#bytes = btfBytes(bytes, BTF_HEADER.SIZE, "BTF");
    this.isLittleEndian = this.#bytes.isLittleEndian;
    const header = headerLength(this.#bytes, BTF_HEADER.SIZE, "BTF");
    const types = section(this.#bytes, header, BTF_HEADER.TYPE_OFF, BTF_HEADER.TYPE_LEN);
    const strings = section(this.#bytes, header, BTF_HEADER.STR_OFF, BTF_HEADER.STR_LEN);
    const isEmpty = strings.end === strings.start;
    if (!isEmpty && bytes[strings.end - 1] !== 0)
      throw new BtfError(strings.end - 1, "the strings do not end with a NUL");
    if (base === undefined && (isEmpty || bytes[strings.start] !== 0)) {
      throw new BtfError(strings.start, "the strings do not begin with the empty one");
    }
    this.#strings = strings.start;
    this.#firstString = base === undefined ? 0 : base.stringsEnd;
    this.stringsEnd = this.#firstString + strings.end - strings.start;
    this.#firstId = base === undefined ? 1 : base.endId;
    const isName = (offset: number): boolean => offset < this.stringsEnd;
    this.#offsets = indexTypes(this.#bytes, types.start, types.end, this.#firstId, isName);
    this.endId = this.#firstId + this.#offsets.length;
  }

  /** The type of an id. Throws a `RangeError` for an id that no type has. */
  type(id: number): BtfType {
    if (id === 0) return VOID;
    if (id < this.#firstId && this.base !== undefined) return this.base.type(id);
    return decodeType(this.#bytes, this.#offsetOf(id), (offset) => this.string(offset));
  }

  /** The kind of a type, without making the type. */
  kindOf(id: number): BtfKind {
    if (id === 0) return "void";
    if (id < this.#firstId && this.base !== undefined) return this.base.kindOf(id);
    return BTF_KIND_NAMES[this.#byteOfKind(id) & 0x1f] as BtfKind;
  }

  /** The ids and types of its own, not of its base, in their order. */
  *types(): Generator<[id: number, type: BtfType], void, undefined> {
    for (let id = this.#firstId; id < this.endId; id++) yield [id, this.type(id)];
  }

  /** The id of the first type of a name, of its base before its own, of that kind when one is given; `undefined` when there is none. */
  find(name: string, kind?: BtfKind): number | undefined {
    for (const id of this.findAll(name, kind)) return id;
    return undefined;
  }

  /** The ids of every type of a name, ascending. */
  *findAll(name: string, kind?: BtfKind): Generator<number, void, undefined> {
    if (this.base !== undefined) yield* this.base.findAll(name, kind);
    this.#names ??= this.#indexNames();
    for (const index of this.#names.find(name)) {
      const id = this.#firstId + index;
      if (kind === undefined || this.kindOf(id) === kind) yield id;
    }
  }

  /** The string at an offset, as types and `.BTF.ext` refer to it. Throws a `RangeError` for an offset beyond the last. */
  string(offset: number): string {
    if (offset < this.#firstString && this.base !== undefined) return this.base.string(offset);
    if (!(offset >= 0 && offset < this.stringsEnd)) throw new RangeError(`BTF: there is no string at ${offset}`);
    const { bytes } = this;
    const start = this.stringPlace(offset);
    let end = start;
    let text = "";
    for (let byte = bytes[end] as number; byte !== 0; byte = bytes[++end] as number) {
      if (byte > 0x7f) return decoder.decode(bytes.slice(start, bytes.indexOf(0, end)));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** The id of what a type is behind typedefs, qualifiers and type tags. Throws a `BtfError` when they go round in a circle. */
  resolve(id: number): number {
    for (let steps = 0; steps < LONGEST_CHAIN; steps++) {
      if (!TRANSPARENT.has(this.kindOf(id))) return id;
      id = (this.type(id) as { readonly type: number }).type;
    }
    throw this.error(id, `more than ${LONGEST_CHAIN} typedefs and qualifiers in a row`);
  }

  /** `sizeof` in bytes; `undefined` for what has none: `void`, a function, a struct of which only the name is known. */
  sizeOf(id: number): number | undefined {
    return this.#typeSizes().sizeOf(id);
  }

  /** `alignof` in bytes, by the C ABI; BTF does not say it. 1 for a packed struct, and for what has no size. */
  alignOf(id: number): number {
    return this.#typeSizes().alignOf(id);
  }

  /** @internal The bytes in which the string at an offset lies, its base's or its own. */
  stringBytes(offset: number): Uint8Array {
    return offset < this.#firstString && this.base !== undefined ? this.base.stringBytes(offset) : this.bytes;
  }

  /** @internal Where in them it begins. */
  stringPlace(offset: number): number {
    if (offset < this.#firstString && this.base !== undefined) return this.base.stringPlace(offset);
    return this.#strings + offset - this.#firstString;
  }

  /** @internal What is wrong with a type, and where it stands. */
  error(id: number, reason: string): BtfError {
    if (id < this.#firstId && this.base !== undefined) return this.base.error(id, reason);
    return new BtfError(this.#offsetOf(id), `type ${id}: ${reason}`);
  }

  #typeSizes(): TypeSizes {
    this.#sizes ??= new TypeSizes(this);
    return this.#sizes;
  }

  #indexNames(): NameIndex {
    const { view, isLittleEndian } = this.#bytes;
    return new NameIndex(this, this.#offsets.length, (index) =>
      view.getUint32((this.#offsets[index] as number) + BTF_TYPE.NAME, isLittleEndian),
    );
  }

  #byteOfKind(id: number): number {
    const at = this.#offsetOf(id) + BTF_TYPE.INFO;
    return this.bytes[this.isLittleEndian ? at + 3 : at] as number;
  }

  #offsetOf(id: number): number {
    const offset = this.#offsets[id - this.#firstId];
    if (offset !== undefined) return offset;
    throw new RangeError(`BTF: there is no type ${id}; the last is ${this.endId - 1}`);
  }
}

import {
  BTF_INT_BOOL,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_KIND_ARRAY,
  BTF_KIND_CONST,
  BTF_KIND_DATASEC,
  BTF_KIND_DECL_TAG,
  BTF_KIND_ENUM,
  BTF_KIND_ENUM64,
  BTF_KIND_FLOAT,
  BTF_KIND_FUNC,
  BTF_KIND_FUNC_PROTO,
  BTF_KIND_FWD,
  BTF_KIND_INT,
  BTF_KIND_PTR,
  BTF_KIND_RESTRICT,
  BTF_KIND_STRUCT,
  BTF_KIND_TYPE_TAG,
  BTF_KIND_TYPEDEF,
  BTF_KIND_UNION,
  BTF_KIND_VAR,
  BTF_KIND_VOLATILE,
  BTF_TYPE,
} from "../../../abi/btf.ts";

const VOID = 0;
const POINTER_SIZE = 8;

/** Sets of kinds as bits. */
function kinds(...list: readonly number[]): number {
  return list.reduce((bits, kind) => bits | (1 << kind), 0);
}

const MODIFIERS = kinds(BTF_KIND_TYPEDEF, BTF_KIND_VOLATILE, BTF_KIND_CONST, BTF_KIND_RESTRICT, BTF_KIND_TYPE_TAG);
const COMPOSITES = kinds(BTF_KIND_STRUCT, BTF_KIND_UNION);
const WITHOUT_SIZE = kinds(VOID, BTF_KIND_FWD, BTF_KIND_FUNC, BTF_KIND_FUNC_PROTO);
const SOURCES_ONLY = kinds(BTF_KIND_VAR, BTF_KIND_DECL_TAG, BTF_KIND_DATASEC);
const TO_RESOLVE = MODIFIERS | COMPOSITES | SOURCES_ONLY | kinds(BTF_KIND_PTR, BTF_KIND_ARRAY, BTF_KIND_FUNC);
const WITH_SIZE = COMPOSITES | kinds(BTF_KIND_INT, BTF_KIND_ENUM, BTF_KIND_ENUM64, BTF_KIND_FLOAT, BTF_KIND_DATASEC);
const TAGGABLE = COMPOSITES | kinds(BTF_KIND_FUNC, BTF_KIND_VAR, BTF_KIND_TYPEDEF);

/**
 * BTF that someone loads, as words: what its types are, for checks that ask of them what Linux asks, in Linux's order
 * (`kernel/bpf/btf.c`, 6.18). Each type is known by its id; 0 is `void`. Which ids there are, the first pass finds.
 */
export class RawBtf {
  readonly u8: Uint8Array;
  readonly view: DataView;
  /** Where the strings begin, and how many bytes they are. */
  strings = 0;
  stringsLength = 0;
  /** Where each type begins; `offsets[0]` stands for `void`. */
  readonly offsets: number[] = [0];
  /** What each type was found to be, of those that refer to others: the id behind it, and the size of an array. */
  resolvedIds = new Uint32Array(0);
  resolvedSizes = new Uint32Array(0);

  constructor(u8: Uint8Array) {
    this.u8 = u8;
    this.view = new DataView(u8.buffer, u8.byteOffset, u8.byteLength);
  }

  get count(): number {
    return this.offsets.length;
  }

  has(id: number): boolean {
    return id < this.offsets.length;
  }

  /** A word of a type, `offset` bytes from its start. */
  word(id: number, offset: number): number {
    return this.view.getUint32((this.offsets[id] as number) + offset, true);
  }

  kind(id: number): number {
    return id === 0 ? VOID : (this.word(id, BTF_TYPE.INFO) >>> 24) & 0x1f;
  }

  vlen(id: number): number {
    return this.word(id, BTF_TYPE.INFO) & 0xffff;
  }

  hasKindFlag(id: number): boolean {
    return this.word(id, BTF_TYPE.INFO) >>> 31 === 1;
  }

  nameOffset(id: number): number {
    return id === 0 ? 0 : this.word(id, BTF_TYPE.NAME);
  }

  /** The type that a type refers to; shares its place with the size. */
  type(id: number): number {
    return this.word(id, BTF_TYPE.TYPE);
  }

  size(id: number): number {
    return this.word(id, BTF_TYPE.SIZE);
  }

  /** A word behind the `struct btf_type`, of the part `index` when parts are `stride` bytes each. */
  extra(id: number, offset: number, index = 0, stride = 0): number {
    return this.word(id, BTF_TYPE.END + index * stride + offset);
  }

  isKind(id: number, ...list: readonly number[]): boolean {
    return list.includes(this.kind(id));
  }

  isModifier(id: number): boolean {
    return isAmong(this.kind(id), MODIFIERS);
  }

  isComposite(id: number): boolean {
    return isAmong(this.kind(id), COMPOSITES);
  }

  /** Whether there is no type of that id, or one without a size. */
  isSizeless(id: number): boolean {
    return !this.has(id) || isAmong(this.kind(id), WITHOUT_SIZE);
  }

  /** Whether a type may refer to others, and none to it: `btf_type_is_resolve_source_only`. */
  isSourceOnly(id: number): boolean {
    return isAmong(this.kind(id), SOURCES_ONLY);
  }

  needsResolving(id: number): boolean {
    return isAmong(this.kind(id), TO_RESOLVE);
  }

  canBeTagged(id: number): boolean {
    return isAmong(this.kind(id), TAGGABLE);
  }

  /** What `void` may stand for behind a pointer or a modifier: `void` itself, a forward, a prototype. */
  isIncomplete(id: number): boolean {
    return this.isKind(id, VOID, BTF_KIND_FWD, BTF_KIND_FUNC_PROTO);
  }

  /** The id and size of what a type is in the end; `undefined` when that has no size: `btf_type_id_size`. */
  sized(id: number): { readonly id: number; readonly size: number } | undefined {
    const direct = this.#sizeOf(id);
    if (direct !== undefined) return { id, size: direct };
    if (this.isSizeless(id) || !(this.isModifier(id) || this.isKind(id, BTF_KIND_VAR))) return undefined;
    const resolved = this.resolvedIds[id] as number;
    const size = this.#sizeOf(resolved);
    return size === undefined ? undefined : { id: resolved, size };
  }

  #sizeOf(id: number): number | undefined {
    if (this.isSizeless(id)) return undefined;
    const kind = this.kind(id);
    if (isAmong(kind, WITH_SIZE)) return this.size(id);
    if (kind === BTF_KIND_ARRAY) return this.resolvedSizes[id];
    return kind === BTF_KIND_PTR ? POINTER_SIZE : undefined;
  }

  /** Whether an int begins at bit 0 and has 1, 2, 4, 8 or 16 whole bytes: `btf_type_int_is_regular`. */
  isRegularInt(id: number): boolean {
    const data = this.extra(id, 0);
    return intOffset(data) === 0 && [8, 16, 32, 64, 128].includes(intBits(data));
  }

  /** What is behind modifiers, without the help of the second pass: `btf_type_skip_modifiers`. */
  skipModifiers(id: number): number {
    while (this.isModifier(id)) id = this.type(id);
    return id;
  }

  /** Whether a string begins at an offset. */
  isString(offset: number): boolean {
    return offset < this.stringsLength;
  }

  /** The name at an offset, each character a byte; `(anon)` for the empty one at 0. */
  name(offset: number): string {
    if (offset === 0) return "(anon)";
    if (!this.isString(offset)) return "(invalid-name-offset)";
    let text = "";
    for (let at = this.strings + offset; this.u8[at] !== 0; at++) text += String.fromCharCode(this.u8[at] as number);
    return text;
  }

  /** The bytes of the string at an offset, without its NUL. */
  string(offset: number): Uint8Array {
    const start = this.strings + offset;
    return this.u8.subarray(start, this.u8.indexOf(0, start));
  }

  /** The first struct of a name; `undefined` when there is none. */
  findStruct(name: string): number | undefined {
    for (let id = 1; id < this.count; id++) {
      if (this.kind(id) === BTF_KIND_STRUCT && this.name(this.nameOffset(id)) === name) return id;
    }
    return undefined;
  }
}

function isAmong(kind: number, bits: number): boolean {
  return ((bits >>> kind) & 1) === 1;
}

// The parts of the word behind an int.

export function intBits(data: number): number {
  return data & 0xff;
}

export function intOffset(data: number): number {
  return (data >>> 16) & 0xff;
}

export function intEncoding(data: number): number {
  return (data >>> 24) & 0xf;
}

export function encodingName(encoding: number): string {
  if (encoding === 0) return "(none)";
  if (encoding === BTF_INT_SIGNED) return "SIGNED";
  if (encoding === BTF_INT_CHAR) return "CHAR";
  return encoding === BTF_INT_BOOL ? "BOOL" : "UNKN";
}

import {
  BTF_KIND_ARRAY,
  BTF_KIND_DATASEC,
  BTF_KIND_DECL_TAG,
  BTF_KIND_PTR,
  BTF_KIND_STRUCT,
  BTF_KIND_TYPE_TAG,
  BTF_KIND_VOLATILE,
} from "../../../abi/btf.ts";
import { E2BIG, EEXIST, EFAULT, EINVAL, ENOENT } from "../../../abi/errno.ts";
import { BtfRefusal } from "./btf-check.ts";
import type { RawBtf } from "./raw-btf.ts";

/** What a field of a map's value can be besides data: `enum btf_field_type`. */
export type SpecialFieldType =
  | "bpf_spin_lock"
  | "bpf_res_spin_lock"
  | "bpf_timer"
  | "bpf_wq"
  | "bpf_task_work"
  | "bpf_list_head"
  | "bpf_list_node"
  | "bpf_rb_root"
  | "bpf_rb_node"
  | "bpf_refcount"
  | "kptr_untrusted"
  | "kptr"
  | "percpu_kptr"
  | "uptr";

/** A special field of a value. */
export interface SpecialField {
  readonly type: SpecialFieldType;
  /** In bytes, both. */
  readonly offset: number;
  readonly size: number;
  /** The struct that a pointer points to, or that a list or tree holds. */
  readonly target?: number;
}

interface Found extends SpecialField {
  readonly target?: number;
  /** Of a list or tree: the member by which a struct is linked into it. */
  readonly node?: string;
}

interface StructField {
  readonly size: number;
  readonly align: number;
  /** Whether a struct may have only one. */
  readonly isUnique: boolean;
}

/** The fields that are structs, found by their name, in the order in which Linux tries them. */
const STRUCTS = new Map<SpecialFieldType, StructField>([
  ["bpf_spin_lock", { size: 4, align: 4, isUnique: true }],
  ["bpf_res_spin_lock", { size: 4, align: 4, isUnique: true }],
  ["bpf_timer", { size: 16, align: 8, isUnique: true }],
  ["bpf_wq", { size: 16, align: 8, isUnique: true }],
  ["bpf_task_work", { size: 8, align: 8, isUnique: true }],
  ["bpf_list_head", { size: 16, align: 8, isUnique: false }],
  ["bpf_list_node", { size: 24, align: 8, isUnique: false }],
  ["bpf_rb_root", { size: 16, align: 8, isUnique: false }],
  ["bpf_rb_node", { size: 32, align: 8, isUnique: false }],
  ["bpf_refcount", { size: 4, align: 4, isUnique: false }],
]);

/** The fields that are pointers, by the type tag of what they point to. */
const POINTERS: readonly SpecialFieldType[] = ["kptr_untrusted", "kptr", "percpu_kptr", "uptr"];
const POINTER_SIZE = 8;

/** Those of which an array may be in a value. */
const REPEATABLE: readonly SpecialFieldType[] = [...POINTERS, "bpf_list_head", "bpf_rb_root"];
const ROOTS: Partial<Record<SpecialFieldType, { readonly node: SpecialFieldType; readonly align: number }>> = {
  bpf_list_head: { node: "bpf_list_node", align: 8 },
  bpf_rb_root: { node: "bpf_rb_node", align: 8 },
};

/** `BTF_FIELDS_MAX`. */
const MOST_FIELDS = 11;
const GREATEST_DEPTH = 32;
const U32 = 2 ** 32;

/** Whether a field of that type is a list or tree that owns what is in it. */
export function isRoot(type: SpecialFieldType): boolean {
  return ROOTS[type] !== undefined;
}

/** Whether a struct with a field of that type can be in a list or tree. */
export function isNode(type: SpecialFieldType): boolean {
  return type === "bpf_list_node" || type === "bpf_rb_node";
}

/**
 * The special fields of a struct or section, sorted by offset; those alone that are `wanted`, others count as data.
 * Throws a `BtfRefusal` where Linux refuses them: `kernel/bpf/btf.c: btf_parse_fields`, 6.18.
 */
export function findSpecialFields(
  btf: RawBtf,
  id: number,
  wanted: ReadonlySet<SpecialFieldType>,
  valueSize: number,
): SpecialField[] {
  const finder = new FieldFinder(btf, wanted);
  const found = finder.fieldsOf(id);
  let end = 0;
  for (const field of found) {
    if (field.offset + field.size > valueSize) throw new BtfRefusal(EFAULT);
    if (field.offset < end) throw new BtfRefusal(EEXIST);
    end = field.offset + field.size;
    if (field.node !== undefined) requireNode(btf, field);
    if (field.type === "kptr") requireReleasable(btf, field);
  }
  requireConsistent(new Set(found.map(({ type }) => type)));
  return found.sort((a, b) => a.offset - b.offset);
}

function requireConsistent(types: ReadonlySet<SpecialFieldType>): void {
  const hasSpinLock = types.has("bpf_spin_lock");
  const hasResilientLock = types.has("bpf_res_spin_lock");
  if (hasSpinLock && hasResilientLock) throw new BtfRefusal(EINVAL);
  const hasRoot = types.has("bpf_list_head") || types.has("bpf_rb_root");
  if (hasRoot && !hasSpinLock && !hasResilientLock) throw new BtfRefusal(EINVAL);
  const isShared = types.has("bpf_list_node") && types.has("bpf_rb_node");
  if (isShared && !types.has("bpf_refcount")) throw new BtfRefusal(EINVAL);
}

/**
 * A struct of Linux's own can only be kept by a pointer when Linux knows how to let go of it: `btf_parse_kptr`. Of Linux's
 * structs only the special fields themselves are known here, which it does not; every other is one of the program's own.
 */
function requireReleasable(btf: RawBtf, { target = 0 }: Found): void {
  if (STRUCTS.has(btf.name(btf.nameOffset(target)) as SpecialFieldType)) throw new BtfRefusal(ENOENT);
}

/** The struct that a list or tree holds has the member that links it: `btf_parse_graph_root`. */
function requireNode(btf: RawBtf, { type, target, node }: Found): void {
  const root = ROOTS[type];
  if (root === undefined || target === undefined) return;
  let isFound = false;
  for (let i = 0; i < btf.vlen(target); i++) {
    if (btf.name(btf.extra(target, 0, i, 12)) !== node) continue;
    const member = btf.extra(target, 4, i, 12);
    const isNodeStruct = btf.kind(member) === BTF_KIND_STRUCT && btf.name(btf.nameOffset(member)) === root.node;
    if (isFound || !isNodeStruct) throw new BtfRefusal(EINVAL);
    if (bitOffset(btf, member, target, i) % (8 * root.align) !== 0) throw new BtfRefusal(EINVAL);
    isFound = true;
  }
  if (!isFound) throw new BtfRefusal(ENOENT);
}

/** A member's offset in bits, of which `struct` says whether part of the word is the size of a bitfield. */
function bitOffset(btf: RawBtf, struct: number, of: number, index: number): number {
  const offset = btf.extra(of, 8, index, 12);
  return btf.hasKindFlag(struct) ? offset & 0xff_ffff : offset;
}

class FieldFinder {
  readonly #btf: RawBtf;
  readonly #wanted: ReadonlySet<SpecialFieldType>;

  constructor(btf: RawBtf, wanted: ReadonlySet<SpecialFieldType>) {
    this.#btf = btf;
    this.#wanted = wanted;
  }

  fieldsOf(id: number): Found[] {
    const btf = this.#btf;
    if (btf.kind(id) === BTF_KIND_STRUCT) return this.#ofStruct(id, MOST_FIELDS, 0);
    if (btf.kind(id) === BTF_KIND_DATASEC) return this.#ofSection(id);
    throw new BtfRefusal(EINVAL);
  }

  #ofStruct(id: number, room: number, depth: number): Found[] {
    const btf = this.#btf;
    const seen = new Set<SpecialFieldType>();
    const found: Found[] = [];
    for (let i = 0; i < btf.vlen(id); i++) {
      const offset = bitOffset(btf, id, id, i);
      if (offset % 8 !== 0) throw new BtfRefusal(EINVAL);
      const place = { owner: id, index: i, offset: offset / 8, size: 0 };
      found.push(...this.#ofPlace(place, btf.extra(id, 4, i, 12), seen, room - found.length, depth));
    }
    return found;
  }

  #ofSection(id: number): Found[] {
    const btf = this.#btf;
    const seen = new Set<SpecialFieldType>();
    const found: Found[] = [];
    for (let i = 0; i < btf.vlen(id); i++) {
      const variable = btf.extra(id, 0, i, 12);
      const place = { owner: variable, index: -1, offset: btf.extra(id, 4, i, 12), size: btf.extra(id, 8, i, 12) };
      found.push(...this.#ofPlace(place, btf.type(variable), seen, MOST_FIELDS - found.length, 0));
    }
    return found;
  }

  /** What is special in one member or variable, arrays of it included: `btf_find_field_one`. */
  #ofPlace(place: Place, type: number, seen: Set<SpecialFieldType>, room: number, depth: number): Found[] {
    const btf = this.#btf;
    let count = 1;
    let levels = 0;
    for (; levels < GREATEST_DEPTH && btf.kind(type) === BTF_KIND_ARRAY; levels++) {
      count = (count * btf.extra(type, 8)) % U32;
      type = btf.extra(type, 0);
    }
    if (levels === GREATEST_DEPTH) throw new BtfRefusal(E2BIG);
    if (count === 0) return [];
    const special = this.#specialTypeOf(type, seen);
    if (special === undefined) return this.#nested(place, type, count, room, depth);
    const { size, align } = STRUCTS.get(special) ?? { size: POINTER_SIZE, align: POINTER_SIZE };
    if (place.size !== 0 && place.size !== size * count) return [];
    if (place.offset % align !== 0) return [];
    const field = this.#fieldAt(place, type, special, size);
    if (field === undefined) return [];
    if (room <= 0) throw new BtfRefusal(E2BIG);
    return repeated([field], count, size, room);
  }

  /** Which special type a type may be; any but a struct may still turn out a tagged pointer. */
  #specialTypeOf(type: number, seen: Set<SpecialFieldType>): SpecialFieldType | undefined {
    const btf = this.#btf;
    const name = btf.name(btf.nameOffset(type)) as SpecialFieldType;
    const struct = STRUCTS.get(name);
    if (struct !== undefined && this.#wanted.has(name)) {
      if (struct.isUnique && seen.has(name)) throw new BtfRefusal(E2BIG);
      seen.add(name);
      return name;
    }
    const mayBePointer = btf.kind(type) !== BTF_KIND_STRUCT && POINTERS.some((pointer) => this.#wanted.has(pointer));
    return mayBePointer ? "kptr" : undefined;
  }

  #fieldAt(place: Place, type: number, special: SpecialFieldType, size: number): Found | undefined {
    const btf = this.#btf;
    if (POINTERS.includes(special)) return pointerField(btf, type, place.offset, this.#wanted);
    if (btf.kind(type) !== BTF_KIND_STRUCT || btf.size(type) !== size) return undefined;
    const field = { type: special, offset: place.offset, size };
    return isRoot(special) ? { ...field, ...this.#contents(place) } : field;
  }

  /** What a list or tree holds, by the tag `contains:<struct>:<member>` of it: `btf_find_graph_root`. */
  #contents({ owner, index }: Place): { readonly target: number; readonly node: string } {
    const btf = this.#btf;
    const tags: string[] = [];
    for (let id = 1; id < btf.count; id++) {
      if (btf.kind(id) !== BTF_KIND_DECL_TAG || btf.type(id) !== owner || (btf.extra(id, 0) | 0) !== index) continue;
      const text = btf.name(btf.nameOffset(id));
      if (text.startsWith("contains:")) tags.push(text.slice("contains:".length));
    }
    const [tag] = tags;
    const colon = tag?.indexOf(":") ?? -1;
    if (tag === undefined || tags.length > 1 || colon < 0) throw new BtfRefusal(EINVAL);
    const target = btf.findStruct(tag.slice(0, colon));
    if (target === undefined) throw new BtfRefusal(ENOENT);
    const node = tag.slice(colon + 1);
    if (node === "") throw new BtfRefusal(EINVAL);
    return { target, node };
  }

  /** The special fields of a struct inside: `btf_find_nested_struct`. */
  #nested(place: Place, type: number, count: number, room: number, depth: number): Found[] {
    const btf = this.#btf;
    if (btf.kind(type) !== BTF_KIND_STRUCT) return [];
    const size = btf.size(type);
    if (place.size !== 0 && place.size !== Math.imul(size, count) >>> 0) return [];
    if (depth + 1 >= GREATEST_DEPTH) throw new BtfRefusal(E2BIG);
    const found = this.#ofStruct(type, room, depth + 1).map((field) => ({
      ...field,
      offset: field.offset + place.offset,
    }));
    return found.length === 0 ? [] : repeated(found, count, size, room);
  }
}

/** Where a field may be: a member of a struct, or a variable of a section. */
interface Place {
  /** The struct, or the variable. */
  readonly owner: number;
  /** The index of the member; −1 for a variable. */
  readonly index: number;
  readonly offset: number;
  /** The bytes that a section gives to the variable; 0 for a member. */
  readonly size: number;
}

/** The same fields in every element of an array: `btf_repeat_fields`. */
function repeated(fields: readonly Found[], count: number, stride: number, room: number): Found[] {
  if (count === 1) return [...fields];
  if (!fields.every(({ type }) => REPEATABLE.includes(type))) throw new BtfRefusal(EINVAL);
  if (fields.length * count > room) throw new BtfRefusal(E2BIG);
  return Array.from({ length: count }, (_, index) =>
    fields.map((field) => ({ ...field, offset: field.offset + index * stride })),
  ).flat();
}

/** The field that a type is, when it is a pointer to a struct with a tag that says so: `btf_find_kptr`. */
export function pointerField(
  btf: RawBtf,
  type: number,
  offset: number,
  wanted: ReadonlySet<SpecialFieldType>,
): SpecialField | undefined {
  if (btf.kind(type) === BTF_KIND_VOLATILE) type = btf.type(type);
  if (btf.kind(type) !== BTF_KIND_PTR) return undefined;
  const tag = btf.type(type);
  if (btf.kind(tag) !== BTF_KIND_TYPE_TAG || btf.hasKindFlag(tag)) return undefined;
  if (btf.kind(btf.type(tag)) === BTF_KIND_TYPE_TAG) throw new BtfRefusal(EINVAL);
  const name = btf.name(btf.nameOffset(tag)) as SpecialFieldType;
  if (!POINTERS.includes(name)) throw new BtfRefusal(EINVAL);
  if (!wanted.has(name)) return undefined;
  const target = btf.skipModifiers(btf.type(tag));
  if (btf.kind(target) !== BTF_KIND_STRUCT) throw new BtfRefusal(EINVAL);
  return { type: name, offset, size: POINTER_SIZE, target };
}

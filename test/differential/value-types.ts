import { BtfBuilder, type BtfTypeSpec } from "mapiary";

/** A type that keys or values of a map can have, or not. */
export interface NamedType {
  readonly name: string;
  /** 0 for no type. */
  readonly id: number;
  readonly size: number;
  /** Whether something in it is not data, so that only values have it. */
  readonly isSpecial: boolean;
}

/** BTF, and those of its types that maps are made with. */
export interface ValueTypes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly all: readonly NamedType[];
}

/** BTF with types of keys and values of all kinds: those that Linux finds something special in, and some that are near to that. */
export function valueTypes(): ValueTypes {
  const types = new TypeList();
  const { builder } = types;
  const int = types.data("int", 4, { kind: "int", name: "int", size: 4, isSigned: true });
  const long = types.data("long", 8, { kind: "int", name: "long", size: 8 });
  types.data("typedef", 4, { kind: "typedef", name: "u32", type: int });
  types.data("array", 4, { kind: "array", type: int, indexType: int, length: 1 });
  types.data("enum", 4, { kind: "enum", name: "e", size: 4, isSigned: false, values: [{ name: "X", value: 1 }] });
  types.data("struct of 0", 0, { kind: "struct", name: "s0", size: 0, members: [] });
  types.struct("struct of 4", 4, [[int, 0]]);
  types.struct("struct of 8", 8, [
    [int, 0],
    [int, 4],
  ]);
  types.struct("cgroup key", 16, [
    [long, 0],
    [int, 8],
  ]);
  types.struct("no cgroup key", 16, [
    [int, 0],
    [int, 8],
  ]);
  const variable = builder.add({ kind: "var", name: "v", type: long, linkage: "global" });
  const variables = [{ type: variable, offset: 0, size: 8 }];
  types.data("section", 8, { kind: "datasec", name: ".data", size: 8, variables });
  addStructs(types, int, long);
  addPointers(types, int, long);
  addCollections(types, int, long);
  return { bytes: builder.encode(), all: types.all };
}

/** Locks and timers, which are structs with names that Linux knows. */
function addStructs(types: TypeList, int: number, long: number): void {
  const lock = types.known("bpf_spin_lock", 4, int);
  const resilientLock = types.known("bpf_res_spin_lock", 4, int);
  const timer = types.known("bpf_timer", 16, types.arrayOf(long, int, 2));
  const workqueue = types.known("bpf_wq", 16, types.arrayOf(long, int, 2));
  const taskWork = types.known("bpf_task_work", 8, long);
  types.special("locked", 8, [
    [lock, 0],
    [int, 4],
  ]);
  types.special("locked in the middle", 24, [
    [long, 0],
    [int, 8],
    [lock, 12],
    [long, 16],
  ]);
  const inside = types.special("locked inside", 8, [
    [int, 0],
    [lock, 4],
  ]);
  types.special("locked in a struct", 16, [
    [long, 0],
    [inside, 8],
  ]);
  types.special("locked resiliently", 8, [
    [resilientLock, 0],
    [int, 4],
  ]);
  types.special("timer", 16, [[timer, 0]]);
  types.special("two timers", 32, [
    [timer, 0],
    [timer, 16],
  ]);
  types.special("timer and number", 24, [
    [timer, 0],
    [long, 16],
  ]);
  types.special("timer and lock", 24, [
    [timer, 0],
    [lock, 16],
    [int, 20],
  ]);
  types.special("workqueue", 16, [[workqueue, 0]]);
  types.special("task work", 16, [
    [taskWork, 0],
    [long, 8],
  ]);
}

/** Pointers that programs keep, known by the tag of what they point to. */
function addPointers(types: TypeList, int: number, long: number): void {
  const { builder } = types;
  const own = builder.add({ kind: "struct", name: "own_struct", size: 8, members: [member(long, 0)] });
  for (const name of ["kptr", "kptr_untrusted", "percpu_kptr", "uptr", "unknown"]) {
    const tag = builder.add({ kind: "type_tag", name, type: own, isAttribute: false });
    const pointer = builder.add({ kind: "ptr", name: "", type: tag });
    types.special(name, 8, [[pointer, 0]]);
    if (name !== "kptr") continue;
    const three = types.arrayOf(pointer, int, 3);
    types.special("kptrs", 32, [
      [long, 0],
      [three, 8],
    ]);
  }
}

/** Lists and trees, which need a lock, and a tag that says what is in them. */
function addCollections(types: TypeList, int: number, long: number): void {
  const { builder } = types;
  const lock = types.id("bpf_spin_lock");
  const node = types.known("bpf_list_node", 24, types.arrayOf(long, int, 3));
  const leaf = types.known("bpf_rb_node", 32, types.arrayOf(long, int, 4));
  const head = types.known("bpf_list_head", 16, types.arrayOf(long, int, 2));
  const root = types.known("bpf_rb_root", 16, types.arrayOf(long, int, 2));
  const count = types.known("bpf_refcount", 4, int);
  builder.add({ kind: "struct", name: "listed", size: 24, members: [member(node, 0)] });
  builder.add({ kind: "struct", name: "in_tree", size: 32, members: [member(leaf, 0)] });
  const list = types.special("list", 24, [
    [lock, 0],
    [int, 4],
    [head, 8],
  ]);
  const tag = (of: number, componentIndex: number, text: string): void => {
    builder.add({ kind: "decl_tag", name: text, type: of, componentIndex, isAttribute: false });
  };
  tag(list, 2, "contains:listed:m0");
  const tree = types.special("tree", 24, [
    [root, 0],
    [lock, 16],
    [int, 20],
  ]);
  tag(tree, 0, "contains:in_tree:m0");
  types.special("counted", 8, [
    [count, 0],
    [int, 4],
  ]);
}

type Place = readonly [type: number, byte: number];

function member(type: number, byte: number) {
  return { name: `m${byte}`, type, bitOffset: byte * 8, bitfieldSize: 0 };
}

class TypeList {
  readonly builder = new BtfBuilder();
  readonly all: NamedType[] = [{ name: "none", id: 0, size: 0, isSpecial: false }];
  readonly #known = new Map<string, number>();

  data(name: string, size: number, type: BtfTypeSpec): number {
    return this.#add(name, size, type, false);
  }

  struct(name: string, size: number, members: readonly Place[]): number {
    return this.data(name, size, structType(name, size, members));
  }

  special(name: string, size: number, members: readonly Place[]): number {
    return this.#add(name, size, structType(name, size, members), true);
  }

  arrayOf(type: number, indexType: number, length: number): number {
    return this.builder.add({ kind: "array", type, indexType, length });
  }

  /** A struct that Linux knows by its name. */
  known(name: string, size: number, inside: number): number {
    const id = this.builder.add({ kind: "struct", name, size, members: [member(inside, 0)] });
    this.#known.set(name, id);
    return id;
  }

  id(name: string): number {
    return this.#known.get(name) as number;
  }

  #add(name: string, size: number, type: BtfTypeSpec, isSpecial: boolean): number {
    const id = this.builder.add(type);
    this.all.push({ name, id, size, isSpecial });
    return id;
  }
}

function structType(name: string, size: number, members: readonly Place[]): BtfTypeSpec {
  const parts = members.map(([type, byte]) => member(type, byte));
  return { kind: "struct", name: name.replaceAll(" ", "_"), size, members: parts };
}

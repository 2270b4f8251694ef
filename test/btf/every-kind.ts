import { BtfBuilder, type BtfTypeSpec } from "mapiary";

/** BTF with every kind and most of what each can say; in the byte order of the machine, a kernel loads it. */
export function everyKind(options: { readonly littleEndian?: boolean } = {}): Uint8Array<ArrayBuffer> {
  const builder = new BtfBuilder();
  const add = (type: BtfTypeSpec): number => builder.add(type);
  const member = (name: string, type: number, bitOffset: number, bitfieldSize = 0) => ({
    name,
    type,
    bitOffset,
    bitfieldSize,
  });
  const struct = (name: string, size: number, ...members: ReturnType<typeof member>[]): number =>
    add({ kind: "struct", name, size, members });
  const pointerTo = (type: number): number => add({ kind: "ptr", name: "", type });

  const int = add({ kind: "int", name: "int", size: 4, isSigned: true });
  const u32 = add({ kind: "int", name: "unsigned int", size: 4 });
  const u64 = add({ kind: "int", name: "unsigned long long", size: 8 });
  const char = add({ kind: "int", name: "char", size: 1, isChar: true });
  const bool = add({ kind: "int", name: "_Bool", size: 1, isBool: true });
  const wide = add({ kind: "int", name: "__int128", size: 16, isSigned: true });
  const oldBitfield = add({ kind: "int", name: "unsigned int", size: 4, bits: 3, bitOffset: 2 });
  const double = add({ kind: "float", name: "double", size: 8 });
  const typedef = add({ kind: "typedef", name: "__u32", type: u32 });
  const qualified = add({ kind: "volatile", name: "", type: add({ kind: "const", name: "", type: typedef }) });
  const text = add({ kind: "array", type: char, indexType: u32, length: 16 });
  const matrix = add({
    kind: "array",
    type: add({ kind: "array", type: int, indexType: u32, length: 3 }),
    indexType: int,
    length: 4,
  });
  const colour = add({
    kind: "enum",
    name: "colour",
    size: 4,
    isSigned: true,
    values: [
      { name: "RED", value: 0 },
      { name: "NONE", value: -1 },
    ],
  });
  const wideEnum = add({
    kind: "enum64",
    name: "wide",
    size: 8,
    isSigned: false,
    values: [{ name: "TOP", value: 2n ** 63n }],
  });
  const forward = add({ kind: "fwd", name: "elsewhere", isUnion: false });
  const pointer = pointerTo(forward);
  const union = add({ kind: "union", name: "either", size: 8, members: [member("i", int, 0), member("d", double, 0)] });
  const bits = struct(
    "bits",
    8,
    member("low", u32, 0, 3),
    member("e", colour, 3, 2),
    member("high", u64, 5, 27),
    member("last", int, 32),
  );
  struct("old_bits", 4, member("x", oldBitfield, 0));
  const lock = struct("bpf_spin_lock", 4, member("val", u32, 0));
  const timer = struct(
    "bpf_timer",
    16,
    member("__opaque", add({ kind: "array", type: u64, indexType: u32, length: 2 }), 0),
  );
  const list = struct(
    "bpf_list_head",
    16,
    member("__opaque", add({ kind: "array", type: u64, indexType: u32, length: 2 }), 0),
  );
  const node = struct(
    "bpf_list_node",
    24,
    member("__opaque", add({ kind: "array", type: u64, indexType: u32, length: 3 }), 0),
  );
  struct("listed", 32, member("x", int, 0), member("link", node, 64));
  const owner = struct("owner", 24, member("lock", lock, 0), member("head", list, 64));
  add({ kind: "decl_tag", name: "contains:listed:link", type: owner, componentIndex: 1, isAttribute: false });
  const tagged = add({ kind: "type_tag", name: "kptr", type: bits, isAttribute: false });
  const kptr = pointerTo(tagged);
  const all = struct(
    "all",
    168,
    member("flag", bool, 0),
    member("name", text, 8),
    member("q", qualified, 160),
    member("w", wide, 192),
    member("m", matrix, 320),
    member("c", colour, 704),
    member("p", pointer, 768),
    member("u", union, 832),
    member("b", union, 896),
    member("f", double, 960),
    member("t", timer, 1024),
    member("k", kptr, 1152),
    member("", wideEnum, 1216),
    member("self", pointerTo(builder.nextId + 1), 1280),
  );
  struct("empty", 0);
  const prototype = add({
    kind: "func_proto",
    type: int,
    params: [
      { name: "ctx", type: pointerTo(all) },
      { name: "", type: 0 },
    ],
  });
  add({ kind: "func", name: "count", type: prototype, linkage: "global" });
  const callback = pointerTo(add({ kind: "func_proto", type: 0, params: [{ name: "", type: u64 }] }));
  const restricted = add({ kind: "restrict", name: "", type: callback });
  const seen = add({ kind: "var", name: "seen", type: u64, linkage: "global" });
  const handler = add({ kind: "var", name: "handler.0", type: restricted, linkage: "static" });
  const variables = [
    { type: seen, offset: 0, size: 8 },
    { type: handler, offset: 8, size: 8 },
  ];
  add({ kind: "datasec", name: ".bss", size: 16, variables });
  add({ kind: "decl_tag", name: "why", type: seen, componentIndex: -1, isAttribute: false });
  add({
    kind: "decl_tag",
    name: "param",
    type: add({ kind: "func", name: "other", type: prototype, linkage: "static" }),
    componentIndex: 0,
    isAttribute: true,
  });
  return builder.encode(options);
}

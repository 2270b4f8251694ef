import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Btf } from "./btf.ts";
import { BtfBuilder, type BtfTypeSpec } from "./btf-builder.ts";
import { BtfError } from "./btf-error.ts";
import type { BtfType } from "./btf-type.ts";

const MEMBER = { bitfieldSize: 0 } as const;

/** Every kind at least once, with what each can say; ids in the order of the list, from 1. */
const EVERY_KIND: readonly BtfType[] = [
  { kind: "int", name: "int", size: 4, bits: 32, bitOffset: 0, isSigned: true, isChar: false, isBool: false },
  { kind: "int", name: "char", size: 1, bits: 8, bitOffset: 0, isSigned: false, isChar: true, isBool: false },
  { kind: "int", name: "_Bool", size: 1, bits: 8, bitOffset: 0, isSigned: false, isChar: false, isBool: true },
  { kind: "int", name: "old_bitfield", size: 4, bits: 3, bitOffset: 5, isSigned: false, isChar: false, isBool: false },
  { kind: "ptr", name: "", type: 0 },
  { kind: "array", type: 2, indexType: 1, length: 16 },
  {
    kind: "struct",
    name: "plain",
    size: 24,
    members: [
      { ...MEMBER, name: "comm", type: 6, bitOffset: 0 },
      { ...MEMBER, name: "", type: 8, bitOffset: 128 },
    ],
  },
  {
    kind: "union",
    name: "",
    size: 8,
    members: [
      { ...MEMBER, name: "p", type: 5, bitOffset: 0 },
      { ...MEMBER, name: "i", type: 1, bitOffset: 0 },
    ],
  },
  {
    kind: "struct",
    name: "bits",
    size: 4,
    members: [
      { name: "low", type: 1, bitOffset: 0, bitfieldSize: 3 },
      { name: "high", type: 1, bitOffset: 3, bitfieldSize: 29 },
    ],
  },
  { kind: "struct", name: "empty", size: 0, members: [] },
  { kind: "enum", name: "verdict", size: 4, isSigned: false, values: [{ name: "DROP", value: 4294967295 }] },
  { kind: "enum", name: "sign", size: 1, isSigned: true, values: [{ name: "MINUS", value: -1 }] },
  {
    kind: "enum64",
    name: "wide",
    size: 8,
    isSigned: false,
    values: [{ name: "TOP", value: 0xffff_ffff_ffff_fffen }],
  },
  { kind: "enum64", name: "deep", size: 8, isSigned: true, values: [{ name: "LOW", value: -(2n ** 63n) }] },
  { kind: "fwd", name: "unknown", isUnion: false },
  { kind: "fwd", name: "unknown", isUnion: true },
  { kind: "typedef", name: "u32", type: 1 },
  { kind: "volatile", name: "", type: 17 },
  { kind: "const", name: "", type: 18 },
  { kind: "restrict", name: "", type: 5 },
  {
    kind: "func_proto",
    type: 1,
    params: [
      { name: "ctx", type: 5 },
      { name: "", type: 0 },
    ],
  },
  { kind: "func", name: "count", type: 21, linkage: "global" },
  { kind: "var", name: "seen", type: 19, linkage: "static" },
  { kind: "datasec", name: ".bss", size: 4, variables: [{ type: 23, offset: 0, size: 4 }] },
  { kind: "float", name: "double", size: 8 },
  { kind: "decl_tag", name: "why", type: 7, componentIndex: 1, isAttribute: false },
  { kind: "decl_tag", name: "all", type: 7, componentIndex: -1, isAttribute: true },
  { kind: "type_tag", name: "kptr", type: 7, isAttribute: false },
];

function build(types: readonly BtfType[], base?: Btf): BtfBuilder {
  const builder = new BtfBuilder(base && { base });
  for (const type of types) builder.add(type as BtfTypeSpec);
  return builder;
}

function typesOf(btf: Btf): BtfType[] {
  return [...btf.types()].map(([, type]) => type);
}

/** A BTF of one type, given as words, and the strings `\0name\0`. */
function raw(...words: number[]): Uint8Array {
  const strings = new TextEncoder().encode("\0name\0");
  const header = [0x1eb9f, 24, 0, words.length * 4, words.length * 4, strings.length];
  return Uint8Array.of(...new Uint8Array(Uint32Array.from([...header, ...words]).buffer), ...strings);
}

const info = (kind: number, vlen = 0): number => kind * 2 ** 24 + vlen;

describe("BTF", () => {
  for (const littleEndian of [true, false]) {
    test(`of every kind reads as it was written, ${littleEndian ? "little" : "big"}-endian`, () => {
      const btf = new Btf(build(EVERY_KIND).encode({ littleEndian }));
      assert.equal(btf.isLittleEndian, littleEndian);
      assert.deepEqual(typesOf(btf), EVERY_KIND);
      assert.equal(btf.endId, EVERY_KIND.length + 1);
    });
  }

  test("has each name once", () => {
    const once = build([EVERY_KIND[14] as BtfType]).encode().length;
    const twice = build(EVERY_KIND.slice(14, 16)).encode().length;
    assert.equal(twice - once, 12);
  });

  test("finds types by name and kind, in the order of their ids", () => {
    const btf = new Btf(build(EVERY_KIND).encode());
    assert.equal(btf.find("plain"), 7);
    assert.equal(btf.find("plain", "union"), undefined);
    assert.deepEqual([...btf.findAll("unknown")], [15, 16]);
    assert.equal(btf.find("unknow"), undefined);
    assert.deepEqual([...btf.findAll("", "union")], [8]);
  });

  test("knows void, which no bytes say", () => {
    const btf = new Btf(build([]).encode());
    assert.deepEqual(btf.type(0), { kind: "void" });
    assert.equal(btf.endId, 1);
    assert.throws(() => btf.type(1), /there is no type 1; the last is 0/);
  });

  test("keeps names that are not ASCII", () => {
    const btf = new Btf(build([{ kind: "fwd", name: "größe", isUnion: false }]).encode());
    assert.deepEqual(btf.type(1), { kind: "fwd", name: "größe", isUnion: false });
    assert.equal(btf.find("größe"), 1);
  });

  test("sees through typedefs, qualifiers and type tags", () => {
    const btf = new Btf(build(EVERY_KIND).encode());
    assert.equal(btf.resolve(19), 1);
    assert.equal(btf.resolve(28), 7);
    assert.equal(btf.resolve(5), 5);
    assert.equal(btf.resolve(0), 0);
  });

  test("knows sizes and alignments", () => {
    const btf = new Btf(build(EVERY_KIND).encode());
    const sizes = EVERY_KIND.map((_, index) => btf.sizeOf(index + 1));
    const none = undefined;
    assert.deepEqual(sizes.slice(0, 14), [4, 1, 1, 4, 8, 16, 24, 8, 4, 0, 4, 1, 8, 8]);
    assert.deepEqual(sizes.slice(14), [none, none, 4, 4, 4, 8, none, none, 4, 4, 8, none, none, 24]);
    assert.deepEqual(
      [5, 6, 7, 8, 9, 10, 19].map((id) => btf.alignOf(id)),
      [8, 1, 8, 8, 4, 1, 4],
    );
  });

  test("takes a struct whose members lie where only packed puts them for packed", () => {
    const members = [{ ...MEMBER, name: "x", type: 1, bitOffset: 8 }];
    const packed = { kind: "struct", name: "s", size: 5, members } as const;
    const btf = new Btf(build([EVERY_KIND[0] as BtfType, packed]).encode());
    assert.equal(btf.alignOf(2), 1);
  });
});

describe("split BTF", () => {
  const base = new Btf(build(EVERY_KIND).encode());
  const own: BtfType[] = [
    { kind: "typedef", name: "module_plain", type: 7 },
    { kind: "typedef", name: "plain", type: base.endId },
  ];

  test("counts ids and strings on from its base", () => {
    const split = new Btf(build(own, base).encode(), { base });
    assert.deepEqual(typesOf(split), own);
    assert.deepEqual(split.type(7), base.type(7));
    assert.equal(split.sizeOf(base.endId + 1), 24);
    assert.deepEqual([...split.findAll("plain")], [7, base.endId + 1]);
    assert.equal(split.find("module_plain"), base.endId);
  });

  test("may use the names of its base", () => {
    const types = new BtfBuilder({ base });
    types.add({ kind: "typedef", name: "x", type: 7 });
    const bytes = types.encode();
    const view = new DataView(bytes.buffer);
    const plain = new TextDecoder("latin1").decode(base.bytes).indexOf("plain") - (base.bytes.length - base.stringsEnd);
    view.setUint32(24, plain, true);
    const split = new Btf(bytes, { base });
    assert.deepEqual(split.type(base.endId), { kind: "typedef", name: "plain", type: 7 });
    assert.deepEqual([...split.findAll("plain")], [7, base.endId]);
  });

  test("is refused without its base", () => {
    assert.throws(() => new Btf(build(own, base).encode()), BtfError);
  });
});

describe("bad BTF is refused, with the byte and the reason:", () => {
  const cases: readonly (readonly [name: string, bytes: Uint8Array, offset: number, reason: RegExp])[] = [
    ["no bytes", new Uint8Array(), 0, /0 bytes are too few for a header/],
    ["another magic number", new Uint8Array(24), 0, /no magic number/],
    ["another version", raw().fill(2, 2, 3), 2, /version 2/],
    ["flags", raw().fill(1, 3, 4), 3, /flags 1/],
    ["a header beyond the end", raw().fill(200, 4, 5), 4, /a header of 200 bytes/],
    ["types beyond the end", raw().fill(200, 12, 13), 8, /a section from 24 to 224/],
    ["strings beyond the end", raw().fill(200, 20, 21), 16, /a section from 24 to 224/],
    ["strings without an end", raw().subarray(0, 29), 16, /a section/],
    ["strings that do not end", raw().fill(5, 20, 21), 28, /do not end with a NUL/],
    ["strings that do not begin with the empty one", raw().fill(65, 24, 25), 24, /do not begin with the empty one/],
    ["a type that is cut off", raw(1, info(2)), 24, /8 bytes are left where a type begins/],
    ["a kind of the future", raw(1, info(20), 0), 28, /type 1: there is no kind 20/],
    ["members beyond the end", raw(1, info(4, 2), 8, 0, 0, 0), 24, /type 1: struct reaches beyond the types/],
    ["a name that is not there", raw(99, info(7), 0), 24, /type 1: there is no name at 99/],
    ["the name of a member", raw(1, info(4, 1), 8, 99, 0, 0), 36, /type 1: there is no name at 99/],
    ["a type that is not there", raw(1, info(8), 7), 32, /there is no type 7; the last is 1/],
    ["the type of an element", raw(0, info(3), 0, 9, 0, 1), 36, /there is no type 9/],
  ];
  for (const [name, bytes, offset, reason] of cases) {
    test(name, () => {
      const isRight = (error: unknown) => error instanceof BtfError && error.offset === offset;
      assert.throws(() => new Btf(bytes), isRight);
      assert.throws(() => new Btf(bytes), reason);
    });
  }

  test("typedefs in a circle, when they are followed", () => {
    const btf = new Btf(raw(1, info(8), 1));
    assert.throws(() => btf.resolve(1), /byte 24: type 1: more than 32 typedefs/);
    assert.throws(() => btf.sizeOf(1), BtfError);
  });

  test("arrays and structs that hold themselves, when their sizes are asked for", () => {
    const array = new Btf(raw(0, info(3), 0, 1, 1, 1));
    assert.throws(() => array.sizeOf(1), /more than 32 arrays/);
    const struct = new Btf(raw(1, info(4, 1), 4, 1, 1, 0));
    assert.throws(() => struct.alignOf(1), /more than 32 types/);
  });
});

describe("a builder of BTF", () => {
  test("refuses what BTF has no room for", () => {
    const builder = new BtfBuilder();
    const values = Array.from({ length: 0x1_0000 }, (_, value) => ({ name: `v${value}`, value }));
    assert.throws(() => builder.add({ kind: "enum", name: "e", size: 4, isSigned: false, values }), RangeError);
    const far = [{ name: "x", type: 1, bitOffset: 2 ** 24, bitfieldSize: 1 }];
    assert.throws(() => builder.add({ kind: "struct", name: "s", size: 2 ** 22, members: far }), RangeError);
    assert.throws(() => builder.add({ kind: "fwd", name: "a\0b", isUnion: false }), RangeError);
  });
});

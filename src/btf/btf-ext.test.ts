import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Btf } from "./btf.ts";
import { BtfBuilder } from "./btf-builder.ts";
import { BtfError } from "./btf-error.ts";
import { BtfExt } from "./btf-ext.ts";

const builder = new BtfBuilder();
const xdp = builder.string("xdp");
const file = builder.string("count.c");
const source = builder.string("  return 0;");
const access = builder.string("0:1");
const btf = new Btf(builder.encode());

const FUNCTIONS = [8, xdp, 1, 0, 3];
const LINES = [16, xdp, 2, 0, file, source, (7 << 10) | 3, 8, file, 0, 9 << 10];
const RELOCATIONS = [16, xdp, 1, 16, 5, access, 0];

/** `.BTF.ext` of words, in either byte order. */
function ext(parts: { functions?: number[]; lines?: number[]; relocations?: number[] }, isLittleEndian = true) {
  const sections = [parts.functions ?? [], parts.lines ?? [], parts.relocations ?? []];
  const words = sections.flat();
  const bytes = new Uint8Array(32 + words.length * 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, isLittleEndian);
  view.setUint8(2, 1);
  view.setUint32(4, 32, isLittleEndian);
  let offset = 0;
  for (const [index, section] of sections.entries()) {
    view.setUint32(8 + index * 8, offset, isLittleEndian);
    view.setUint32(12 + index * 8, section.length * 4, isLittleEndian);
    offset += section.length * 4;
  }
  for (const [index, word] of words.entries()) view.setUint32(32 + index * 4, word, isLittleEndian);
  return bytes;
}

describe(".BTF.ext", () => {
  for (const isLittleEndian of [true, false]) {
    test(`says which functions, lines and relocations there are, ${isLittleEndian ? "little" : "big"}-endian`, () => {
      const all = { functions: FUNCTIONS, lines: LINES, relocations: RELOCATIONS };
      const { functions, lines, relocations } = new BtfExt(ext(all, isLittleEndian), btf);
      assert.deepEqual(functions, [{ section: "xdp", records: [{ offset: 0, type: 3 }] }]);
      const first = { offset: 0, file: "count.c", source: "  return 0;", line: 7, column: 3 };
      const second = { offset: 8, file: "count.c", source: "", line: 9, column: 0 };
      assert.deepEqual(lines, [{ section: "xdp", records: [first, second] }]);
      assert.deepEqual(relocations, [{ section: "xdp", records: [{ offset: 16, type: 5, access: "0:1", kind: 0 }] }]);
    });
  }

  test("may have several sections, none, and records that are longer than known", () => {
    const functions = [12, xdp, 1, 0, 3, 99, file, 2, 0, 4, 99, 8, 5, 99];
    const info = new BtfExt(ext({ functions }), btf);
    assert.deepEqual(
      info.functions.map(({ section, records }) => [section, records.length]),
      [
        ["xdp", 1],
        ["count.c", 2],
      ],
    );
    assert.deepEqual([info.lines, info.relocations], [[], []]);
  });

  test("of the time before relocations has none", () => {
    const old = ext({ functions: FUNCTIONS, relocations: RELOCATIONS });
    old[4] = 24;
    old.copyWithin(24, 32);
    assert.deepEqual(new BtfExt(old, btf).relocations, []);
    assert.equal(new BtfExt(old, btf).functions.length, 1);
  });

  const refused: readonly (readonly [name: string, bytes: Uint8Array, offset: number])[] = [
    ["records that are too short", ext({ functions: [4, xdp, 1, 0] }), 32],
    ["records that are no whole words", ext({ functions: [9, xdp, 1, 0, 3, 0] }), 32],
    ["more records than there are bytes", ext({ functions: [8, xdp, 2, 0, 3] }), 40],
    ["a section that is cut off", ext({ functions: [8, xdp] }), 36],
    ["a section whose name is not there", ext({ functions: [8, 9999, 1, 0, 3] }), 36],
    ["a file whose name is not there", ext({ lines: [16, xdp, 1, 0, 9999, 0, 0] }), 44],
    ["another magic number", new Uint8Array(32), 0],
  ];
  for (const [name, bytes, offset] of refused) {
    test(`is refused with ${name}`, () => {
      assert.throws(
        () => new BtfExt(bytes, btf),
        (error) => error instanceof BtfError && error.offset === offset && error.message.startsWith(".BTF.ext, byte"),
      );
    });
  }
});

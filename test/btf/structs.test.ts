/** The layouts that are made from BTF agree with the compiler: where fields lie, and what it wrote into them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Btf } from "mapiary";
import { layoutOfType } from "../../src/btf/type-layout.ts";
import { isStructLayout, type StructField } from "../../src/layout/struct.ts";
import { ElfFile } from "../../src/program/elf.ts";
import { withClang } from "../program/clang.ts";
import { STRUCTS, structsInC } from "./structs.ts";

withClang((compile) => {
  const elf = new ElfFile(
    compile(structsInC(), { args: ["-Wno-constant-conversion", "-Wno-bitfield-constant-conversion"] }),
  );
  const section = elf.sections.find(({ name }) => name === ".BTF");
  assert.ok(section !== undefined);
  const btf = new Btf(section.data);

  /** The bytes of a global; zeros of one that lies where a file has none. */
  function bytesOf(name: string): Uint8Array {
    const symbol = elf.symbols.find((each) => each.name === name);
    assert.ok(symbol !== undefined, name);
    const { data } = elf.sections[symbol.section] as { readonly data: Uint8Array };
    return data.length === 0
      ? new Uint8Array(symbol.size)
      : Uint8Array.from(data.subarray(symbol.value, symbol.value + symbol.size));
  }

  describe("a struct of C, by its BTF", () => {
    test("comes in more than forty kinds", () => assert.ok(STRUCTS.length > 40));

    for (const { name, value, offsets = [] } of STRUCTS) {
      test(`struct ${name} lies where the compiler puts it, and reads as it was written`, () => {
        const id = btf.find(name, "struct");
        assert.ok(id !== undefined);
        const layout = layoutOfType(btf, id);
        const said = new BigUint64Array(bytesOf(`o_${name}`).buffer);
        assert.equal(layout.size, Number(said[0]));
        if (isStructLayout(layout)) {
          for (const [index, field] of offsets.entries()) {
            const placed: readonly StructField[] = layout.fields;
            const offset = placed.find((each) => each.name === field)?.offset;
            assert.equal(offset, Number(said[index + 1]), field);
          }
        }
        const bytes = bytesOf(`v_${name}`).slice(0, layout.size);
        assert.deepEqual(layout.decode(bytes), value);
        assert.deepEqual(layout.decode(layout.encode(value)), value);
        assert.deepEqual(layout.encode(value), bytes, "written as C writes it");
      });
    }
  });
});

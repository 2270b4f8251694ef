import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { decode, encode, isWide } from "./instruction.ts";
import { BPF_ALU64, BPF_K, BPF_MOV, LD_IMM64 } from "./opcodes.ts";

describe("instructions", () => {
  test("r3 = -7 is eight bytes, little-endian, the destination in the low half of the second", () => {
    const mov = { opcode: BPF_ALU64 | BPF_MOV | BPF_K, dst: 3, src: 0, offset: 0, imm: -7 };
    assert.deepEqual([...encode([mov])], [0xb7, 0x03, 0, 0, 0xf9, 0xff, 0xff, 0xff]);
    assert.deepEqual(decode(encode([mov])), [mov]);
  });

  test("what is decoded encodes to the same bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 }), { maxLength: 20 }), (slots) => {
        const bytes = Uint8Array.from(slots.flatMap((slot) => [...slot]));
        assert.deepEqual(encode(decode(bytes)), bytes);
      }),
    );
  });

  test("only a 64-bit immediate takes two slots", () => {
    const wide = Array.from({ length: 256 }, (_, opcode) => ({ opcode, dst: 0, src: 0, offset: 0, imm: 0 })).filter(
      isWide,
    );
    assert.deepEqual(
      wide.map(({ opcode }) => opcode),
      [LD_IMM64],
    );
  });

  test("bytes that are no whole instructions are refused", () => {
    assert.throws(() => decode(new Uint8Array(12)), /whole instructions of 8 bytes, not 12 bytes/);
  });
});

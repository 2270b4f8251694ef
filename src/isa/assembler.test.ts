import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler } from "./assembler.ts";
import { disassemble } from "./disassemble.ts";

/** The text of what was assembled, without slot numbers and opcodes. */
function text(assembler: Assembler): string[] {
  return disassemble(assembler.assemble())
    .split("\n")
    .map((line) => line.replace(/^\d+: \(..\) /, ""));
}

const asm = () => new Assembler();

describe("the assembler", () => {
  test("arithmetic is as wide as its registers", () => {
    assert.deepEqual(text(asm().add("r1", 5).add("w1", "w2").sub("r3", "r4").mov("w0", -1)), [
      "r1 += 5",
      "w1 += w2",
      "r3 -= r4",
      "w0 = -1",
    ]);
    assert.deepEqual(text(asm().mul("r1", 3).div("r1", "r2").sdiv("w1", 2).mod("r1", 7).smod("r1", "r2")), [
      "r1 *= 3",
      "r1 /= r2",
      "w1 s/= 2",
      "r1 %= 7",
      "r1 s%= r2",
    ]);
    assert.deepEqual(text(asm().or("r1", 1).and("r1", 1).xor("r1", 1).lsh("r1", 1).rsh("r1", 1).arsh("w1", "w2")), [
      "r1 |= 1",
      "r1 &= 1",
      "r1 ^= 1",
      "r1 <<= 1",
      "r1 >>= 1",
      "w1 s>>= w2",
    ]);
    assert.deepEqual(text(asm().neg("r1").neg("w1").movsx(8, "r1", "r2").movsx(16, "w1", "w2").movsx(32, "r1", "r2")), [
      "r1 = -r1",
      "w1 = -w1",
      "r1 = (s8)r2",
      "w1 = (s16)w2",
      "r1 = (s32)r2",
    ]);
    assert.deepEqual(text(asm().be(16, "r1").le(32, "r1").bswap(64, "r1")), [
      "r1 = be16 r1",
      "r1 = le32 r1",
      "r1 = bswap64 r1",
    ]);
  });

  test("loads and stores name the type, the base and the offset", () => {
    assert.deepEqual(text(asm().load("u8", "r0", "r1", 4).load("s32", "r0", "r10", -8).load("u64", "r0", "r1", 0)), [
      "r0 = *(u8 *)(r1 +4)",
      "r0 = *(s32 *)(r10 -8)",
      "r0 = *(u64 *)(r1 +0)",
    ]);
    assert.deepEqual(text(asm().store("u16", "r10", -2, "r1").store("u64", "r10", -8, -1)), [
      "*(u16 *)(r10 -2) = r1",
      "*(u64 *)(r10 -8) = -1",
    ]);
    assert.deepEqual(text(asm().loadAbsolute("u16", 12).loadIndirect("u8", "r1", 2)), [
      "r0 = *(u16 *)skb[12]",
      "r0 = *(u8 *)skb[r1 + 2]",
    ]);
  });

  test("atomics leave what was there where the kernel's text says", () => {
    assert.deepEqual(
      text(
        asm()
          .atomicAdd("u64", "r1", 8, "r2")
          .atomicOr("u32", "r1", 0, "r2")
          .atomicAnd("u64", "r1", 0, "r2")
          .atomicXor("u64", "r1", 0, "r2")
          .atomicFetchAdd("u64", "r1", 0, "r2")
          .atomicFetchOr("u32", "r1", 0, "r2")
          .atomicFetchAnd("u64", "r1", 0, "r2")
          .atomicFetchXor("u64", "r1", 0, "r2")
          .atomicExchange("u64", "r1", 0, "r2")
          .atomicCompareExchange("u32", "r1", 0, "r2")
          .loadAcquire("u64", "r2", "r1", 0)
          .storeRelease("u64", "r1", 0, "r2"),
      ),
      [
        "lock *(u64 *)(r1 +8) += r2",
        "lock *(u32 *)(r1 +0) |= r2",
        "lock *(u64 *)(r1 +0) &= r2",
        "lock *(u64 *)(r1 +0) ^= r2",
        "r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)",
        "r2 = atomic_fetch_or((u32 *)(r1 +0), r2)",
        "r2 = atomic64_fetch_and((u64 *)(r1 +0), r2)",
        "r2 = atomic64_fetch_xor((u64 *)(r1 +0), r2)",
        "r2 = atomic64_xchg((u64 *)(r1 +0), r2)",
        "r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)",
        "r2 = load_acquire((u64 *)(r1 +0))",
        "store_release((u64 *)(r1 +0), r2)",
      ],
    );
  });

  test("jumps go to labels, before and behind", () => {
    const loop = asm()
      .mov("r0", 0)
      .label("again")
      .add("r0", 1)
      .loadImmediate("r1", 0x1_0000_0000n)
      .jlt("r0", "r1", "again")
      .jsge("w0", -5, "out")
      .mayGoto("out")
      .jumpLong("again")
      .jump("out")
      .label("out")
      .exit();
    assert.deepEqual(text(loop), [
      "r0 = 0",
      "r0 += 1",
      "r1 = 0x100000000",
      "if r0 < r1 goto pc-4",
      "if w0 s>= 0xfffffffb goto pc+3",
      "may_goto pc+2",
      "gotol pc-7",
      "goto pc+0",
      "exit",
    ]);
    const all = asm().label("x");
    all.jeq("r1", 1, "x").jne("r1", 1, "x").jgt("r1", 1, "x").jge("r1", 1, "x").jle("r1", 1, "x").jset("r1", 1, "x");
    all.jsgt("r1", 1, "x").jslt("r1", 1, "x").jsle("r1", "r2", "x");
    assert.deepEqual(
      text(all).map((line) => line.replace(/ goto.*/, "")),
      ["==", "!=", ">", ">=", "<=", "&", "s>", "s<"].map((op) => `if r1 ${op} 0x1`).concat("if r1 s<= r2"),
    );
  });

  test("calls name helpers, functions of the program and functions of the kernel", () => {
    const program = asm()
      .call("bpf_ktime_get_ns")
      .call(211)
      .callFunction("next")
      .loadFunction("r2", "next")
      .callKernelFunction(1234)
      .exit()
      .label("next")
      .exit();
    assert.deepEqual(text(program), [
      "call bpf_ktime_get_ns#5",
      "call bpf_cgrp_storage_delete#211",
      "call pc+4",
      "r2 = 0x3",
      "call unknown#1234",
      "exit",
      "exit",
    ]);
  });

  test("maps are given by themselves or by fd", () => {
    const [map, , value, offset] = asm().loadMap("r1", { fd: 7 }).loadMapValue("r2", 8, 16).assemble();
    assert.deepEqual([map?.imm, map?.src, value?.imm, value?.src, offset?.imm], [7, 1, 8, 2, 16]);
    const [variable] = asm().loadKernelVariable("r1", 99).assemble();
    assert.deepEqual([variable?.imm, variable?.src], [99, 3]);
    assert.deepEqual(text(asm().addrSpaceCast("r1", "r2", 0, 1)), ["r1 = addr_space_cast(r2, 0, 1)"]);
  });

  test("an immediate is signed or unsigned, and no wider than 32 bits", () => {
    assert.deepEqual(
      text(
        asm()
          .mov("r1", 0xffff_ffff)
          .mov("r1", -(2 ** 31)),
      ),
      ["r1 = -1", "r1 = -2147483648"],
    );
    assert.throws(() => asm().mov("r1", 2 ** 32), /32 bits, which 4294967296 does not fit: load it with loadImmediate/);
    assert.throws(() => asm().mov("r1", 0.5), RangeError);
    assert.throws(() => asm().loadImmediate("r1", 2n ** 64n), /does not fit 64 bits/);
    assert.throws(() => asm().load("u8", "r1", "r2", 40000), /16 bits, which 40000 does not fit/);
  });

  test("a label that is nowhere, twice there or too far is refused", () => {
    assert.throws(() => asm().jump("out").assemble(), /instruction 0 refers to the label out, which is nowhere/);
    assert.throws(() => asm().label("a").label("a"), /two labels a/);
    const far = asm().jump("out");
    for (let i = 0; i < 40000; i++) far.mov("r0", 0);
    assert.throws(() => far.label("out").assemble(), /too far away for 16 bits: use jumpLong/);
  });

  test("what is no register, type or helper is refused", () => {
    assert.throws(() => asm().neg("r11" as "r1"), /a register is r0 to r10 or w0 to w10, not r11/);
    assert.throws(() => asm().load("u128" as "u64", "r1", "r2", 0), /a type is u8, .* not u128/);
    assert.throws(() => asm().call("bpf_nothing" as "bpf_loop"), /no helper bpf_nothing/);
    assert.throws(() => asm().mov("r1", "w2" as "r2"), /r1 and w2 are not of the same width/);
  });
});

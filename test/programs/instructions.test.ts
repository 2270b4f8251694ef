/** Every instruction of the standard set, with operands that are known to be awkward: what Linux computes is right. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Assembler } from "mapiary";
import { linux } from "mapiary/linux";
import type { Sys } from "../../src/sys/sys.ts";
import { onLinux } from "../kernels.ts";
import { trustingSys } from "./trusted.ts";

const OPERANDS: readonly bigint[] = [
  0n,
  1n,
  2n,
  64n,
  0x80n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x123456789abcdef0n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];
const IMMEDIATES: readonly number[] = [3, 31, -1, 0x7fffffff, -0x80000000];

/** Works on r1 and r2, and leaves its result in r0. */
type Operation = (code: Assembler) => void;

const BINARY = ["add", "sub", "mul", "div", "sdiv", "mod", "smod", "or", "and", "xor", "lsh", "rsh", "arsh"] as const;
const JUMPS = ["jeq", "jne", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle", "jset"] as const;
const ATOMICS = ["atomicAdd", "atomicOr", "atomicAnd", "atomicXor"] as const;
const FETCHES = [
  "atomicFetchAdd",
  "atomicFetchOr",
  "atomicFetchAnd",
  "atomicFetchXor",
  "atomicExchange",
  "atomicCompareExchange",
] as const;
const SHIFTS: readonly string[] = ["lsh", "rsh", "arsh"];

function operations(): Map<string, Operation> {
  const all = new Map<string, Operation>();
  for (const name of BINARY) {
    all.set(`${name} r`, (code) => code.mov("r0", "r1")[name]("r0", "r2"));
    all.set(`${name} w`, (code) => code.mov("r0", "r1")[name]("w0", "w2"));
    for (const imm of IMMEDIATES) {
      if (SHIFTS.includes(name) && (imm < 0 || imm > 31)) continue;
      all.set(`${name} r, ${imm}`, (code) => code.mov("r0", "r1")[name]("r0", imm));
      all.set(`${name} w, ${imm}`, (code) => code.mov("r0", "r1")[name]("w0", imm));
    }
  }
  all.set("neg r", (code) => code.mov("r0", "r1").neg("r0"));
  all.set("neg w", (code) => code.mov("r0", "r1").neg("w0"));
  all.set("mov w", (code) => code.mov("w0", "w1"));
  for (const bits of [8, 16, 32] as const) all.set(`movsx ${bits}`, (code) => code.movsx(bits, "r0", "r1"));
  for (const bits of [8, 16] as const) all.set(`movsx ${bits} w`, (code) => code.movsx(bits, "w0", "w1"));
  for (const bits of [16, 32, 64] as const) {
    all.set(`be ${bits}`, (code) => code.mov("r0", "r1").be(bits, "r0"));
    all.set(`le ${bits}`, (code) => code.mov("r0", "r1").le(bits, "r0"));
    all.set(`bswap ${bits}`, (code) => code.mov("r0", "r1").bswap(bits, "r0"));
  }
  let labels = 0;
  const jumpTo = (jump: (code: Assembler, label: string) => void): Operation => {
    return (code) => {
      const label = `taken ${labels++}`;
      code.mov("r0", 1);
      jump(code, label);
      code.mov("r0", 0).label(label);
    };
  };
  for (const name of JUMPS) {
    all.set(
      `${name} r`,
      jumpTo((code, label) => code[name]("r1", "r2", label)),
    );
    all.set(
      `${name} w`,
      jumpTo((code, label) => code[name]("w1", "w2", label)),
    );
    for (const imm of IMMEDIATES) {
      all.set(
        `${name} r, ${imm}`,
        jumpTo((code, label) => code[name]("r1", imm, label)),
      );
      all.set(
        `${name} w, ${imm}`,
        jumpTo((code, label) => code[name]("w1", imm, label)),
      );
    }
  }
  for (const type of ["u8", "u16", "u32", "u64", "s8", "s16", "s32"] as const) {
    all.set(`load ${type}`, (code) => code.store("u64", "r10", -8, "r1").load(type, "r0", "r10", -8));
  }
  for (const type of ["u8", "u16", "u32", "u64"] as const) {
    const stored = (code: Assembler): Assembler => code.store("u64", "r10", -8, "r1");
    all.set(`store ${type}`, (code) => stored(code).store(type, "r10", -8, "r2").load("u64", "r0", "r10", -8));
    all.set(`store ${type} -2`, (code) => stored(code).store(type, "r10", -8, -2).load("u64", "r0", "r10", -8));
    all.set(`load_acquire ${type}`, (code) => stored(code).loadAcquire(type, "r0", "r10", -8));
  }
  for (const type of ["u32", "u64"] as const) {
    all.set(`store_release ${type}`, (code) =>
      code.store("u64", "r10", -8, "r1").storeRelease(type, "r10", -8, "r2").load("u64", "r0", "r10", -8),
    );
    for (const name of ATOMICS) {
      all.set(`${name} ${type}`, (code) =>
        code.store("u64", "r10", -8, "r1")[name](type, "r10", -8, "r2").load("u64", "r0", "r10", -8),
      );
    }
    for (const name of FETCHES) {
      // Both the register that the old value comes into and the memory matter.
      all.set(`${name} ${type}`, (code) => {
        code.store("u64", "r10", -8, "r1").mov("r0", "r2").mov("r3", "r2")[name](type, "r10", -8, "r3");
        code.load("u64", "r4", "r10", -8).mul("r4", 31).mul("r0", 7).add("r0", "r3").add("r0", "r4");
      });
    }
  }
  return all;
}

interface Pair {
  readonly name: string;
  readonly operation: Operation;
  readonly left: bigint;
  readonly right: bigint;
}

/** Every variant of an operation on every pair of operands. */
function pairsOf(variants: readonly (readonly [string, Operation])[]): Pair[] {
  return variants.flatMap(([name, operation]) =>
    OPERANDS.flatMap((left) => OPERANDS.map((right) => ({ name, operation, left, right }))),
  );
}

/** What comes of them, computed by one program that keeps it all in a map. */
function resultsOf(sys: Sys, pairs: readonly Pair[]): bigint[] {
  const map = sys.mapCreate({ type: "array", keySize: 4, valueSize: pairs.length * 8, maxEntries: 1 });
  assert.ok(map >= 0);
  const code = new Assembler().loadMapValue("r6", map);
  for (const { left, right, operation } of pairs) {
    code.loadImmediate("r1", left).loadImmediate("r2", right);
    operation(code);
    code.store("u64", "r6", 0, "r0").add("r6", 8);
  }
  const insns = code.mov("r0", 0).exit().assemble();
  const fd = sys.progLoad({ type: "socket_filter", insns, license: "GPL" });
  assert.ok(fd >= 0, `the program is refused: ${fd}`);
  assert.equal(sys.progTestRun(fd, { dataIn: new Uint8Array(64) }), 0);
  const value = new Uint8Array(pairs.length * 8);
  assert.equal(sys.mapLookupElem(map, new Uint8Array(4), value), 0);
  sys.close(fd);
  sys.close(map);
  return [...new BigUint64Array(value.buffer)];
}

onLinux(() => {
  describe("an instruction gives what it gives on Linux:", () => {
    const groups = new Map<string, (readonly [string, Operation])[]>();
    for (const [name, operation] of operations()) {
      const group = name.split(" ")[0] as string;
      groups.set(group, [...(groups.get(group) ?? []), [name, operation]]);
    }
    for (const [group, variants] of groups) {
      test(group, () => {
        using bpf = linux();
        const pairs = pairsOf(variants);
        const results = resultsOf(trustingSys(), pairs);
        const expected = resultsOf(bpf.sys, pairs);
        const wrong = pairs.flatMap(({ name, left, right }, index) =>
          expected[index] === results[index]
            ? []
            : [`${name} of ${left} and ${right}: ${results[index]}, not ${expected[index]}`],
        );
        assert.deepEqual(wrong, []);
      });
    }
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { ipv4, ipv6, mac } from "./address.ts";
import { array } from "./array.ts";
import { i16be, i32be, u16be, u32be } from "./big-endian.ts";
import { bytes } from "./bytes.ts";
import { setCodeGeneration } from "./compile.ts";
import { enumOf } from "./enum.ts";
import type { Layout } from "./layout.ts";
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from "./scalar.ts";
import { type Fields, type StructLayout, struct } from "./struct.ts";
import { cstring } from "./text.ts";
import { i64, i64be, u64, u64be } from "./wide.ts";

/** A type: how C declares a variable of it, what layout it has, what values. */
interface Type {
  readonly layout: Layout<unknown>;
  declare(name: string): string;
  readonly values: fc.Arbitrary<unknown>;
  /** The layouts of the fields that C can name, by their paths. */
  readonly offsets: ReadonlyMap<string, number>;
}

const STRUCTS = 150;
const NO_OFFSETS: ReadonlyMap<string, number> = new Map();

function plain<T>(layout: Layout<T>, ctype: string, values: fc.Arbitrary<T>, suffix = ""): Type {
  const declare = (name: string) => `${ctype} ${name}${suffix}`;
  return { layout: layout as Layout<unknown>, declare, values, offsets: NO_OFFSETS };
}

const integer = (layout: Layout<number>, ctype: string, least: number, most: number) =>
  plain(layout, ctype, fc.integer({ min: least, max: most }));
const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const signed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const mappedText = fc.ipV4().map((text) => `::ffff:${text}`);

const scalars: Type[] = [
  integer(u8, "unsigned char", 0, 2 ** 8 - 1),
  integer(u16, "unsigned short", 0, 2 ** 16 - 1),
  integer(u32, "unsigned int", 0, 2 ** 32 - 1),
  integer(u16be, "unsigned short", 0, 2 ** 16 - 1),
  integer(u32be, "unsigned int", 0, 2 ** 32 - 1),
  integer(i8, "signed char", -(2 ** 7), 2 ** 7 - 1),
  integer(i16, "short", -(2 ** 15), 2 ** 15 - 1),
  integer(i32, "int", -(2 ** 31), 2 ** 31 - 1),
  integer(i16be, "short", -(2 ** 15), 2 ** 15 - 1),
  integer(i32be, "int", -(2 ** 31), 2 ** 31 - 1),
  plain(u64, "unsigned long long", unsigned),
  plain(u64be, "unsigned long long", unsigned),
  plain(i64, "long long", signed),
  plain(i64be, "long long", signed),
  plain(u64.number, "unsigned long long", fc.maxSafeNat()),
  plain(u64be.number, "unsigned long long", fc.maxSafeNat()),
  plain(i64.number, "long long", fc.maxSafeInteger()),
  plain(i64be.number, "long long", fc.maxSafeInteger()),
  plain(f32, "float", fc.float()),
  plain(f64, "double", fc.double()),
  plain(bool, "_Bool", fc.boolean()),
  plain(enumOf({ ICMP: 1, TCP: 6, UDP: 17 }), "enum protocol", fc.constantFrom("ICMP", "TCP", "UDP")),
  plain(ipv4, "struct in_addr", fc.ipV4()),
  plain(ipv6, "struct in6_addr", mappedText),
  plain(mac, "unsigned char", fc.constant("02:00:00:00:00:01"), "[6]"),
];

const lengths = fc.integer({ min: 0, max: 20 });
const byteTypes = lengths.map((length) =>
  plain(bytes(length), "unsigned char", fc.uint8Array({ minLength: length, maxLength: length }), `[${length}]`),
);
const stringTypes = lengths.map((length) => {
  const texts = fc
    .string({ unit: "binary", maxLength: length })
    .filter((text) => !text.includes("\0") && Buffer.byteLength(text) <= length);
  return plain(cstring(length + 1), "char", texts, `[${length + 1}]`);
});

function arrayType(of: Type, length: number): Type {
  return {
    layout: array(of.layout, length) as Layout<unknown>,
    declare: (name) => of.declare(`${name}[${length}]`),
    values: fc.array(of.values, { minLength: length, maxLength: length }),
    offsets: NO_OFFSETS,
  };
}

function structType(types: readonly Type[], packed: boolean): Type & { readonly layout: StructLayout<Fields> } {
  const named = types.map((type, index) => [`f${index}`, type] as const);
  const layout = struct(Object.fromEntries(named.map(([name, type]) => [name, type.layout])), { packed });
  const members = named.map(([name, type]) => `${type.declare(name)};`).join(" ");
  const attribute = packed ? "__attribute__((packed)) " : "";
  const values = fc.record(Object.fromEntries(named.map(([name, type]) => [name, type.values])), {
    noNullPrototype: true,
  });
  const offsets = new Map<string, number>();
  for (const { name, offset } of layout.fields) {
    offsets.set(name, offset);
    const inner = named.find(([field]) => field === name)?.[1].offsets ?? NO_OFFSETS;
    for (const [path, distance] of inner) offsets.set(`${name}.${path}`, offset + distance);
  }
  return { layout, declare: (name) => `struct ${attribute}{ ${members} } ${name}`, values, offsets };
}

const { type, structure } = fc.letrec<{ type: Type; structure: Type }>((tie) => ({
  type: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { arbitrary: fc.constantFrom(...scalars), weight: 8 },
    { arbitrary: byteTypes, weight: 1 },
    { arbitrary: stringTypes, weight: 1 },
    { arbitrary: tie("structure"), weight: 2 },
    { arbitrary: fc.tuple(tie("type"), fc.integer({ min: 0, max: 9 })).map(([of, n]) => arrayType(of, n)), weight: 2 },
  ),
  structure: fc
    .tuple(fc.array(tie("type"), { maxLength: 8 }), fc.boolean())
    .map(([types, packed]) => structType(types, packed)),
}));

afterEach(() => setCodeGeneration(undefined));

test("a value of any type comes back, and both ways of compiling have the same bytes for it", () => {
  const typeAndValue = type.chain((type) => type.values.map((value) => ({ type, value })));
  fc.assert(
    fc.property(typeAndValue, ({ type: { layout, declare }, value }) => {
      const [compiled, composed] = [undefined, false].map((allow) => {
        setCodeGeneration(allow);
        const fresh = struct({ before: u8, it: layout, after: u8 });
        const whole = { before: 1, it: value, after: 2 };
        fresh.check(whole);
        const bytes = fresh.encode(whole);
        assert.deepEqual(fresh.decode(bytes), whole, declare("it"));
        return { bytes, layout: fresh };
      });
      assert.deepEqual(compiled?.bytes, composed?.bytes, declare("it"));
    }),
    { numRuns: 500 },
  );
});

test("a value of any type leaves no byte unwritten", () => {
  const typeAndValue = structure.chain((type) => type.values.map((value) => ({ type, value })));
  for (const allow of [undefined, false]) {
    setCodeGeneration(allow);
    fc.assert(
      fc.property(typeAndValue, ({ type: { layout, declare }, value }) => {
        const [zeros, ones] = [0, 0xff].map((before) => {
          const u8 = new Uint8Array(layout.size).fill(before);
          layout.write({ u8, view: new DataView(u8.buffer) }, 0, value);
          return u8;
        });
        assert.deepEqual(zeros, ones, declare("it"));
      }),
    );
  }
});

const compiler = spawnSync("cc", ["--version"]).error === undefined;
const skip = !compiler && process.env["CI"] !== "true" && "there is no C compiler `cc` to ask";

test("a struct lies in memory as the C compiler has it", { skip }, () => {
  const seed = 1000;
  const structs = fc.sample(structure, { numRuns: STRUCTS, seed });
  const measured = measureInC(structs);
  structs.forEach(({ layout, declare, offsets }, index) => {
    const about = `seed ${seed}: ${declare("it")}`;
    const expected = [layout.size, layout.align, ...offsets.values()];
    assert.deepEqual(expected, measured[index], about);
  });
});

/** `sizeof`, `_Alignof` and each `offsetof` of each struct, as a C program prints them. */
function measureInC(structs: readonly Type[]): number[][] {
  const prints = structs.map(({ declare, offsets }, index) => {
    const fields = [...offsets.keys()].map((path) => `offsetof(t${index}, ${path})`);
    const numbers = [`sizeof(t${index})`, `_Alignof(t${index})`, ...fields];
    return `{ typedef ${declare(`t${index}`)}; ${numbers.map((n) => `printf("%zu ", (size_t)${n});`).join(" ")} puts(""); }`;
  });
  const source = `
    #include <netinet/in.h>
    #include <stddef.h>
    #include <stdio.h>
    enum protocol { ICMP = 1, TCP = 6, UDP = 17 };
    int main(void) { ${prints.join("\n")} return 0; }
  `;
  const directory = mkdtempSync(join(tmpdir(), "mapiary-layout-"));
  try {
    writeFileSync(join(directory, "measure.c"), source);
    run("cc", ["-o", join(directory, "measure"), join(directory, "measure.c")]);
    const lines = run(join(directory, "measure"), []).trimEnd().split("\n");
    return lines.map((line) => line.trim().split(" ").map(Number));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  assert.equal(status, 0, `${command}: ${error?.message ?? stderr}`);
  return stdout;
}

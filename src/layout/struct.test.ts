import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ipv4 } from "./address.ts";
import { array } from "./array.ts";
import { setCodeGeneration } from "./compile.ts";
import { enumOf } from "./enum.ts";
import type { Layout, Value } from "./layout.ts";
import { bool, u8, u16, u32 } from "./scalar.ts";
import { type StructField, struct, structAt } from "./struct.ts";
import { cstring } from "./text.ts";
import { type BigIntLayout, u64 } from "./wide.ts";

const STRANGE_NAMES = [
  ...["constructor", "toString", "hasOwnProperty", "valueOf", "prototype", "value", "memory", "view", "u8", "address"],
  ...[
    'a"b',
    "a'b",
    "a`b",
    "\u0024{x}",
    "a\\",
    "a b",
    "",
    "1a",
    "-1",
    "1.5",
    "\n",
    "\u2028",
    "\0",
    "*/",
    "//",
    "日本",
    "🐝",
  ],
  ...["if", "return", "this", "null", "c0", "v0", "];throw 1;//", '"];process.exit(1);//'],
];

for (const path of ["as the platform has it", "composed of closures"]) {
  describe(`a struct, ${path}`, () => {
    before(() => setCodeGeneration(path === "composed of closures" ? false : undefined));
    after(() => setCodeGeneration(undefined));

    test("has its fields where C has them, and zeros between them", () => {
      const layout = struct({ seen: bool, hits: u64, port: u16 });
      assert.deepEqual([layout.size, layout.align], [24, 8]);
      const u8 = new Uint8Array(26).fill(0xee);
      layout.write({ u8, view: new DataView(u8.buffer) }, 1, { seen: true, hits: 258n, port: 443 });
      const expected = [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0, 0, 0];
      assert.deepEqual(u8, Uint8Array.of(0xee, ...expected, 0xee));
    });

    test("reads a plain object with its fields in order", () => {
      const layout = struct({ b: u8, a: u8 });
      const value = layout.decode(Uint8Array.of(1, 2));
      assert.deepEqual(Object.entries(value), [
        ["b", 1],
        ["a", 2],
      ]);
      assert.equal(Object.getPrototypeOf(value), Object.prototype);
    });

    test("packed has no padding", () => {
      const layout = struct({ seen: bool, hits: u64 }, { packed: true });
      assert.deepEqual([layout.name, layout.size, layout.align], ["packed struct { seen: bool, hits: u64 }", 9, 1]);
      assert.deepEqual(layout.encode({ seen: true, hits: 2n }), Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0, 0));
    });

    test("may be empty", () => {
      const layout = struct({});
      assert.deepEqual([layout.name, layout.size, layout.align], ["struct {}", 0, 1]);
      assert.deepEqual(layout.decode(layout.encode({})), {});
      assert.throws(() => layout.encode(null as never), TypeError);
    });

    test("nests", () => {
      const flow = struct({ address: ipv4, port: u16 });
      const layout = struct({ name: cstring(5), flows: array(flow, 2), bits: array(u8, 30), kind: enumOf({ A: 1 }) });
      const value: Value<typeof layout> = {
        name: "a",
        flows: [
          { address: "10.0.0.1", port: 80 },
          { address: "10.0.0.2", port: 443 },
        ],
        bits: Array.from({ length: 30 }, (_, i) => i),
        kind: "A",
      };
      layout.check(value);
      assert.deepEqual(layout.decode(layout.encode(value)), value);
    });

    test("nests deeper than code is written out, and reads the same", () => {
      let layout: Layout<unknown> = u8;
      let value: unknown = 7;
      for (let depth = 0; depth < 9; depth++) {
        layout = struct({ left: layout, right: layout });
        value = { left: value, right: value };
      }
      layout.check(value);
      assert.deepEqual(layout.decode(layout.encode(value)), value);
    });

    test("says which field is wrong, and where it is", () => {
      const layout = struct({ hits: u64 });
      const error = {
        name: "TypeError",
        message: "struct { hits: u64 }: field hits: u64: expected a bigint, got number 5 (use 5n, or u64.number)",
      };
      assert.throws(() => layout.encode({ hits: 5 } as never), error);
      assert.throws(() => layout.check({ hits: 5 } as never), error);

      const outer = struct({ list: array(struct({ port: u16 }), 3), "a b": u8 }, { name: "outer" });
      const list = [{ port: 1 }, { port: 2 }, { port: 65536 }];
      assert.throws(() => outer.encode({ list, "a b": 1 }), {
        name: "RangeError",
        message: "struct outer: field list[2].port: u16: 65536 is out of range, 0 to 65535",
      });
      assert.throws(() => outer.encode({ list: list.slice(0, 2).concat({ port: 3 }), "a b": -1 }), {
        message: 'struct outer: field ["a b"]: u8: -1 is out of range, 0 to 255',
      });
    });

    test("with a field missing is refused", () => {
      const layout = struct({ hits: u64, seen: u64 });
      for (const value of [{ hits: 1n }, { hits: 1n, seen: undefined }, Object.create(null), []]) {
        assert.throws(() => layout.encode(value as never), { name: "TypeError", message: /: field \w+ is missing$/ });
        assert.throws(() => layout.check(value as never), { name: "TypeError", message: /: field \w+ is missing$/ });
      }
    });

    test("with an unknown field is refused, and the nearest name is told", () => {
      const layout = struct({ hits: u64, seen: u64 }, { name: "counter" });
      const value = { hits: 1n, seen: 2n, sen: 3n };
      const error = { name: "TypeError", message: "struct counter: unknown field sen; did you mean seen?" };
      assert.throws(() => layout.encode(value), error);
      assert.throws(() => layout.check(value), error);
      assert.throws(() => layout.encode({ hits: 1n, sen: 3n } as never), error);
      assert.throws(() => layout.encode({ ...value, sen: 3n, x: 1 } as never), error);
    });

    test("is an object and nothing else", () => {
      const layout = struct({ length: u32 });
      for (const value of [null, undefined, 5, "abc", (_: number) => 5, Symbol("x")]) {
        assert.throws(() => layout.encode(value as never), { name: "TypeError" });
        assert.throws(() => layout.check(value as never), { name: "TypeError" });
      }
      assert.throws(() => layout.encode("abc" as never), /expected an object, got string "abc"$/);
    });

    test("takes an instance of a class, whose accessors are inherited", () => {
      class Counter {
        seen = 1;
        get hits() {
          return 2;
        }
      }
      const layout = struct({ seen: u8, hits: u8 });
      layout.check(new Counter());
      assert.deepEqual(layout.encode(new Counter()), Uint8Array.of(1, 2));
    });

    test("whose value changes while it is written is refused, and an error of an accessor comes through", () => {
      let calls = 0;
      const fickle = {
        get hits() {
          return calls++ === 0 ? -1 : 1;
        },
      };
      assert.throws(() => struct({ hits: u8 }).encode(fickle), Error);
      const failing = {
        get hits(): number {
          throw new Error("no hits today");
        },
      };
      assert.throws(() => struct({ hits: u8 }).encode(failing), { message: "no hits today" });
    });

    test("says which field cannot be read", () => {
      const layout = struct({ at: u8, inner: struct({ kind: enumOf({ A: 1 }) }) }, { name: "outer" });
      assert.throws(() => layout.decode(new Uint8Array(8)), {
        name: "RangeError",
        message: "struct outer: field inner.kind: enum: 0 has no name; the enum is { A: 1 }",
      });
    });

    test("may have fields of any name but __proto__ and integers", () => {
      const fields = Object.fromEntries(STRANGE_NAMES.map((name) => [name, u8]));
      const value = Object.fromEntries(STRANGE_NAMES.map((name, index) => [name, index]));
      const layout = struct(fields);
      layout.check(value);
      assert.deepEqual(layout.encode(value), Uint8Array.from(STRANGE_NAMES.keys()));
      assert.deepEqual(layout.decode(layout.encode(value)), value);
      for (const name of STRANGE_NAMES) {
        const single = struct({ [name]: u8 });
        assert.deepEqual(single.decode(single.encode({ [name]: 5 })), { [name]: 5 });
        assert.throws(() => single.encode({}), TypeError, name);
        assert.throws(() => single.encode({ [name]: 256 }), RangeError, name);
      }
    });

    test("takes a user's own layout as a field", () => {
      const layout = struct({ at: u8, when: dateLayout() }, { name: "event" });
      assert.deepEqual([layout.size, layout.align], [16, 8]);
      const value = { at: 1, when: new Date(1e12) };
      layout.check(value);
      assert.deepEqual(layout.decode(layout.encode(value)), value);
      assert.throws(() => layout.encode({ at: 1, when: 5 as never }), {
        name: "TypeError",
        message: "struct event: field when: date: not a Date",
      });
      assert.throws(() => layout.check({ at: 1 } as never), { message: "struct event: field when is missing" });
      assert.throws(() => layout.encode({ at: 1 } as never), { message: "struct event: field when is missing" });
    });

    test("works by functions that were taken off it before their first call", () => {
      const { read, write, check } = struct({ hits: u8 });
      const u8Array = new Uint8Array(1);
      const memory = { u8: u8Array, view: new DataView(u8Array.buffer) };
      for (const hits of [1, 2]) {
        check({ hits });
        write(memory, 0, { hits });
        assert.deepEqual(read(memory, 0), { hits });
      }
    });
  });
}

test("a struct tells the offsets of its fields", () => {
  const layout = struct({ seen: bool, hits: u64 });
  assert.deepEqual(layout.fields, [
    { name: "seen", offset: 0, layout: bool },
    { name: "hits", offset: 8, layout: u64 },
  ]);
  assert.ok(Object.isFrozen(layout.fields));
  const fields: readonly (StructField<"seen", Layout<boolean>> | StructField<"hits", BigIntLayout>)[] = layout.fields;
  assert.equal(fields.length, 2);
});

test("a field cannot be named __proto__ or by an integer", () => {
  const message = /a field cannot be named "__proto__": object literals keep that name for themselves/;
  assert.throws(() => struct({ ["__proto__"]: u8 }), { name: "TypeError", message });
  assert.throws(() => struct({ __proto__: u8, a: u8 } as never), { name: "TypeError", message });
  assert.throws(() => struct({ b: u8, 1: u8 }), /cannot be named "1": objects put integers before all other names/);
});

test("a struct is made of layouts", () => {
  assert.throws(() => struct({ hits: undefined } as never), {
    name: "TypeError",
    message: "struct: field hits: expected a layout, got undefined",
  });
  assert.throws(() => struct({ hits: "u32" } as never), TypeError);
  assert.throws(() => struct(undefined as never), { message: "struct: expected its fields as an object" });
});

test("the name of a struct lists its fields, cut when they are many, unless it is given one", () => {
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`field${i}`, u8]));
  assert.ok(struct(fields).name.length < 140);
  assert.match(struct(fields).name, /^struct \{ field0: u8, .*… \}$/);
  assert.equal(struct(fields, { name: "many" }).name, "struct many");
});

test("a struct whose offsets are given has its fields there, and zeros elsewhere", () => {
  const fields = [
    { name: "late", offset: 9, layout: u8 },
    { name: "early", offset: 2, layout: u16 },
  ];
  const layout = structAt("struct given", fields, 12, 1);
  assert.deepEqual([layout.name, layout.size, layout.align], ["struct given", 12, 1]);
  const u8Array = new Uint8Array(12).fill(0xee);
  layout.write({ u8: u8Array, view: new DataView(u8Array.buffer) }, 0, { late: 1, early: 2 });
  assert.deepEqual(u8Array, Uint8Array.of(0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0));
  assert.deepEqual(layout.decode(u8Array), { late: 1, early: 2 });
});

test("a struct whose offsets are given refuses fields that cannot be", () => {
  const at = (name: string, offset: number) => ({ name, offset, layout: u32 });
  assert.throws(() => structAt("struct s", [at("a", 1)], 4, 1), {
    name: "RangeError",
    message: "struct s: field a ends at 5, beyond its 4 bytes",
  });
  assert.throws(() => structAt("struct s", [at("a", 0), at("a", 4)], 8, 1), {
    message: "struct s: two fields have the same name",
  });
  assert.throws(() => structAt("struct s", [at("__proto__", 0)], 4, 1), TypeError);
  assert.throws(() => structAt("struct s", [], 2 ** 33, 1), RangeError);
});

test("the type of values is known at compile time", () => {
  type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
  const inner = struct({ name: cstring(8), kind: enumOf({ A: 0, B: 1 }) });
  const layout = struct({ hits: u64, seen: bool, inner, ports: array(u16, 2) });
  const exact: Equal<
    Value<typeof layout>,
    { hits: bigint; seen: boolean; inner: { name: string; kind: "A" | "B" }; ports: number[] }
  > = true;
  assert.ok(exact);

  const value: Value<typeof layout> = { hits: 1n, seen: true, inner: { name: "a", kind: "B" }, ports: [1, 2] };
  value.hits = 2n;
  layout.check(value);
  // @ts-expect-error a number is no u64
  assert.throws(() => layout.check({ ...value, hits: 1 }), TypeError);
  // @ts-expect-error a field is missing
  assert.throws(() => layout.check({ hits: 1n }), TypeError);
  // @ts-expect-error a field is unknown
  assert.throws(() => struct({ hits: u64 }).check({ hits: 1n, seen: true }), TypeError);
  // @ts-expect-error C is not in the enum
  assert.throws(() => inner.check({ name: "a", kind: "C" }), RangeError);
});

/** What a user may write: a layout of nothing but the public interface. */
function dateLayout(): Layout<Date> {
  const alone = () => {
    throw new Error("a field is not encoded by itself");
  };
  return {
    name: "date",
    size: 8,
    align: 8,
    read: (memory, address) => new Date(memory.view.getFloat64(address, true)),
    write(memory, address, value) {
      this.check(value);
      memory.view.setFloat64(address, value.getTime(), true);
    },
    check(value) {
      if (value !== undefined && !(value instanceof Date)) throw new TypeError("date: not a Date");
    },
    encode: alone,
    decode: alone,
  };
}

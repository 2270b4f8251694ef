/**
 * What compiles and what does not: the types of maps follow from what they are made of. The type checker reads these
 * tests; they run too, since what does not compile must fail in JavaScript as well.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ArrayMap,
  array,
  type Bpf,
  bool,
  bytes,
  cstring,
  embedded,
  enumOf,
  type HashMap,
  ipv4,
  type KeyedMap,
  type LruHashMap,
  type LruPercpuHashMap,
  type MapFlagName,
  type PercpuArrayMap,
  type PercpuHashMap,
  type PercpuValues,
  struct,
  u8,
  u32,
  u64,
  type Value,
} from "mapiary";
import { linux } from "mapiary/linux";

/** `true` when two types are the same: neither wider, nor narrower, nor `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when a value has exactly this type: `exactly<number>()(value)`. */
const exactly =
  <Expected>() =>
  <Actual>(_value: Actual, ..._same: Same<Actual, Expected> extends true ? [] : [expected: Expected]): void => {};

test("a type that is not exactly the expected one does not compile", () => {
  // @ts-expect-error: a string is no number
  exactly<number>()("1");
  // @ts-expect-error: a number is not as wide
  exactly<number | string>()(1 as number);
  // @ts-expect-error: a number is not as narrow
  exactly<1>()(1 as number);
  // @ts-expect-error: any is anything
  exactly<number>()(JSON.parse("1"));
  exactly<number>()(1 as number);
});

describe("createMap", () => {
  test('of type "hash" is a HashMap of the layouts\' types', () => {
    using bpf = embedded();
    exactly<HashMap<number, bigint>>()(bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 }));
    exactly<HashMap<string, { packets: bigint; bytes: bigint }>>()(
      bpf.createMap({ type: "hash", key: ipv4, value: struct({ packets: u64, bytes: u64 }), maxEntries: 4 }),
    );
    exactly<HashMap<Uint8Array, boolean>>()(bpf.createMap({ type: "hash", key: bytes(6), value: bool, maxEntries: 4 }));
    exactly<HashMap<string, number[]>>()(
      bpf.createMap({ type: "hash", key: cstring(16), value: array(u8, 3), maxEntries: 4 }),
    );
  });

  test('of type "array" is an ArrayMap by number', () => {
    using bpf = embedded();
    exactly<ArrayMap<number, bigint>>()(bpf.createMap({ type: "array", value: u64, maxEntries: 4 }));
    exactly<ArrayMap<number, bigint>>()(bpf.createMap({ type: "array", key: u32, value: u64, maxEntries: 4 }));
  });

  test('of type "array" with an enum is an ArrayMap by its names', () => {
    using bpf = embedded();
    const counter = enumOf({ seen: 0, dropped: 1 });
    const map = bpf.createMap({ type: "array", key: counter, value: u64, maxEntries: 2 });
    exactly<ArrayMap<Value<typeof counter>, bigint>>()(map);
    map.set("seen", 1n);
    // @ts-expect-error: no such name
    assert.throws(() => map.set("lost", 1n));
  });

  test("is the same on every kernel", () => {
    exactly<Bpf>()(embedded());
    exactly<() => Bpf>()(() => linux());
  });

  test("needs maxEntries", () => {
    using bpf = embedded();
    // @ts-expect-error: maxEntries is missing
    assert.throws(() => bpf.createMap({ type: "hash", key: u32, value: u64 }));
    // @ts-expect-error: maxEntries is missing
    assert.throws(() => bpf.createMap({ type: "array", value: u64 }));
  });

  test("needs a value, and of a hash a key", () => {
    using bpf = embedded();
    // @ts-expect-error: value is missing
    assert.throws(() => bpf.createMap({ type: "array", maxEntries: 4 }));
    // @ts-expect-error: key is missing
    const keyless = () => bpf.createMap({ type: "hash", value: u64, maxEntries: 4 });
    assert.ok(keyless);
  });

  test("needs a type that there is", () => {
    using bpf = embedded();
    // @ts-expect-error: no such type
    assert.throws(() => bpf.createMap({ type: "hsah", key: u32, value: u64, maxEntries: 4 }));
    // @ts-expect-error: the type is missing
    assert.throws(() => bpf.createMap({ key: u32, value: u64, maxEntries: 4 }));
  });

  test("takes no attribute that there is not", () => {
    using bpf = embedded();
    // @ts-expect-error: maxEntries is meant
    const misspelt = () => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntires: 4 });
    assert.throws(misspelt);
    // @ts-expect-error: a flag is one of Linux's
    assert.throws(() => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4, flags: ["fast"] }));
    exactly<true>()(true as "zero_seed" extends MapFlagName ? true : false);
  });

  test("takes layouts, not numbers of bytes", () => {
    using bpf = embedded();
    // @ts-expect-error: a key is a layout
    assert.throws(() => bpf.createMap({ type: "hash", key: 4, value: u64, maxEntries: 4 }));
  });
});

describe("the methods of a hash map", () => {
  test("give and take its keys and values", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "hash", key: u32, value: struct({ hits: u64 }), maxEntries: 4 });
    exactly<HashMap<number, { hits: bigint }>>()(map.set(1, { hits: 1n }));
    exactly<{ hits: bigint } | undefined>()(map.get(1));
    exactly<boolean>()(map.has(1));
    exactly<{ hits: bigint } | undefined>()(map.take(1));
    exactly<boolean>()(map.delete(1));
    exactly<number>()(map.setMany([[1, { hits: 1n }]]));
    exactly<number>()(map.deleteMany([1]));
    exactly<[number, { hits: bigint }][]>()(map.drain());
    exactly<void>()(map.clear());
    exactly<number>()(map.count());
    exactly<number | undefined>()(map.nextKey());
    exactly<IterableIterator<number>>()(map.keys());
    exactly<IterableIterator<{ hits: bigint }>>()(map.values());
    exactly<IterableIterator<[number, { hits: bigint }]>>()(map.entries());
    exactly<[number, { hits: bigint }][]>()(map.lookupBatch(1).entries);
    for (const [key, value] of map) {
      exactly<number>()(key);
      exactly<{ hits: bigint }>()(value);
    }
    map.forEach((value, key, same) => {
      exactly<{ hits: bigint }>()(value);
      exactly<number>()(key);
      exactly<typeof map>()(same);
    });
    assert.equal(new Map(map).size, 0);
  });

  test("do not take another's keys", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    // @ts-expect-error: a key is a number
    assert.throws(() => map.get("1"));
    // @ts-expect-error: a key is a number
    assert.throws(() => map.get(1n));
    // @ts-expect-error: a key is a number
    assert.throws(() => map.has(undefined));
    // @ts-expect-error: a key is a number
    assert.throws(() => map.delete("1"));
    // @ts-expect-error: a key is a number
    assert.throws(() => map.take(null));
    // @ts-expect-error: a key is a number
    assert.throws(() => map.set("1", 1n));
    // @ts-expect-error: keys are numbers
    assert.throws(() => map.deleteMany(["1"]));
    // @ts-expect-error: keys are numbers
    assert.throws(() => map.setMany([["1", 1n]]));
  });

  test("do not take another's values", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    // @ts-expect-error: a value is a bigint
    assert.throws(() => map.set(1, "1"));
    // @ts-expect-error: a value is missing
    assert.throws(() => map.set(1));
    // @ts-expect-error: values are bigints
    assert.throws(() => map.setMany([[1, "1"]]));
    const structs = bpf.createMap({ type: "hash", key: u32, value: struct({ a: u32, b: u32 }), maxEntries: 4 });
    // @ts-expect-error: b is missing
    assert.throws(() => structs.set(1, { a: 1 }));
    // @ts-expect-error: b is no string
    assert.throws(() => structs.set(1, { a: 1, b: "2" }));
  });

  test("do not take another flag", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    // @ts-expect-error: "any", "noexist" or "exist"
    assert.throws(() => map.set(1, 1n, "create"));
    // @ts-expect-error: flags have names here
    assert.throws(() => map.set(1, 1n, 1));
  });

  test("do not let its properties be changed", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    assert.throws(() => {
      // @ts-expect-error: the fd is the map's own
      map.fd = 5;
    }, TypeError);
  });
});

describe("an array map", () => {
  test("has no methods that delete", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "array", value: u64, maxEntries: 4 });
    // @ts-expect-error: an index is always there
    assert.equal(map.delete, undefined);
    // @ts-expect-error: an index is always there
    assert.equal(map.take, undefined);
    // @ts-expect-error: an index is always there
    assert.equal(map.deleteMany, undefined);
    // @ts-expect-error: an index is always there
    assert.equal(map.drain, undefined);
    // @ts-expect-error: an index is always there
    assert.equal(map.clear, undefined);
  });

  test("is not a hash map, but both are keyed maps", () => {
    using bpf = embedded();
    const list = bpf.createMap({ type: "array", value: u64, maxEntries: 4 });
    const hash = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    const total = (map: KeyedMap<number, bigint>): bigint => [...map.values()].reduce((a, b) => a + b, 0n);
    assert.equal(total(list), 0n);
    assert.equal(total(hash), 0n);
    // @ts-expect-error: an array cannot delete
    const deletes: HashMap<number, bigint> = list;
    assert.ok(deletes);
  });

  test("has values that may be missing, past the end", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "array", value: u64, maxEntries: 4 });
    exactly<bigint | undefined>()(map.get(0));
    assert.equal(map.get(4), undefined);
  });
});

describe("a per-CPU map", () => {
  test("gives and takes an array of one CPU's values", () => {
    using bpf = embedded({ possibleCpus: 2 });
    const hash = bpf.createMap({ type: "percpu_hash", key: u32, value: struct({ hits: u64 }), maxEntries: 4 });
    exactly<PercpuHashMap<number, { hits: bigint }>>()(hash);
    exactly<PercpuValues<{ hits: bigint }> | undefined>()(hash.get(1));
    exactly<PercpuValues<{ hits: bigint }> | undefined>()(hash.take(1));
    exactly<[number, PercpuValues<{ hits: bigint }>][]>()(hash.drain());
    const list = bpf.createMap({ type: "percpu_array", value: u64, maxEntries: 4 });
    exactly<PercpuArrayMap<number, bigint>>()(list);
    exactly<PercpuArrayMap<number, bigint>>()(list.set(1, [1n, 2n]));
    exactly<IterableIterator<PercpuValues<bigint>>>()(list.values());
    const lru = bpf.createMap({ type: "lru_percpu_hash", key: ipv4, value: u32, maxEntries: 4 });
    exactly<LruPercpuHashMap<string, number>>()(lru);
    exactly<PercpuValues<number> | undefined>()(lru.get("10.0.0.1"));
  });

  test("takes no single value", () => {
    using bpf = embedded({ possibleCpus: 2 });
    const map = bpf.createMap({ type: "percpu_hash", key: u32, value: u64, maxEntries: 4 });
    // @ts-expect-error: a value for each CPU
    assert.throws(() => map.set(1, 1n), TypeError);
    // @ts-expect-error: values are bigints
    assert.throws(() => map.set(1, [1, 2]), TypeError);
  });

  test("that is an array has no methods that delete", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "percpu_array", value: u64, maxEntries: 4 });
    // @ts-expect-error: an index is always there
    assert.equal(map.delete, undefined);
    // @ts-expect-error: an index is always there
    assert.equal(map.take, undefined);
    // @ts-expect-error: an index is always there
    assert.equal(map.drain, undefined);
  });

  test("is opened with the layout of one CPU's value", () => {
    using bpf = embedded({ possibleCpus: 2 });
    using map = bpf.createMap({ type: "percpu_hash", key: u32, value: u64, maxEntries: 4 });
    const opened = bpf.mapById(map.id, { type: "percpu_hash", key: u32, value: u64 });
    exactly<PercpuHashMap<number, bigint>>()(opened);
    exactly<PercpuHashMap<unknown, unknown>>()(bpf.mapById(map.id, { type: "percpu_hash" }));
  });
});

describe("an LRU hash", () => {
  test("is a hash", () => {
    using bpf = embedded();
    const map = bpf.createMap({ type: "lru_hash", key: u32, value: u64, maxEntries: 4 });
    exactly<LruHashMap<number, bigint>>()(map);
    const hash: HashMap<number, bigint> = map;
    exactly<bigint | undefined>()(hash.take(1));
  });
});

describe("openMap and mapById", () => {
  test("give a keyed map of the layouts' types", () => {
    using bpf = embedded();
    using map = bpf.createMap({ type: "hash", name: "opened", key: u32, value: u64, maxEntries: 4 });
    exactly<KeyedMap<number, bigint>>()(bpf.openMap({ name: "opened" }, { key: u32, value: u64 }));
    exactly<KeyedMap<number, bigint>>()(bpf.mapById(map.id, { key: u32, value: u64 }));
  });

  test("say nothing of what BTF says, where no layout is given", () => {
    using bpf = embedded();
    using map = bpf.createMap({ type: "hash", name: "opened", key: u32, value: u64, maxEntries: 4 });
    exactly<KeyedMap<unknown, unknown>>()(bpf.openMap({ name: "opened" }));
    exactly<KeyedMap<unknown, unknown>>()(bpf.mapById(map.id, { access: "read" }));
    exactly<KeyedMap<number, unknown>>()(bpf.mapById(map.id, { key: u32 }));
    exactly<KeyedMap<unknown, bigint>>()(bpf.mapById(map.id, { value: u64 }));
  });

  test("take no other access", () => {
    using bpf = embedded();
    using map = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    // @ts-expect-error: "read", "write" or "readwrite"
    const execute = () => bpf.mapById(map.id, { access: "execute" });
    assert.ok(execute);
  });

  test("give no deleting methods before the type of the map is known", () => {
    using bpf = embedded();
    using map = bpf.createMap({ type: "array", value: u64, maxEntries: 4 });
    const opened = bpf.mapById(map.id);
    // @ts-expect-error: it may be an array
    assert.equal(opened.delete, undefined);
  });
});

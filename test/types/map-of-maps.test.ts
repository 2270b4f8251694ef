/** What compiles of maps of maps: the maps that are in one have the type that `inner` describes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ArrayMap,
  type ArrayOfMaps,
  embedded,
  type HashMap,
  type HashOfMaps,
  type MapOfMaps,
  type PercpuArrayMap,
  type Queue,
  struct,
  u32,
  u64,
} from "mapiary";

/** `true` when two types are the same: neither wider, nor narrower, nor `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when a value has exactly this type: `exactly<number>()(value)`. */
const exactly =
  <Expected>() =>
  <Actual>(_value: Actual, ..._same: Same<Actual, Expected> extends true ? [] : [expected: Expected]): void => {};

describe("createMap", () => {
  test("of maps by spec holds maps of the spec's class and layouts", () => {
    using bpf = embedded();
    const arrays = { type: "array", value: u64, maxEntries: 4 } as const;
    exactly<HashOfMaps<number, ArrayMap<number, bigint>>>()(
      bpf.createMap({
        type: "hash_of_maps",
        key: u32,
        inner: { type: "array", value: u64, maxEntries: 4 },
        maxEntries: 1,
      }),
    );
    exactly<ArrayOfMaps<number, ArrayMap<number, bigint>>>()(
      bpf.createMap({ type: "array_of_maps", inner: arrays, maxEntries: 1 }),
    );
    exactly<ArrayOfMaps<number, HashMap<bigint, { hits: number }>>>()(
      bpf.createMap({
        type: "array_of_maps",
        inner: { type: "hash", key: u64, value: struct({ hits: u32 }), maxEntries: 4 },
        maxEntries: 1,
      }),
    );
    exactly<ArrayOfMaps<number, Queue<number>>>()(
      bpf.createMap({ type: "array_of_maps", inner: { type: "queue", value: u32, maxEntries: 4 }, maxEntries: 1 }),
    );
    exactly<ArrayOfMaps<number, PercpuArrayMap<number, bigint>>>()(
      bpf.createMap({
        type: "array_of_maps",
        inner: { type: "percpu_array", value: u64, maxEntries: 4 },
        maxEntries: 1,
      }),
    );
  });

  test("of maps like another holds maps of its type", () => {
    using bpf = embedded();
    const like = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    const outer = bpf.createMap({ type: "hash_of_maps", key: u32, inner: like, maxEntries: 1 });
    exactly<HashOfMaps<number, HashMap<number, bigint>>>()(outer);
    exactly<HashMap<number, bigint> | undefined>()(outer.get(1));
  });

  test("needs inner, and takes no value", () => {
    using bpf = embedded();
    // @ts-expect-error: inner is missing
    assert.throws(() => bpf.createMap({ type: "hash_of_maps", key: u32, maxEntries: 1 }));
    const arrays = { type: "array", value: u64, maxEntries: 4 } as const;
    // @ts-expect-error: a value is a map
    const valued = () => bpf.createMap({ type: "array_of_maps", value: u64, inner: arrays, maxEntries: 1 });
    assert.ok(valued);
    // @ts-expect-error: a hash holds no maps
    const hash = () => bpf.createMap({ type: "hash", key: u32, value: u64, inner: arrays, maxEntries: 1 });
    assert.ok(hash);
  });

  test("takes no spec of a map of maps", () => {
    using bpf = embedded();
    const inner = {
      type: "array_of_maps",
      inner: { type: "array", value: u64, maxEntries: 4 },
      maxEntries: 1,
    } as const;
    // @ts-expect-error: maps of maps go one level deep
    assert.throws(() => bpf.createMap({ type: "array_of_maps", inner, maxEntries: 1 }));
  });
});

describe("a map of maps", () => {
  const maps = () => {
    const bpf = embedded();
    const inner = { type: "array", value: u64, maxEntries: 4 } as const;
    const hash = bpf.createMap({ type: "hash_of_maps", key: u32, inner, maxEntries: 4 });
    const list = bpf.createMap({ type: "array_of_maps", inner, maxEntries: 4 });
    return { bpf, hash, list, map: bpf.createMap(inner), [Symbol.dispose]: () => bpf.close() };
  };

  test("takes only maps of its inner type", () => {
    using scene = maps();
    const { bpf, hash, map } = scene;
    // @ts-expect-error: values of 4 bytes
    assert.throws(() => hash.set(1, bpf.createMap({ type: "array", value: u32, maxEntries: 4 })));
    const like = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
    const ofHashes = bpf.createMap({ type: "hash_of_maps", key: u32, inner: like, maxEntries: 4 });
    // @ts-expect-error: an array is no hash
    assert.throws(() => ofHashes.set(1, map));
    // @ts-expect-error: an fd is no map
    assert.throws(() => hash.set(1, 5));
  });

  test("gives keys, maps and ids", () => {
    using scene = maps();
    const { hash, map } = scene;
    exactly<typeof hash>()(hash.set(1, map));
    exactly<IterableIterator<[number, number]>>()(hash.ids());
    exactly<number | undefined>()(hash.idOf(1));
    exactly<IterableIterator<ArrayMap<number, bigint>>>()(hash.values());
    for (const [key, inner] of hash) {
      exactly<number>()(key);
      exactly<ArrayMap<number, bigint>>()(inner);
    }
  });

  test("of arrays takes no flag: there is none but any", () => {
    using scene = maps();
    const { hash, list, map } = scene;
    hash.set(1, map, "noexist");
    // @ts-expect-error: no flag
    assert.throws(() => list.set(1, map, "noexist"), { code: "EINVAL", message: /takes BPF_ANY alone/ });
  });

  test("has nothing that takes, and of arrays nothing that clears", () => {
    using scene = maps();
    const { hash, list } = scene;
    // @ts-expect-error: ENOTSUPP on Linux
    assert.equal(hash.take, undefined);
    // @ts-expect-error: what is taken is gone
    assert.equal(hash.drain, undefined);
    // @ts-expect-error: no batch deletes
    assert.equal(list.clear, undefined);
  });
});

describe("openMap and mapById", () => {
  test("give the maps that inner describes", () => {
    using bpf = embedded();
    const inner = { type: "array", value: u64, maxEntries: 4 } as const;
    const { id } = bpf.createMap({ type: "hash_of_maps", name: "outer", key: u32, inner, maxEntries: 4 });
    const read = { type: "array", value: u64 } as const;
    exactly<MapOfMaps<number, ArrayMap<number, bigint>>>()(bpf.openMap({ name: "outer" }, { key: u32, inner: read }));
    exactly<MapOfMaps<number, ArrayMap<number, bigint>>>()(bpf.mapById(id, { key: u32, inner: read }));
    exactly<HashOfMaps<number, ArrayMap<number, bigint>>>()(
      bpf.mapById(id, { type: "hash_of_maps", key: u32, inner: read }),
    );
    exactly<HashOfMaps<number, ArrayMap<number, Uint8Array>>>()(
      bpf.mapById(id, { type: "hash_of_maps", key: u32, inner: { type: "array" } }),
    );
  });
});

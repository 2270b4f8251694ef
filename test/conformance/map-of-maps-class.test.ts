/** The typed maps of maps: every method of their public face, and who closes what. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ArrayMap, type Bpf, BpfError, embedded, type Sys, u32, u64 } from "mapiary";
import { onEveryKernel, type TestKernel, withTypes } from "../kernels.ts";
import { gone, lives } from "./lifetime.ts";

const COUNTERS = { type: "array", value: u64, maxEntries: 4 } as const;

/** BPF on a kernel that counts the fds it opens and those that are closed. */
class Counted implements Disposable {
  readonly bpf: Bpf;
  #open = 0;

  constructor(kernel: TestKernel) {
    this.bpf = kernel.open();
    const { sys } = this.bpf;
    this.#count(sys, "mapCreate", 1);
    this.#count(sys, "mapGetFdById", 1);
    this.#count(sys, "btfLoad", 1);
    this.#count(sys, "btfGetFdById", 1);
    this.#count(sys, "close", -1);
  }

  /** How many fds are open more than were closed. */
  get open(): number {
    return this.#open;
  }

  #count(sys: Sys, command: "mapCreate" | "mapGetFdById" | "btfLoad" | "btfGetFdById" | "close", by: number): void {
    const call = sys[command].bind(sys) as (...args: unknown[]) => number;
    const counted = (...args: unknown[]): number => {
      const result = call(...args);
      if (result >= 0) this.#open += by;
      return result;
    };
    Object.assign(sys, { [command]: counted });
  }

  [Symbol.dispose](): void {
    this.bpf.close();
  }
}

function outerOf(bpf: Bpf) {
  return bpf.createMap({ type: "hash_of_maps", name: "outer", key: u32, inner: COUNTERS, maxEntries: 4 });
}

/** A map that is in the outer one under a key, and has the key in its first element. */
function add(bpf: Bpf, outer: { set(key: number, map: ArrayMap<number, bigint>): unknown }, key: number): number {
  using map = bpf.createMap(COUNTERS);
  map.set(0, BigInt(key));
  outer.set(key, map);
  return map.id;
}

onEveryKernel((kernel) => {
  describe("createMap", () => {
    test("makes a template of a spec, and closes it at once", () => {
      using counted = new Counted(kernel);
      using outer = outerOf(counted.bpf);
      assert.equal(outer.type, "hash_of_maps");
      assert.equal(counted.open, 1);
    });

    test("takes a map that all are made like, and leaves it open", () => {
      using bpf = kernel.open();
      using like = bpf.createMap(COUNTERS);
      using outer = bpf.createMap({ type: "array_of_maps", inner: like, maxEntries: 2 });
      outer.set(1, like);
      like.set(0, 5n);
      using inner = outer.get(1);
      assert.equal(inner?.get(0), 5n);
    });

    test("takes maps of every class", () => {
      using bpf = kernel.open();
      using queues = bpf.createMap({
        type: "hash_of_maps",
        key: u32,
        inner: { type: "queue", value: u32, maxEntries: 4 },
        maxEntries: 2,
      });
      using queue = bpf.createMap({ type: "queue", value: u32, maxEntries: 9 });
      queues.set(1, queue);
      using inner = queues.get(1);
      inner?.push(5);
      assert.equal(queue.pop(), 5);

      using perCpu = bpf.createMap({ type: "percpu_hash", key: u32, value: u32, maxEntries: 4 });
      using byCpu = bpf.createMap({ type: "array_of_maps", inner: perCpu, maxEntries: 1 });
      byCpu.set(0, perCpu);
      const values = Array.from({ length: bpf.possibleCpus }, (_, cpu) => cpu);
      perCpu.set(1, values);
      using innerPerCpu = byCpu.get(0);
      assert.deepEqual(innerPerCpu?.get(1), values);

      using rings = bpf.createMap({
        type: "array_of_maps",
        inner: { type: "ringbuf", maxEntries: 65536 },
        maxEntries: 1,
      });
      using ring = bpf.createMap({ type: "ringbuf", maxEntries: 131072 });
      rings.set(0, ring);
      assert.equal(rings.idOf(0), ring.id);
    });

    test("without inner is a TypeError that says so", () => {
      using bpf = kernel.open();
      const make = () => bpf.createMap({ type: "hash_of_maps", key: u32, maxEntries: 1 } as never);
      assert.throws(make, { name: "TypeError", message: /of type hash_of_maps needs inner/ });
    });

    withTypes(kernel, ["prog_array"], () => {
      test("names the type that no map of maps holds", () => {
        using bpf = kernel.open();
        const inner = { type: "prog_array", maxEntries: 4 } as const;
        assert.throws(() => bpf.createMap({ type: "array_of_maps", inner, maxEntries: 1 }), {
          code: "ENOTSUPP",
          message: /maps of type prog_array cannot be held by an array_of_maps/,
        });
      });
    });

    test("names a template that the kernel refuses", () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      const make = (inner: typeof outer) => () =>
        bpf.createMap({ type: "hash_of_maps", key: u32, inner, maxEntries: 1 });
      assert.throws(make(outer), { code: "EINVAL", message: /maps of maps go one level deep/ });
      outer.close();
      assert.throws(make(outer), { code: "EBADF", message: /innerMapFd is -1, which is no open map/ });
    });
  });

  describe("get, has and set", () => {
    test("get answers the map, opened, which is the caller's", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      const id = add(bpf, outer, 5);
      assert.equal(counted.open, 1);
      {
        using inner = outer.get(5);
        assert.equal(inner?.id, id);
        assert.equal(inner?.get(0), 5n);
        inner?.set(1, 7n);
        assert.equal(counted.open, 2);
      }
      assert.equal(counted.open, 1);
      using again = outer.get(5);
      assert.equal(again?.get(1), 7n);
    });

    test("a missing key is undefined", () => {
      using counted = new Counted(kernel);
      using outer = outerOf(counted.bpf);
      assert.equal(outer.get(5), undefined);
      assert.equal(outer.has(5), false);
      assert.equal(outer.idOf(5), undefined);
      assert.equal(counted.open, 1);
    });

    test("has and idOf open nothing", () => {
      using counted = new Counted(kernel);
      using outer = outerOf(counted.bpf);
      const id = add(counted.bpf, outer, 5);
      assert.equal(outer.has(5), true);
      assert.equal(outer.idOf(5), id);
      assert.equal(counted.open, 1);
    });

    test("set answers the outer map, and heeds the flag", () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      using map = bpf.createMap(COUNTERS);
      assert.throws(() => outer.set(1, map, "exist"), { code: "ENOENT" });
      assert.equal(outer.set(1, map, "noexist").set(1, map), outer);
      assert.throws(() => outer.set(1, map, "noexist"), { code: "EEXIST" });
    });

    test("a map that is made otherwise is EINVAL, and the message says so", () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      using longer = bpf.createMap({ ...COUNTERS, maxEntries: 5 });
      assert.throws(() => outer.set(1, longer), {
        code: "EINVAL",
        message: /the value is not the fd of a map made as its inner map is, which map outer holds/,
      });
    });

    test("arrays of every length are taken with the flag inner_map", () => {
      using bpf = kernel.open();
      const inner = { ...COUNTERS, flags: ["inner_map"] } as const;
      using outer = bpf.createMap({ type: "array_of_maps", inner, maxEntries: 1 });
      using longer = bpf.createMap({ ...inner, maxEntries: 9 });
      outer.set(0, longer);
      using got = outer.get(0);
      assert.equal(got?.maxEntries, 9);
    });

    test("a closed map is EBADF", () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      const map = bpf.createMap(COUNTERS);
      map.close();
      assert.throws(() => outer.set(1, map), { code: "EBADF", message: /the value is an fd that is not open/ });
    });

    test("what is no map, of another type or of another kernel is a TypeError", () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      using hash = bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 });
      using other = embedded();
      using elsewhere = other.createMap(COUNTERS);
      for (const wrong of [hash, 5, null, undefined, {}]) {
        assert.throws(() => outer.set(1, wrong as never), {
          name: "TypeError",
          message: /^expected a map of type array/,
        });
      }
      assert.throws(() => outer.set(1, elsewhere), { name: "TypeError", message: /on the same kernel/ });
    });
  });

  describe("setMany, delete, deleteMany and clear", () => {
    for (const type of ["array_of_maps", "hash_of_maps"] as const) {
      test(`of ${type}`, () => {
        using bpf = kernel.open();
        const spec = { inner: COUNTERS, key: u32, maxEntries: 4 };
        using outer = bpf.createMap({ type, ...spec } as { type: "hash_of_maps" } & typeof spec);
        using map = bpf.createMap(COUNTERS);
        assert.equal(
          outer.setMany([
            [0, map],
            [2, map],
            [3, map],
          ]),
          3,
        );
        assert.deepEqual([...outer.keys()].sort(), [0, 2, 3]);
        assert.equal(outer.count(), 3);
        assert.equal(outer.delete(2), true);
        assert.equal(outer.delete(2), false);
        assert.equal(outer.deleteMany([0, 1, 3]), 2);
        assert.equal(outer.count(), 0);
      });
    }

    test("clear deletes every key", async () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      const ids = [1, 2, 3].map((key) => add(bpf, outer, key));
      outer.clear();
      assert.equal(outer.count(), 0);
      for (const id of ids) await gone(bpf.sys, id);
    });

    test("an index past the end is E2BIG to set and to delete, and undefined to get", () => {
      using bpf = kernel.open();
      using outer = bpf.createMap({ type: "array_of_maps", name: "outer", inner: COUNTERS, maxEntries: 2 });
      using map = bpf.createMap(COUNTERS);
      assert.throws(() => outer.set(2, map), { code: "E2BIG", message: /index 2 is past the end of map outer/ });
      assert.throws(() => outer.delete(2), { code: "E2BIG", message: /index 2 is past the end of map outer/ });
      assert.equal(outer.get(2), undefined);
    });
  });

  describe("iteration", () => {
    test("opens each map when its turn comes, and leaves closing to the loop", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      for (const key of [1, 2, 3]) add(bpf, outer, key);
      const seen: bigint[] = [];
      for (const [key, opened] of outer) {
        using inner = opened;
        assert.equal(counted.open, 2);
        assert.equal(inner.get(0), BigInt(key));
        seen.push(BigInt(key));
      }
      assert.deepEqual(seen.sort(), [1n, 2n, 3n]);
      for (const opened of outer.values()) {
        opened.close();
        break;
      }
      assert.equal(counted.open, 1);
    });

    test("by keys, ids and count opens nothing", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      const expected = [1, 2].map((key) => [key, add(bpf, outer, key)]);
      assert.deepEqual([...outer.ids()].sort(), expected);
      assert.deepEqual([...outer.keys()].sort(), [1, 2]);
      assert.equal(outer.count(), 2);
      assert.equal(counted.open, 1);
    });

    test("by forEach closes each map when the call returns, or throws", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      for (const key of [1, 2]) add(bpf, outer, key);
      const seen: bigint[] = [];
      outer.forEach((inner) => {
        seen.push(inner.get(0) ?? -1n);
      });
      assert.deepEqual(seen.sort(), [1n, 2n]);
      assert.throws(() =>
        outer.forEach(() => {
          throw new Error("enough");
        }),
      );
      assert.equal(counted.open, 1);
    });

    test("by lookupBatch opens every map of the batch", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      for (const key of [1, 2]) add(bpf, outer, key);
      const { entries, cursor } = outer.lookupBatch(4);
      assert.equal(cursor, undefined);
      assert.equal(counted.open, 3);
      for (const [key, inner] of entries) {
        assert.equal(inner.get(0), BigInt(key));
        inner.close();
      }
      assert.equal(counted.open, 1);
    });

    test("passes over the indexes of an array that have no map", () => {
      using bpf = kernel.open();
      using outer = bpf.createMap({ type: "array_of_maps", inner: COUNTERS, maxEntries: 100 });
      for (const key of [7, 93]) add(bpf, outer, key);
      assert.deepEqual([...outer.keys()], [7, 93]);
      assert.equal(outer.nextKey(7), 8);
    });
  });

  describe("openMap and mapById", () => {
    test("read the maps as inner says", () => {
      using bpf = kernel.open();
      using outer = outerOf(bpf);
      add(bpf, outer, 5);
      const path = `${kernel.bpffs}/outer`;
      outer.pin(path);
      using opened = bpf.openMap(path, { key: u32, inner: { type: "array", value: u64 } });
      using inner = opened.get(5);
      assert.equal(inner?.get(0), 5n);
      using byId = bpf.mapById(outer.id, { type: "hash_of_maps", key: u32, inner: bpf.createMap(COUNTERS) });
      byId.clear();
      assert.equal(outer.has(5), false);
      outer.unpin();
    });

    test("without inner are a TypeError that says so, and leave nothing open", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      assert.throws(() => bpf.mapById(outer.id), { name: "TypeError", message: /say what its maps are, with inner/ });
      assert.equal(counted.open, 1);
    });

    test("with inner for a map that holds no maps are a TypeError", () => {
      using bpf = kernel.open();
      using map = bpf.createMap(COUNTERS);
      assert.throws(() => bpf.mapById(map.id, { inner: COUNTERS }), {
        name: "TypeError",
        message: /which holds no maps/,
      });
    });

    test("with a layout that does not fit the inner maps are a TypeError of get, which leaves nothing open", () => {
      using counted = new Counted(kernel);
      const { bpf } = counted;
      using outer = outerOf(bpf);
      add(bpf, outer, 5);
      using opened = bpf.mapById(outer.id, { key: u32, inner: { type: "array", value: u32 } });
      assert.throws(() => opened.get(5), { name: "TypeError", message: /a value of 8 bytes, but u32 has 4/ });
      assert.throws(() => opened.lookupBatch(4), TypeError);
      assert.equal(counted.open, 2);
    });
  });

  test("a map lives while it is in another, and goes with it", async () => {
    using bpf = kernel.open();
    const outer = outerOf(bpf);
    const id = add(bpf, outer, 1);
    assert.ok(lives(bpf.sys, id));
    outer.close();
    await gone(bpf.sys, id);
  });

  test("a closed one is EBADF for whatever is asked", () => {
    using bpf = kernel.open();
    const outer = outerOf(bpf);
    using map = bpf.createMap(COUNTERS);
    outer.close();
    for (const call of [
      () => outer.get(1),
      () => outer.set(1, map),
      () => outer.idOf(1),
      () => outer.delete(1),
      () => [...outer],
      () => [...outer.ids()],
      () => outer.clear(),
    ]) {
      assert.throws(call, (error) => error instanceof BpfError && error.code === "EBADF");
    }
  });

  test("there is nothing to take, so there are no methods for it", () => {
    using bpf = kernel.open();
    using outer = outerOf(bpf);
    using list = bpf.createMap({ type: "array_of_maps", inner: COUNTERS, maxEntries: 1 });
    for (const method of ["take", "drain"]) assert.ok(!(method in outer) && !(method in list), method);
    assert.ok(!("clear" in list));
  });
});

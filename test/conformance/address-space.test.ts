/** The address space under the maps: growth while they are in use, exhaustion, reuse, and many kernels at once. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { type Bpf, BpfError, bytes, embedded, type HashMap, u32, u64 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";
import { Seam } from "./seam.ts";

function createHash(bpf: Bpf, maxEntries: number): HashMap<number, bigint> {
  return bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries });
}

onEveryKernel((kernel) => {
  describe("an address space that grows", () => {
    test("leaves maps as they are", () => {
      using bpf = kernel.open();
      const maps = Array.from({ length: 20 }, (_, i) => {
        const map = createHash(bpf, 1 << (i % 14)).set(1, BigInt(i));
        const large = bpf.createMap({ type: "array", value: bytes(300_000), maxEntries: 3 });
        large.set(2, new Uint8Array(300_000).fill(i));
        return { map, large };
      });
      for (const [i, { map, large }] of maps.entries()) {
        assert.equal(map.get(1), BigInt(i));
        assert.equal(large.get(2)?.[299_999], i);
        map.set(1, 5n);
        assert.equal(map.take(1), 5n);
      }
    });

    test("does not disturb an iteration or a batch that is being made", () => {
      using bpf = kernel.open();
      const map = createHash(bpf, 2000);
      map.setMany(Array.from({ length: 2000 }, (_, key) => [key, BigInt(key)] as const));
      const seen = new Set<number>();
      for (const [key, value] of map) {
        assert.equal(value, BigInt(key));
        seen.add(key);
        if (key % 500 === 0) bpf.createMap({ type: "array", value: bytes(1 << 20), maxEntries: 2 });
      }
      assert.equal(seen.size, 2000);
      const growing = (function* (): Generator<[number, bigint]> {
        for (let key = 0; key < 100; key++) {
          if (key % 25 === 0) bpf.createMap({ type: "array", value: bytes(1 << 20), maxEntries: 2 });
          yield [key, 7n];
        }
      })();
      map.setMany(growing);
      assert.equal(map.get(99), 7n);
    });

    test("takes commands of every size between, by sys too", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      for (let size = 1; size <= 1 << 21; size *= 8) {
        const fd = sys.mapCreate({ type: "array", keySize: 4, valueSize: size, maxEntries: 1 });
        const value = new Uint8Array(size).fill(size % 251);
        assert.equal(sys.mapUpdateElem(fd, u32.encode(0), value), 0);
        const found = new Uint8Array(size);
        assert.equal(sys.mapLookupElem(fd, u32.encode(0), found), 0);
        assert.deepEqual(found, value);
        sys.close(fd);
      }
    });
  });

  describe("memory that is given back", () => {
    test("is used again: ten thousand maps made and closed need no more than a few", () => {
      using seam = new Seam(kernel);
      const { bpf } = seam;
      const cycle = (i: number): void => {
        using map = createHash(bpf, 64 + (i % 3) * 100);
        map.set(i, BigInt(i));
        assert.equal(map.get(i), BigInt(i));
        assert.equal(map.count(), 1);
      };
      for (let i = 0; i < 100; i++) cycle(i);
      const size = seam.kernel.memory.size;
      const free = seam.kernel.memory.largestFree;
      for (let i = 0; i < 10_000; i++) cycle(i);
      assert.equal(seam.kernel.memory.size, size);
      assert.equal(seam.kernel.memory.largestFree, free);
    });

    test("is zero for the next map", () => {
      using bpf = kernel.open();
      for (let round = 0; round < 5; round++) {
        using map = bpf.createMap({ type: "array", value: bytes(1000), maxEntries: 100 });
        for (const value of map.values()) assert.ok(value.every((byte) => byte === 0));
        map.setMany(Array.from({ length: 100 }, (_, i) => [i, new Uint8Array(1000).fill(0xff)] as const));
      }
    });

    test("comes back from what throws", () => {
      using seam = new Seam(kernel);
      const { bpf } = seam;
      const map = createHash(bpf, 4);
      const entries = Array.from({ length: 5000 }, (_, key) => [key, 1n] as const);
      const attempts = (): void => {
        assert.throws(() => map.setMany(entries), { code: "E2BIG" });
        assert.throws(() => map.setMany([...entries, [-1, 1n]]), RangeError);
        assert.throws(() => bpf.mapById(map.id, { key: u64 }), TypeError);
        assert.throws(() => createHash(bpf, 0), { code: "EINVAL" });
      };
      attempts();
      const free = seam.kernel.memory.largestFree;
      for (let i = 0; i < 50; i++) attempts();
      assert.equal(seam.kernel.memory.largestFree, free);
    });
  });

  // More than there are addresses for in one process, but of directories, which take hundreds of times as long.
  const kernels = kernel.isInDirectory ? 300 : 15_000;

  test(`${kernels} kernels can be opened and closed in one process`, () => {
    for (let i = 0; i < kernels; i++) {
      using bpf = kernel.open();
      using map = createHash(bpf, 16);
      map.set(i, BigInt(i));
      assert.equal(map.get(i), BigInt(i));
    }
  });
});

describe("an address space that is full", () => {
  const open = () => embedded({ maxMemory: 2 ** 21 });

  test("refuses a map with ENOMEM, and the error names it", () => {
    using bpf = open();
    assert.throws(() => bpf.createMap({ type: "hash", name: "too_large", key: u32, value: u64, maxEntries: 200_000 }), {
      name: "BpfError",
      code: "ENOMEM",
      command: "BPF_MAP_CREATE",
      map: "too_large",
    });
  });

  test("keeps nothing of a map that it refused", () => {
    using bpf = open();
    using kept = createHash(bpf, 1000);
    const before = bpf.maps();
    for (let i = 0; i < 100; i++) {
      assert.throws(() => createHash(bpf, 200_000), { code: "ENOMEM" });
      assert.throws(() => bpf.createMap({ type: "array", value: u64, maxEntries: 1 << 20 }), { code: "ENOMEM" });
    }
    assert.deepEqual(bpf.maps(), before);
    using smaller = createHash(bpf, 1000);
    smaller.set(1, 10n);
    assert.equal(smaller.get(1), 10n);
    assert.equal(kept.set(1, 20n).get(1), 20n);
  });

  test("holds what it held when no more maps fit, down to the smallest", () => {
    using bpf = open();
    const maps: HashMap<number, bigint>[] = [];
    let refusals = 0;
    for (let maxEntries = 1 << 14; maxEntries >= 1; maxEntries = Math.floor(maxEntries / 2)) {
      for (;;) {
        try {
          maps.push(createHash(bpf, maxEntries).set(1, BigInt(maps.length)));
        } catch (error) {
          // The map itself, or the memory of its commands: either says so, and neither leaves half a map.
          assert.ok(error instanceof BpfError ? error.code === "ENOMEM" : error instanceof RangeError, `${error}`);
          refusals++;
          break;
        }
      }
      assert.equal(bpf.maps().length, maps.length);
    }
    assert.ok(refusals > 10);
    for (const [i, map] of maps.entries()) assert.equal(map.get(1), BigInt(i));
    for (const map of maps) map.close();
    assert.deepEqual(bpf.maps(), []);
    using again = createHash(bpf, 1 << 14);
    assert.equal(again.set(1, 1n).get(1), 1n);
  });

  test("refuses a batch that it has no room for, and the map stays as it was", () => {
    using bpf = open();
    using map = bpf.createMap({ type: "array", name: "full", value: bytes(100_000), maxEntries: 10 });
    const entries = Array.from({ length: 10 }, (_, i) => [i, new Uint8Array(100_000).fill(1)] as const);
    assert.throws(
      () => map.setMany(entries),
      (error) => error instanceof RangeError && error.message.includes("full"),
    );
    assert.equal(map.get(0)?.[0], 0);
    map.setMany(entries.slice(0, 2));
    assert.equal(map.get(1)?.[0], 1);
  });

  test("is no smaller than a MiB and no larger than 4 GiB", () => {
    for (const maxMemory of [0, 1, 2 ** 20 - 1, 2 ** 32 + 1, Number.NaN, -1]) {
      assert.throws(() => embedded({ maxMemory }), RangeError);
    }
    using smallest = embedded({ maxMemory: 2 ** 20 });
    assert.equal(createHash(smallest, 16).set(1, 1n).get(1), 1n);
    using largest = embedded({ maxMemory: 2 ** 32 });
    assert.equal(createHash(largest, 16).set(1, 1n).get(1), 1n);
  });
});

test("kernels can merely be dropped in one go, more of them than there are addresses for", () => {
  const source = `
    import { embedded, u32 } from "mapiary";
    let last;
    for (let i = 0; i < 15000; i++) {
      const map = embedded().createMap({ type: "hash", key: u32, value: u32, maxEntries: 64 });
      last = map.set(i, i).get(i);
    }
    console.log(last);`;
  const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", source], {
    encoding: "utf8",
    cwd: new URL("../..", import.meta.url),
  });
  assert.equal(child.stderr, "");
  assert.equal(child.stdout, "14999\n");
});

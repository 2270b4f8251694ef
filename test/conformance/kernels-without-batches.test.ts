/** A kernel whose map types have no batch commands: everything that uses them reads and writes one by one instead. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ArrayMap, cidr, type HashMap, u32, u64 } from "mapiary";
import {
  BPF_MAP_DELETE_BATCH,
  BPF_MAP_GET_NEXT_KEY,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_UPDATE_BATCH,
} from "../../src/abi/commands.ts";
import { EINVAL, ENOTSUPP } from "../../src/abi/errno.ts";
import { Bpf } from "../../src/bpf.ts";
import type { Kernel } from "../../src/kernel/kernel.ts";
import type { Address } from "../../src/memory/address-space.ts";
import { DelegatingKernel } from "../delegating-kernel.ts";
import { onEveryKernel } from "../kernels.ts";
import { Seam } from "./seam.ts";

const BATCHES: readonly number[] = [
  BPF_MAP_LOOKUP_BATCH,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH,
  BPF_MAP_UPDATE_BATCH,
  BPF_MAP_DELETE_BATCH,
];

/** Another kernel without its batch commands, or without some of them; `before` is called before each command. */
class KernelWithoutBatches extends DelegatingKernel {
  readonly #errno: number;
  readonly #missing: readonly number[];
  before: (cmd: number) => void = () => {};

  constructor(kernel: Kernel, errno: number, missing: readonly number[]) {
    super(kernel);
    this.#errno = errno;
    this.#missing = missing;
  }

  override bpf(cmd: number, attr: Address, size: number): number {
    this.before(cmd);
    return this.#missing.includes(cmd) ? -this.#errno : this.kernel.bpf(cmd, attr, size);
  }
}

function entries(count: number): [number, bigint][] {
  return Array.from({ length: count }, (_, key) => [key, BigInt(key * 10)]);
}

function sorted(found: Iterable<[number, bigint]>): [number, bigint][] {
  return [...found].sort(([a], [b]) => a - b);
}

onEveryKernel((kernel) => {
  const kinds: readonly (readonly [what: string, errno: number, missing: readonly number[]])[] = [
    ["says ENOTSUPP to batches, as Linux does for a map type without them", ENOTSUPP, BATCHES],
    ["says EINVAL to batches, as Linux did before it had them", EINVAL, BATCHES],
    ["has no batches that take", ENOTSUPP, [BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_DELETE_BATCH]],
    ["has no batches but those that take", ENOTSUPP, [BPF_MAP_LOOKUP_BATCH, BPF_MAP_UPDATE_BATCH]],
  ];
  for (const [what, errno, missing] of kinds) {
    describe(`a kernel that ${what}`, () => {
      const withHash = (name: string, run: (map: HashMap<number, bigint>, bpf: Bpf) => void): void => {
        test(name, () => {
          using seam = new Seam(kernel);
          const bpf = new Bpf(new KernelWithoutBatches(seam.kernel, errno, missing));
          run(bpf.createMap({ type: "hash", name: "unbatched", key: u32, value: u64, maxEntries: 1000 }), bpf);
        });
      };

      const withArray = (name: string, run: (map: ArrayMap<number, bigint>) => void): void => {
        test(name, () => {
          using seam = new Seam(kernel);
          const bpf = new Bpf(new KernelWithoutBatches(seam.kernel, errno, missing));
          run(bpf.createMap({ type: "array", name: "unbatched", value: u64, maxEntries: 300 }));
        });
      };

      withHash("sets many, and iterates over them in the order of next key", (map) => {
        assert.equal(map.setMany(entries(1000)), 1000);
        assert.deepEqual(sorted(map), entries(1000));
        const keys: number[] = [];
        for (let key = map.nextKey(); key !== undefined; key = map.nextKey(key)) keys.push(key);
        assert.deepEqual([...map.keys()], keys);
        assert.deepEqual(
          [...map.values()],
          keys.map((key) => BigInt(key * 10)),
        );
        assert.equal(map.count(), 1000);
      });

      withHash("iterates over sizes around every batch", (map) => {
        for (const size of [0, 1, 63, 64, 65, 319, 320, 321]) {
          map.clear();
          map.setMany(entries(size));
          assert.deepEqual(sorted(map), entries(size), `${size} entries`);
          assert.equal(map.count(), size);
        }
      });

      withHash("drains and clears", (map) => {
        map.setMany(entries(500));
        assert.deepEqual(sorted(map.drain()), entries(500));
        assert.equal(map.count(), 0);
        map.setMany(entries(500));
        map.clear();
        assert.deepEqual([...map], []);
        assert.deepEqual(map.drain(), []);
      });

      for (const type of ["array_of_maps", "hash_of_maps"] as const) {
        test(`puts maps into ${type}, finds them, and deletes them`, () => {
          using seam = new Seam(kernel);
          const bpf = new Bpf(new KernelWithoutBatches(seam.kernel, errno, missing));
          const map = bpf.createMap({ type: "array", value: u64, maxEntries: 1 });
          const spec = { key: u32, inner: map, maxEntries: 100 } as const;
          const outer = type === "hash_of_maps" ? bpf.createMap({ type, ...spec }) : bpf.createMap({ type, ...spec });
          assert.equal(outer.setMany([7, 3, 99].map((key) => [key, map] as const)), 3);
          assert.deepEqual(sorted([...outer.ids()].map(([key, id]) => [key, BigInt(id)])), [
            [3, BigInt(map.id)],
            [7, BigInt(map.id)],
            [99, BigInt(map.id)],
          ]);
          assert.equal(outer.count(), 3);
          assert.equal(outer.deleteMany(outer.keys()), 3);
          assert.equal(outer.count(), 0);
        });
      }

      test("iterates over a trie in its order, and clears it", () => {
        using seam = new Seam(kernel);
        const bpf = new Bpf(new KernelWithoutBatches(seam.kernel, errno, missing));
        const trie = bpf.createMap({ type: "lpm_trie", key: cidr, value: u32, maxEntries: 500 });
        const networks = Array.from({ length: 500 }, (_, i) => [`10.${i >> 8}.${i & 255}.0/24`, i] as const);
        assert.equal(trie.setMany(networks.toReversed()), 500);
        assert.deepEqual([...trie], networks);
        assert.equal(trie.deleteMany(["10.0.0.0/24", "10.0.0.0/25"]), 1);
        assert.equal(trie.count(), 499);
        trie.clear();
        assert.equal(trie.count(), 0);
      });

      withHash("deletes many, and says how many were there", (map) => {
        map.setMany(entries(100));
        assert.equal(map.deleteMany([5, 1000, 6, 5, 2000, 7]), 3);
        assert.equal(map.count(), 97);
        assert.equal(map.deleteMany(map.keys()), 97);
        assert.equal(map.deleteMany([1]), 0);
      });

      withHash("says how many it set of those that did not fit", (map) => {
        assert.throws(() => map.setMany(entries(1010)), {
          name: "BpfError",
          code: "E2BIG",
          count: 1000,
          map: "unbatched",
        });
        assert.equal(map.count(), 1000);
      });

      withHash("writes nothing of entries of which one does not fit its layout", (map) => {
        assert.throws(() => map.setMany([...entries(10), [-1, 0n]]), RangeError);
        assert.equal(map.count(), 0);
      });

      withHash("refuses to write what is frozen, and says that it wrote nothing", (map) => {
        map.setMany(entries(3));
        map.freeze();
        assert.throws(() => map.setMany(entries(3)), { code: "EPERM", count: 0 });
        assert.throws(() => map.deleteMany([1]), { code: "EPERM", count: 0 });
        assert.throws(() => map.clear(), { name: "BpfError", code: "EPERM" });
        assert.throws(() => map.drain(), { name: "BpfError", code: "EPERM" });
        assert.deepEqual(sorted(map), entries(3));
      });

      withHash("iterates while the map changes, over each key once", (map) => {
        map.setMany(entries(500));
        const seen: number[] = [];
        for (const [key] of map) {
          seen.push(key);
          map.delete(key);
          map.set(key === 0 ? 499 : key - 1, 1n);
        }
        assert.equal(new Set(seen).size, seen.length);
      });

      withHash("lets loops nest and end early", (map) => {
        map.setMany(entries(100));
        let pairs = 0;
        for (const _ of map) for (const _ of map) if (++pairs % 100 === 50) break;
        assert.ok(pairs > 0);
        const [first] = map;
        assert.ok(first !== undefined);
      });

      withHash("reads with an fd that may not write, and says so of one that may not read", (map, bpf) => {
        map.setMany(entries(10));
        using reader = bpf.mapById(map.id, { key: u32, value: u64, access: "read" });
        assert.deepEqual(sorted(reader), entries(10));
        using writer = bpf.mapById(map.id, { key: u32, value: u64, access: "write" });
        writer.setMany([[1, 1n]]);
        assert.equal(map.get(1), 1n);
        assert.throws(() => [...writer], { name: "BpfError" });
      });

      withArray("sets many of an array, and iterates in order", (map) => {
        map.setMany(entries(300));
        assert.deepEqual([...map], entries(300));
        assert.equal(map.count(), 300);
        assert.throws(() => map.setMany([...entries(5), [300, 1n], [0, 7n]]), { code: "E2BIG", count: 5 });
        assert.equal(map.get(0), 0n);
      });

      if (missing.includes(BPF_MAP_LOOKUP_BATCH)) {
        withHash("says so to whoever asks for one batch", (map) => {
          map.setMany(entries(100));
          assert.throws(() => map.lookupBatch(10), {
            name: "BpfError",
            errno: -errno,
            command: "BPF_MAP_LOOKUP_BATCH",
          });
        });
      }
    });
  }

  test("a key that another deletes while the keys are read makes none come twice", () => {
    using seam = new Seam(kernel);
    const unbatched = new KernelWithoutBatches(seam.kernel, ENOTSUPP, BATCHES);
    using map = new Bpf(unbatched).createMap({ type: "hash", key: u32, value: u64, maxEntries: 100 });
    using other = seam.bpf.mapById(map.id, { key: u32, value: u64 });
    map.setMany(entries(100));
    const order = [...other.keys()];
    let reads = 0;
    unbatched.before = (cmd) => {
      // The key from which the next one is about to be asked for goes away: a kernel then begins anew.
      if (cmd === BPF_MAP_GET_NEXT_KEY && ++reads === 50)
        seam.bpf.sys.mapDeleteElem(other.fd, u32.encode(order[48] as number));
    };
    const keys = [...map.keys()];
    assert.equal(new Set(keys).size, keys.length);
    assert.deepEqual(
      keys.toSorted((a, b) => a - b),
      order.filter((key) => key !== order[48]).toSorted((a, b) => a - b),
    );
    assert.ok(reads > 101);
  });
});

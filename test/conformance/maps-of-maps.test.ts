/** Maps of maps, by `bpf.sys`: what they are made after, what they take, and how long their maps live. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, type MapCreateOptions, type MapTypeName, type Sys, u32 } from "mapiary";
import { E2BIG, EBADF, EEXIST, EFAULT, EINVAL, ENOENT, ENOTSUPP, EPERM } from "../../src/abi/errno.ts";
import {
  BPF_EXIST,
  BPF_F_INNER_MAP,
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
  BPF_NOEXIST,
} from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";
import { gone, lives } from "./lifetime.ts";

const OUTER_TYPES = ["array_of_maps", "hash_of_maps"] as const;
type OuterType = (typeof OUTER_TYPES)[number];

const ARRAY: MapCreateOptions = { type: "array", keySize: 4, valueSize: 8, maxEntries: 4 };
const HASH: MapCreateOptions = { ...ARRAY, type: "hash" };
const NOT_OPEN = 0xf0f0f0;
const STDIN = 0;

/** One map of each type that Linux can make, by itself and as large again. */
const EACH_TYPE: Partial<Record<MapTypeName, MapCreateOptions>> = {
  hash: HASH,
  array: ARRAY,
  prog_array: { type: "prog_array", keySize: 4, valueSize: 4, maxEntries: 4 },
  perf_event_array: { type: "perf_event_array", keySize: 4, valueSize: 4, maxEntries: 4 },
  percpu_hash: { ...ARRAY, type: "percpu_hash" },
  percpu_array: { ...ARRAY, type: "percpu_array" },
  stack_trace: { ...ARRAY, type: "stack_trace" },
  cgroup_array: { type: "cgroup_array", keySize: 4, valueSize: 4, maxEntries: 4 },
  lru_hash: { ...ARRAY, type: "lru_hash", maxEntries: 64 },
  lru_percpu_hash: { ...ARRAY, type: "lru_percpu_hash", maxEntries: 64 },
  lpm_trie: { type: "lpm_trie", keySize: 8, valueSize: 8, maxEntries: 4, flags: BPF_F_NO_PREALLOC },
  devmap: { type: "devmap", keySize: 4, valueSize: 4, maxEntries: 4 },
  sockmap: { type: "sockmap", keySize: 4, valueSize: 4, maxEntries: 4 },
  cpumap: { type: "cpumap", keySize: 4, valueSize: 4, maxEntries: 4 },
  xskmap: { type: "xskmap", keySize: 4, valueSize: 4, maxEntries: 4 },
  sockhash: { type: "sockhash", keySize: 4, valueSize: 4, maxEntries: 4 },
  cgroup_storage: { type: "cgroup_storage", keySize: 8, valueSize: 8, maxEntries: 0 },
  reuseport_sockarray: { type: "reuseport_sockarray", keySize: 4, valueSize: 4, maxEntries: 4 },
  percpu_cgroup_storage: { type: "percpu_cgroup_storage", keySize: 8, valueSize: 8, maxEntries: 0 },
  queue: { type: "queue", keySize: 0, valueSize: 8, maxEntries: 4 },
  stack: { type: "stack", keySize: 0, valueSize: 8, maxEntries: 4 },
  devmap_hash: { type: "devmap_hash", keySize: 4, valueSize: 4, maxEntries: 4 },
  ringbuf: { type: "ringbuf", keySize: 0, valueSize: 0, maxEntries: 65536 },
  bloom_filter: { type: "bloom_filter", keySize: 0, valueSize: 8, maxEntries: 4 },
  user_ringbuf: { type: "user_ringbuf", keySize: 0, valueSize: 0, maxEntries: 65536 },
};

const NO_INNER_MAPS: readonly string[] = ["prog_array", "cgroup_storage", "percpu_cgroup_storage"];
const FIXED_LENGTH: readonly string[] = ["array", "xskmap"];

function made(sys: Sys, options: MapCreateOptions): number {
  const fd = sys.mapCreate(options);
  assert.ok(fd >= 0, `${options.type}: ${fd}`);
  return fd;
}

/** A map of maps after a template, which is closed at once unless it was given. */
function outerOf(
  sys: Sys,
  type: OuterType,
  template: MapCreateOptions | number,
  options: Partial<MapCreateOptions> = {},
) {
  const innerMapFd = typeof template === "number" ? template : made(sys, template);
  const fd = made(sys, { type, keySize: 4, valueSize: 4, maxEntries: 4, innerMapFd, ...options });
  if (typeof template !== "number") sys.close(innerMapFd);
  return fd;
}

function idOf(sys: Sys, fd: number): number {
  const info = sys.objGetInfoByFd(fd);
  assert.ok(typeof info !== "number", `${info}`);
  return info.id;
}

function put(sys: Sys, outer: number, key: number, fd: number, flags = 0): number {
  return sys.mapUpdateElem(outer, u32.encode(key), u32.encode(fd >>> 0), flags);
}

/** The id that a key has, or `−errno`. */
function lookUp(sys: Sys, outer: number, key: number): number {
  const value = new Uint8Array(4);
  const result = sys.mapLookupElem(outer, u32.encode(key), value);
  return result < 0 ? result : u32.decode(value);
}

function remove(sys: Sys, outer: number, key: number): number {
  return sys.mapDeleteElem(outer, u32.encode(key));
}

onEveryKernel((kernel) => {
  const eachType = Object.values(EACH_TYPE).filter(({ type }) => !kernel.refuses(type as MapTypeName));

  for (const type of OUTER_TYPES) {
    const suite = (name: string, tests: (open: () => Bpf) => void): void => {
      describe(`${type}: ${name}`, () => tests(() => kernel.open()));
    };

    suite("what it is made after", (open) => {
      const create = ({ sys }: Bpf, options: Partial<MapCreateOptions>): number =>
        Math.min(0, sys.mapCreate({ type, keySize: 4, valueSize: 4, maxEntries: 4, ...options }));

      test("an inner map fd that is not open is EBADF, and one of no map EINVAL", () => {
        using bpf = open();
        assert.equal(create(bpf, { innerMapFd: NOT_OPEN }), -EBADF);
        assert.equal(create(bpf, { innerMapFd: -1 }), -EBADF);
        assert.equal(create(bpf, { innerMapFd: STDIN }), -EINVAL);
      });

      test("a map of maps is EINVAL: they go one level deep", () => {
        using bpf = open();
        for (const inner of OUTER_TYPES) {
          assert.equal(create(bpf, { innerMapFd: outerOf(bpf.sys, inner, ARRAY) }), -EINVAL, inner);
        }
      });

      test("every other type is taken, but those without inner maps are ENOTSUPP", () => {
        using bpf = open();
        for (const options of eachType) {
          const innerMapFd = bpf.sys.mapCreate(options);
          if (innerMapFd === -EINVAL) continue; // a type that this kernel has not
          const expected = NO_INNER_MAPS.includes(String(options.type)) ? -ENOTSUPP : 0;
          assert.equal(create(bpf, { innerMapFd }), expected, String(options.type));
        }
      });

      test("values of other than 4 bytes are EINVAL, before the inner map is looked at", () => {
        using bpf = open();
        const innerMapFd = made(bpf.sys, ARRAY);
        for (const valueSize of [0, 3, 8]) assert.equal(create(bpf, { innerMapFd, valueSize }), -EINVAL);
        assert.equal(create(bpf, { innerMapFd: NOT_OPEN, valueSize: 8 }), -EINVAL);
        assert.equal(create(bpf, { innerMapFd: NOT_OPEN, maxEntries: 0 }), -EINVAL);
        assert.equal(create(bpf, { innerMapFd: NOT_OPEN, keySize: 0 }), -EINVAL);
      });

      test("it takes the flags of its kind", () => {
        using bpf = open();
        const innerMapFd = made(bpf.sys, ARRAY);
        const always = [BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY];
        const ofHashes = [BPF_F_NO_PREALLOC, BPF_F_ZERO_SEED, BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG];
        for (const flags of always) assert.equal(create(bpf, { innerMapFd, flags }), 0, `${flags}`);
        for (const flags of ofHashes) {
          assert.equal(create(bpf, { innerMapFd, flags }), type === "hash_of_maps" ? 0 : -EINVAL, `${flags}`);
        }
        for (const flags of [BPF_F_MMAPABLE, BPF_F_INNER_MAP]) {
          assert.equal(create(bpf, { innerMapFd, flags }), -EINVAL, `${flags}`);
        }
      });

      test("the template may be closed: what it was like is what counts", async () => {
        using bpf = open();
        const { sys } = bpf;
        const template = made(sys, ARRAY);
        const id = idOf(sys, template);
        const outer = outerOf(sys, type, template);
        sys.close(template);
        await gone(sys, id);
        assert.equal(put(sys, outer, 0, made(sys, ARRAY)), 0);
      });

      test("its info is of 4 bytes for a value, and of its own flags", () => {
        using bpf = open();
        const info = bpf.sys.objGetInfoByFd(outerOf(bpf.sys, type, HASH, { name: "outer" }));
        assert.ok(typeof info !== "number");
        const { keySize, valueSize, maxEntries, mapFlags, name } = info;
        assert.deepEqual(
          { type: info.type, keySize, valueSize, maxEntries, mapFlags, name },
          { type, keySize: 4, valueSize: 4, maxEntries: 4, mapFlags: 0, name: "outer" },
        );
      });
    });

    suite("what it takes", (open) => {
      const answer = ({ sys }: Bpf, template: MapCreateOptions, inner: MapCreateOptions): number =>
        put(sys, outerOf(sys, type, template), 0, made(sys, inner));

      test("a map that is made as the template", () => {
        using bpf = open();
        assert.equal(answer(bpf, ARRAY, ARRAY), 0);
        assert.equal(answer(bpf, HASH, { ...HASH, name: "another" }), 0);
      });

      test("another type, key size, value size or flag is EINVAL", () => {
        using bpf = open();
        for (const change of [
          { type: "array" },
          { type: "lru_hash" },
          { keySize: 8 },
          { valueSize: 4 },
          { flags: BPF_F_NO_PREALLOC },
          { flags: BPF_F_ZERO_SEED },
          { flags: BPF_F_RDONLY_PROG },
        ] as const) {
          if (bpf.sys.mapCreate({ ...HASH, ...change }) === -EINVAL) continue; // a type that this kernel has not
          assert.equal(answer(bpf, HASH, { ...HASH, ...change }), -EINVAL, JSON.stringify(change));
        }
      });

      test("how the fd of the inner map may be used does not matter", () => {
        using bpf = open();
        for (const flags of [BPF_F_RDONLY, BPF_F_WRONLY]) assert.equal(answer(bpf, HASH, { ...HASH, flags }), 0);
      });

      test("another max_entries is EINVAL for arrays alone", () => {
        using bpf = open();
        for (const options of eachType) {
          const name = String(options.type);
          if (NO_INNER_MAPS.includes(name) || bpf.sys.mapCreate(options) === -EINVAL) continue;
          const larger = { ...options, maxEntries: (options.maxEntries ?? 0) * 2 };
          assert.equal(answer(bpf, options, options), 0, name);
          assert.equal(answer(bpf, options, larger), FIXED_LENGTH.includes(name) ? -EINVAL : 0, `${name}, larger`);
        }
      });

      test("BPF_F_INNER_MAP makes arrays of any length alike, if all have it", () => {
        using bpf = open();
        const flexible = { ...ARRAY, flags: BPF_F_INNER_MAP };
        assert.equal(answer(bpf, flexible, { ...flexible, maxEntries: 9 }), 0);
        assert.equal(answer(bpf, flexible, { ...flexible, maxEntries: 1 }), 0);
        assert.equal(answer(bpf, flexible, ARRAY), -EINVAL);
        assert.equal(answer(bpf, ARRAY, flexible), -EINVAL);
      });

      test("a map of maps, itself for one, is EINVAL", () => {
        using bpf = open();
        const outer = outerOf(bpf.sys, type, ARRAY);
        assert.equal(put(bpf.sys, outer, 0, outer), -EINVAL);
      });

      test("an fd that is not open is EBADF, and one of no map EINVAL", () => {
        using bpf = open();
        const outer = outerOf(bpf.sys, type, ARRAY);
        assert.equal(put(bpf.sys, outer, 0, NOT_OPEN), -EBADF);
        assert.equal(put(bpf.sys, outer, 0, -1), -EBADF);
        assert.equal(put(bpf.sys, outer, 0, STDIN), -EINVAL);
      });
    });

    suite("elements", (open) => {
      const withThree = (options: Partial<MapCreateOptions> = {}) => {
        const bpf = open();
        const { sys } = bpf;
        const inner = [made(sys, ARRAY), made(sys, ARRAY), made(sys, ARRAY)] as const;
        const outer = outerOf(sys, type, inner[0], options);
        const ids = inner.map((fd) => idOf(sys, fd));
        return { bpf, sys, outer, inner, ids, [Symbol.dispose]: () => bpf.close() };
      };

      test("an fd is written, and an id is read", () => {
        using scene = withThree();
        const { sys, outer, inner, ids } = scene;
        assert.equal(lookUp(sys, outer, 1), -ENOENT);
        assert.equal(put(sys, outer, 1, inner[0]), 0);
        assert.equal(lookUp(sys, outer, 1), ids[0]);
        assert.equal(put(sys, outer, 1, inner[1]), 0);
        assert.equal(lookUp(sys, outer, 1), ids[1]);
        assert.equal(put(sys, outer, 2, inner[1]), 0);
        assert.equal(lookUp(sys, outer, 2), ids[1]);
      });

      test("a delete of what is there, and of what is not", () => {
        using scene = withThree();
        const { sys, outer, inner } = scene;
        put(sys, outer, 1, inner[0]);
        assert.equal(remove(sys, outer, 1), 0);
        assert.equal(remove(sys, outer, 1), -ENOENT);
        assert.equal(lookUp(sys, outer, 1), -ENOENT);
        assert.equal(remove(sys, outer, 4), type === "hash_of_maps" ? -ENOENT : -E2BIG);
      });

      test("lookup-and-delete is ENOTSUPP", () => {
        using scene = withThree();
        const { sys, outer, inner } = scene;
        put(sys, outer, 1, inner[0]);
        assert.equal(sys.mapLookupAndDeleteElem(outer, u32.encode(1), new Uint8Array(4)), -ENOTSUPP);
      });

      test("a frozen one is EPERM for whatever writes, and its maps are written as before", () => {
        using scene = withThree();
        const { sys, outer, inner, ids } = scene;
        put(sys, outer, 1, inner[0]);
        assert.equal(sys.mapFreeze(outer), 0);
        assert.equal(put(sys, outer, 1, inner[1]), -EPERM);
        assert.equal(remove(sys, outer, 1), -EPERM);
        assert.equal(lookUp(sys, outer, 1), ids[0]);
        assert.equal(sys.mapUpdateElem(inner[0], u32.encode(0), new Uint8Array(8), 0), 0);
      });

      test("a batch reads those that are there", () => {
        using scene = withThree({ flags: type === "hash_of_maps" ? BPF_F_ZERO_SEED : 0 });
        const { sys, outer, inner, ids } = scene;
        put(sys, outer, 3, inner[0]);
        put(sys, outer, 1, inner[1]);
        const keys = new Uint8Array(16);
        const values = new Uint8Array(16);
        const count = Uint32Array.of(4);
        assert.equal(sys.mapLookupBatch(outer, null, new Uint8Array(4), keys, values, count), -ENOENT);
        assert.equal(count[0], 2);
        const found = [0, 4].map((at) => [u32.read(memoryOf(keys), at), u32.read(memoryOf(values), at)]);
        assert.deepEqual(
          found.sort((a, b) => Number(a[0]) - Number(b[0])),
          [
            [1, ids[1]],
            [3, ids[0]],
          ],
        );
        assert.deepEqual([...keys.subarray(8)], [0, 0, 0, 0, 0, 0, 0, 0]);
      });

      test("a batch writes one fd after another until one is refused", () => {
        using scene = withThree();
        const { sys, outer, inner, ids } = scene;
        const fds = new Uint8Array(Int32Array.of(inner[0], inner[1], NOT_OPEN, inner[2]).buffer);
        const keys = new Uint8Array(Uint32Array.of(0, 1, 2, 3).buffer);
        const count = Uint32Array.of(4);
        assert.equal(sys.mapUpdateBatch(outer, keys, fds, count), -EBADF);
        assert.equal(count[0], 2);
        assert.deepEqual(
          [0, 1, 2, 3].map((key) => lookUp(sys, outer, key)),
          [ids[0], ids[1], -ENOENT, -ENOENT],
        );
      });
    });

    suite("how long its maps live", (open) => {
      test("while they are in it, without any fd", async () => {
        using bpf = open();
        const { sys } = bpf;
        const inner = made(sys, HASH);
        const id = idOf(sys, inner);
        const outer = outerOf(sys, type, inner);
        put(sys, outer, 1, inner);
        sys.mapUpdateElem(inner, u32.encode(7), new Uint8Array(8).fill(7), 0);
        sys.close(inner);
        assert.ok(lives(sys, id));
        const again = sys.mapGetFdById(lookUp(sys, outer, 1));
        const value = new Uint8Array(8);
        assert.equal(sys.mapLookupElem(again, u32.encode(7), value), 0);
        assert.deepEqual(value, new Uint8Array(8).fill(7));
        sys.close(again);
        assert.equal(remove(sys, outer, 1), 0);
        await gone(sys, id);
      });

      test("until another is put in their place", async () => {
        using bpf = open();
        const { sys } = bpf;
        const first = made(sys, HASH);
        const id = idOf(sys, first);
        const outer = outerOf(sys, type, first);
        put(sys, outer, 1, first);
        sys.close(first);
        assert.ok(lives(sys, id));
        put(sys, outer, 1, made(sys, HASH));
        await gone(sys, id);
      });

      test("on their own when they are in it twice and deleted once, or put in their own place", async () => {
        using bpf = open();
        const { sys } = bpf;
        const inner = made(sys, HASH);
        const id = idOf(sys, inner);
        const outer = outerOf(sys, type, inner);
        put(sys, outer, 1, inner);
        put(sys, outer, 2, inner);
        put(sys, outer, 2, inner);
        sys.close(inner);
        remove(sys, outer, 1);
        assert.ok(lives(sys, id));
        remove(sys, outer, 2);
        await gone(sys, id);
      });

      test("until it goes itself", async () => {
        using bpf = open();
        const { sys } = bpf;
        const inner = [made(sys, HASH), made(sys, HASH)];
        const ids = inner.map((fd) => idOf(sys, fd));
        const outer = outerOf(sys, type, inner[0] as number);
        inner.forEach((fd, key) => {
          put(sys, outer, key, fd);
          sys.close(fd);
        });
        assert.ok(ids.every((id) => lives(sys, id)));
        sys.close(outer);
        for (const id of ids) await gone(sys, id);
      });

      test("while it is pinned", async () => {
        using bpf = open();
        const { sys } = bpf;
        const path = `${kernel.bpffs}/outer`;
        const inner = made(sys, HASH);
        const id = idOf(sys, inner);
        const outer = outerOf(sys, type, inner);
        put(sys, outer, 1, inner);
        assert.equal(sys.objPin(outer, path), 0);
        sys.close(inner);
        sys.close(outer);
        assert.ok(lives(sys, id));
        bpf.bpffs.unlink(path);
        await gone(sys, id);
      });

      test("after a refused update as before it", async () => {
        using bpf = open();
        const { sys } = bpf;
        const inner = made(sys, HASH);
        const id = idOf(sys, inner);
        const outer = outerOf(sys, type, inner);
        assert.ok(put(sys, outer, 1, inner, 3) < 0);
        if (type === "array_of_maps") assert.equal(put(sys, outer, 4, inner), -E2BIG);
        sys.close(inner);
        await gone(sys, id);
      });
    });
  }

  describe("array_of_maps", () => {
    test("only BPF_ANY is taken: any other flag is EINVAL, even before the index and the fd", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const inner = made(sys, ARRAY);
      const outer = outerOf(sys, "array_of_maps", inner);
      for (const flags of [BPF_NOEXIST, BPF_EXIST, 3, 4]) assert.equal(put(sys, outer, 0, inner, flags), -EINVAL);
      assert.equal(put(sys, outer, 9, NOT_OPEN, BPF_NOEXIST), -EINVAL);
      assert.equal(put(sys, outer, 9, NOT_OPEN), -E2BIG);
    });

    test("every index has a next one, whether there is a map or not", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const outer = outerOf(sys, "array_of_maps", ARRAY, { maxEntries: 2 });
      const next = new Uint8Array(4);
      assert.equal(sys.mapGetNextKey(outer, null, next), 0);
      assert.equal(u32.decode(next), 0);
      assert.equal(sys.mapGetNextKey(outer, u32.encode(0), next), 0);
      assert.equal(u32.decode(next), 1);
      assert.equal(sys.mapGetNextKey(outer, u32.encode(1), next), -ENOENT);
    });

    test("there are no batches that delete", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const outer = outerOf(sys, "array_of_maps", ARRAY);
      const [keys, values, count] = [new Uint8Array(4), new Uint8Array(4), Uint32Array.of(1)];
      assert.equal(sys.mapDeleteBatch(outer, keys, count), -ENOTSUPP);
      assert.equal(sys.mapLookupAndDeleteBatch(outer, null, new Uint8Array(4), keys, values, count), -ENOTSUPP);
    });

    test("a batch that finds no map writes nothing, wherever it was to write", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const inner = made(sys, ARRAY);
      const outer = outerOf(sys, "array_of_maps", inner);
      const count = Uint32Array.of(4);
      const none = new Uint8Array(0);
      assert.equal(sys.mapLookupBatch(outer, null, new Uint8Array(4), none, none, count), -ENOENT);
      assert.equal(count[0], 0);
      put(sys, outer, 2, inner);
      count[0] = 4;
      assert.equal(sys.mapLookupBatch(outer, null, new Uint8Array(4), none, none, count), -EFAULT);
    });
  });

  describe("hash_of_maps", () => {
    test("a full one is E2BIG, and the flags say when", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const inner = made(sys, ARRAY);
      const outer = outerOf(sys, "hash_of_maps", inner, { maxEntries: 2 });
      assert.equal(put(sys, outer, 1, inner, BPF_EXIST), -ENOENT);
      assert.equal(put(sys, outer, 1, inner, BPF_NOEXIST), 0);
      assert.equal(put(sys, outer, 1, inner, BPF_NOEXIST), -EEXIST);
      assert.equal(put(sys, outer, 1, inner, BPF_EXIST), 0);
      assert.equal(put(sys, outer, 2, inner), 0);
      assert.equal(put(sys, outer, 3, inner), -E2BIG);
      assert.equal(put(sys, outer, 2, inner), 0);
    });

    test("the fd is looked at before the flags", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const inner = made(sys, ARRAY);
      const outer = outerOf(sys, "hash_of_maps", inner);
      assert.equal(put(sys, outer, 1, NOT_OPEN, 3), -EBADF);
      assert.equal(put(sys, outer, 1, inner, 3), -EINVAL);
    });

    test("a key that is overwritten keeps its place", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const inner = made(sys, ARRAY);
      const outer = outerOf(sys, "hash_of_maps", inner, { maxEntries: 64, flags: BPF_F_ZERO_SEED });
      for (let key = 0; key < 64; key++) put(sys, outer, key, inner);
      const before = keysOf(sys, outer);
      for (const key of [63, 0, 17, 40]) put(sys, outer, key, inner);
      assert.deepEqual(keysOf(sys, outer), before);
    });

    test("a batch takes the maps out, and lets them go", async () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const inner = made(sys, ARRAY);
      const id = idOf(sys, inner);
      const outer = outerOf(sys, "hash_of_maps", inner);
      put(sys, outer, 1, inner);
      sys.close(inner);
      const [keys, values, count] = [new Uint8Array(16), new Uint8Array(16), Uint32Array.of(4)];
      assert.equal(sys.mapLookupAndDeleteBatch(outer, null, new Uint8Array(4), keys, values, count), -ENOENT);
      assert.equal(count[0], 1);
      assert.equal(u32.decode(values.slice(0, 4)), id);
      await gone(sys, id);
      assert.equal(lookUp(sys, outer, 1), -ENOENT);
    });
  });
});

function keysOf(sys: Sys, fd: number): number[] {
  const keys: number[] = [];
  let key: Uint8Array | null = null;
  for (;;) {
    const next = new Uint8Array(4);
    if (sys.mapGetNextKey(fd, key, next) !== 0) return keys;
    keys.push(u32.decode(next));
    key = next;
  }
}

function memoryOf(u8: Uint8Array) {
  return { u8, view: new DataView(u8.buffer, u8.byteOffset, u8.byteLength) };
}

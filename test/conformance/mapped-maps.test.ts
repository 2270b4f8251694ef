/** The maps that are there to be mapped: ring buffers and arenas. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MapCreateOptions, MapInfo } from "mapiary";
import { errnoCode } from "../../src/abi/errno.ts";
import {
  BPF_F_MMAPABLE,
  BPF_F_NO_USER_CONV,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_SEGV_ON_FAULT,
} from "../../src/abi/flags.ts";
import { PROT_READ, PROT_WRITE } from "../../src/abi/mman.ts";
import { onEveryKernel, withTypes } from "../kernels.ts";
import { Seam } from "./seam.ts";

const PAGE = 4096;
const READ_WRITE = PROT_READ | PROT_WRITE;
/** Two pages of data, after the pages of the two positions, and once more. */
const RING = { maxEntries: 2 * PAGE };
const RING_PAGES = 6;
const ARENA = { type: "arena", maxEntries: 4, flags: BPF_F_MMAPABLE } as const;

function shown(result: number): string {
  return result < 0 ? errnoCode(result) : "ok";
}

onEveryKernel((kernel) => {
  const create = (options: MapCreateOptions): string => {
    using bpf = kernel.open();
    return shown(bpf.sys.mapCreate(options));
  };

  /** What a new map answers to one mapping. */
  function mapOnce(options: MapCreateOptions, pages: number, offset: number, protection: number): string {
    using seam = new Seam(kernel);
    const fd = seam.bpf.sys.mapCreate(options);
    return shown(seam.kernel.mmap(fd, pages * PAGE, protection, offset * PAGE));
  }

  for (const type of ["ringbuf", "user_ringbuf"] as const) {
    const suite = (): void => {
      test("is a power of two of whole pages, without keys and values", () => {
        for (const maxEntries of [PAGE, 2 * PAGE, 64 * PAGE]) assert.equal(create({ type, maxEntries }), "ok");
        for (const maxEntries of [0, 1, 2048, 3 * PAGE, PAGE + 1]) {
          assert.equal(create({ type, maxEntries }), "EINVAL", String(maxEntries));
        }
        assert.equal(create({ type, ...RING, keySize: 4 }), "EINVAL");
        assert.equal(create({ type, ...RING, valueSize: 4 }), "EINVAL");
        assert.equal(create({ type, ...RING, flags: BPF_F_NUMA_NODE }), "ok");
        assert.equal(create({ type, ...RING, flags: BPF_F_RDONLY }), "EINVAL");
      });

      test("has no elements", () => {
        using bpf = kernel.open();
        const fd = bpf.sys.mapCreate({ type, ...RING });
        const none = new Uint8Array(0);
        const answers = [
          bpf.sys.mapLookupElem(fd, null, none),
          bpf.sys.mapUpdateElem(fd, null, none),
          bpf.sys.mapDeleteElem(fd, null),
          bpf.sys.mapLookupAndDeleteElem(fd, null, none),
          bpf.sys.mapGetNextKey(fd, null, none),
          bpf.sys.mapLookupBatch(fd, null, none, none, none, Uint32Array.of(1)),
        ];
        assert.deepEqual(new Set(answers.map(shown)), new Set(["ENOTSUPP"]));
      });

      test("can be read whole, its data twice", () => {
        assert.equal(mapOnce({ type, ...RING }, RING_PAGES, 0, PROT_READ), "ok");
        assert.equal(mapOnce({ type, ...RING }, 4, 2, PROT_READ), "ok");
        assert.equal(mapOnce({ type, ...RING }, RING_PAGES + 1, 0, PROT_READ), "EINVAL");
        assert.equal(mapOnce({ type, ...RING }, 1, RING_PAGES, PROT_READ), "EINVAL");
      });

      test("begins with positions that are 0", () => {
        using seam = new Seam(kernel);
        const fd = seam.bpf.sys.mapCreate({ type, ...RING });
        const at = seam.kernel.mmap(fd, 2 * PAGE, PROT_READ, 0);
        assert.ok(at > 0);
        assert.deepEqual(seam.bytes(at, 8), new Uint8Array(8));
        assert.deepEqual(seam.bytes(at + PAGE, 8), new Uint8Array(8));
      });

      test("cannot be frozen while it is mapped for writing, nor mapped so when it is frozen", () => {
        using seam = new Seam(kernel);
        const fd = seam.bpf.sys.mapCreate({ type, ...RING });
        const offset = type === "ringbuf" ? 0 : PAGE;
        const at = seam.kernel.mmap(fd, PAGE, READ_WRITE, offset);
        assert.ok(at > 0);
        assert.equal(shown(seam.bpf.sys.mapFreeze(fd)), "EBUSY");
        assert.equal(seam.kernel.munmap(at, PAGE), 0);
        assert.equal(shown(seam.bpf.sys.mapFreeze(fd)), "ok");
        assert.equal(shown(seam.kernel.mmap(fd, PAGE, READ_WRITE, offset)), "EPERM");
        assert.equal(shown(seam.kernel.mmap(fd, PAGE, PROT_READ, offset)), "ok");
      });
    };
    describe(`a ${type}`, () => withTypes(kernel, [type], suite));
  }

  test("user space writes the consumer's position of a ringbuf, and nothing else", () => {
    const ring = { type: "ringbuf", ...RING } as const;
    assert.equal(mapOnce(ring, 1, 0, READ_WRITE), "ok");
    assert.equal(mapOnce(ring, 2, 0, READ_WRITE), "EPERM");
    for (const offset of [1, 2, 5, 6, 100]) assert.equal(mapOnce(ring, 1, offset, READ_WRITE), "EPERM", String(offset));
  });

  test("user space writes everything of a user_ringbuf but the consumer's position", () => {
    const ring = { type: "user_ringbuf", ...RING } as const;
    for (const pages of [1, 2, 6, 7]) assert.equal(mapOnce(ring, pages, 0, READ_WRITE), "EPERM");
    assert.equal(mapOnce(ring, 1, 1, READ_WRITE), "ok");
    assert.equal(mapOnce(ring, 5, 1, READ_WRITE), "ok");
    assert.equal(mapOnce(ring, 4, 2, READ_WRITE), "ok");
    assert.equal(mapOnce(ring, 6, 1, READ_WRITE), "EINVAL");
  });

  test("what a program is told through a ring buffer stays in it", () => {
    using seam = new Seam(kernel);
    const fd = seam.bpf.sys.mapCreate({ type: "user_ringbuf", ...RING });
    const at = seam.kernel.mmap(fd, 2 * PAGE, READ_WRITE, PAGE);
    seam.write(at, 24);
    seam.write(at + PAGE, 77);
    assert.equal(seam.kernel.munmap(at, 2 * PAGE), 0);
    const again = seam.kernel.mmap(fd, 2 * PAGE, PROT_READ, PAGE);
    assert.deepEqual(seam.bytes(again, 4), Uint8Array.of(24, 0, 0, 0));
    assert.deepEqual(seam.bytes(again + PAGE, 4), Uint8Array.of(77, 0, 0, 0));
  });

  describe("an arena", () => {
    test("is made of pages, for mapping only", () => {
      assert.equal(create(ARENA), "ok");
      assert.equal(create({ ...ARENA, flags: BPF_F_MMAPABLE | BPF_F_SEGV_ON_FAULT | BPF_F_NO_USER_CONV }), "ok");
      assert.equal(create({ ...ARENA, flags: 0 }), "EINVAL");
      assert.equal(create({ ...ARENA, flags: BPF_F_MMAPABLE | BPF_F_NUMA_NODE }), "EINVAL");
      assert.equal(create({ ...ARENA, maxEntries: 0 }), "EINVAL");
      assert.equal(create({ ...ARENA, keySize: 4 }), "EINVAL");
      assert.equal(create({ ...ARENA, valueSize: 4 }), "EINVAL");
    });

    test("has at most 4 GiB", () => {
      assert.equal(create({ ...ARENA, maxEntries: 2 ** 20 + 1 }), "E2BIG");
      assert.equal(create({ ...ARENA, maxEntries: 2 ** 32 - 1 }), "E2BIG");
    });

    test("may ask for an address, whose upper half is the same for all of its pages", () => {
      assert.equal(create({ ...ARENA, mapExtra: 2 ** 32 }), "ok");
      assert.equal(create({ ...ARENA, mapExtra: 2 ** 32 - 4 * PAGE }), "ok");
      assert.equal(create({ ...ARENA, mapExtra: 2 ** 32 - 3 * PAGE }), "ERANGE");
      assert.equal(create({ ...ARENA, mapExtra: 1 }), "EINVAL");
    });

    test("keeps the address that it asks for", () => {
      using bpf = kernel.open();
      const fd = bpf.sys.mapCreate({ ...ARENA, mapExtra: 2 ** 40 + PAGE });
      const info = bpf.sys.objGetInfoByFd(fd) as MapInfo;
      assert.equal(info.mapExtra, 2 ** 40 + PAGE);
    });

    test("has no elements", () => {
      using bpf = kernel.open();
      const fd = bpf.sys.mapCreate(ARENA);
      const none = new Uint8Array(0);
      assert.equal(shown(bpf.sys.mapLookupElem(fd, null, none)), "EINVAL");
      assert.equal(shown(bpf.sys.mapUpdateElem(fd, null, none)), "ENOTSUP");
      assert.equal(shown(bpf.sys.mapDeleteElem(fd, null)), "ENOTSUP");
      assert.equal(shown(bpf.sys.mapGetNextKey(fd, null, none)), "ENOTSUP");
      assert.equal(shown(bpf.sys.mapLookupAndDeleteElem(fd, null, none)), "ENOTSUPP");
    });

    test("is mapped from its beginning, and always as long as the first time", () => {
      using seam = new Seam(kernel);
      const fd = seam.bpf.sys.mapCreate(ARENA);
      assert.equal(shown(seam.kernel.mmap(fd, PAGE, READ_WRITE, PAGE)), "EINVAL");
      const at = seam.kernel.mmap(fd, 3 * PAGE, READ_WRITE, 0);
      assert.ok(at > 0);
      seam.write(at + 2 * PAGE, 5);
      assert.equal(seam.kernel.munmap(at, 3 * PAGE), 0);
      assert.equal(shown(seam.kernel.mmap(fd, 2 * PAGE, READ_WRITE, 0)), "EINVAL");
      assert.equal(shown(seam.kernel.mmap(fd, 4 * PAGE, READ_WRITE, 0)), "E2BIG");
    });

    test("cannot be frozen once it was mapped for writing, even when it is no longer", () => {
      using seam = new Seam(kernel);
      const fd = seam.bpf.sys.mapCreate(ARENA);
      const at = seam.kernel.mmap(fd, 4 * PAGE, READ_WRITE, 0);
      assert.equal(shown(seam.bpf.sys.mapFreeze(fd)), "EBUSY");
      assert.equal(seam.kernel.munmap(at, 4 * PAGE), 0);
      assert.equal(shown(seam.bpf.sys.mapFreeze(fd)), "EBUSY");
    });
  });
});

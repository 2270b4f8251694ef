/** BPF_MAP_CREATE: every check of the attributes of hash and array maps. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MapCreateOptions } from "mapiary";
import { E2BIG, EBADF, EINVAL, errnoCode } from "../../src/abi/errno.ts";
import {
  BPF_F_CLONE,
  BPF_F_INNER_MAP,
  BPF_F_LINK,
  BPF_F_MMAPABLE,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_PRESERVE_ELEMS,
  BPF_F_RDONLY,
  BPF_F_RDONLY_PROG,
  BPF_F_SEGV_ON_FAULT,
  BPF_F_STACK_BUILD_ID,
  BPF_F_WRONLY,
  BPF_F_WRONLY_PROG,
  BPF_F_ZERO_SEED,
} from "../../src/abi/flags.ts";
import { onEveryKernel, type TestKernel } from "../kernels.ts";

const HASH: MapCreateOptions = { type: "hash", keySize: 4, valueSize: 4, maxEntries: 4 };
const ARRAY: MapCreateOptions = { ...HASH, type: "array" };

/** What a kernel answers to a creation: `"ok"`, or the name of its error. */
function create(kernel: TestKernel, options: MapCreateOptions): string {
  using bpf = kernel.open();
  const fd = bpf.sys.mapCreate(options);
  return fd < 0 ? errnoCode(fd) : "ok";
}

/** The flags that mean something to some map type, but not to arrays, or not to hashes. */
const FLAGS = {
  BPF_F_NO_PREALLOC,
  BPF_F_NO_COMMON_LRU,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY,
  BPF_F_WRONLY,
  BPF_F_STACK_BUILD_ID,
  BPF_F_ZERO_SEED,
  BPF_F_RDONLY_PROG,
  BPF_F_WRONLY_PROG,
  BPF_F_CLONE,
  BPF_F_MMAPABLE,
  BPF_F_PRESERVE_ELEMS,
  BPF_F_INNER_MAP,
  BPF_F_LINK,
  BPF_F_SEGV_ON_FAULT,
};

function acceptedFlags(kernel: TestKernel, options: MapCreateOptions): string[] {
  const accepted: string[] = [];
  for (const [name, flags] of Object.entries(FLAGS)) {
    const answer = create(kernel, { ...options, flags });
    assert.ok(answer === "ok" || answer === "EINVAL", `${name}: ${answer}`);
    if (answer === "ok") accepted.push(name);
  }
  return accepted;
}

onEveryKernel((kernel) => {
  describe("a hash", () => {
    test("has keys, values and room for at least one entry", () => {
      assert.equal(create(kernel, HASH), "ok");
      assert.equal(create(kernel, { ...HASH, keySize: 0 }), "EINVAL");
      assert.equal(create(kernel, { ...HASH, valueSize: 0 }), "EINVAL");
      assert.equal(create(kernel, { ...HASH, maxEntries: 0 }), "EINVAL");
    });

    test("has keys and values of any size, together below 4 MiB less the header of an element", () => {
      assert.equal(create(kernel, { ...HASH, keySize: 1, valueSize: 1 }), "ok");
      assert.equal(create(kernel, { ...HASH, maxEntries: 1, keySize: 4, valueSize: 2 ** 22 - 48 - 4 - 1 }), "ok");
      assert.equal(create(kernel, { ...HASH, maxEntries: 1, keySize: 4, valueSize: 2 ** 22 - 48 - 4 }), "E2BIG");
      assert.equal(create(kernel, { ...HASH, maxEntries: 1, keySize: 2 ** 22 - 48 - 4, valueSize: 4 }), "E2BIG");
      assert.equal(create(kernel, { ...HASH, keySize: 2 ** 31, valueSize: 8 }), "E2BIG");
    });

    test("of more buckets than 32 bits can count the bytes of is E2BIG", () => {
      assert.equal(create(kernel, { ...HASH, maxEntries: 2 ** 28 }), "E2BIG");
      assert.equal(create(kernel, { ...HASH, maxEntries: 2 ** 31 + 1 }), "E2BIG");
      assert.equal(create(kernel, { ...HASH, maxEntries: 2 ** 32 - 1 }), "E2BIG");
    });

    test("takes its own flags and no others", () => {
      assert.deepEqual(acceptedFlags(kernel, HASH), [
        "BPF_F_NO_PREALLOC",
        "BPF_F_NUMA_NODE",
        "BPF_F_RDONLY",
        "BPF_F_WRONLY",
        "BPF_F_ZERO_SEED",
        "BPF_F_RDONLY_PROG",
        "BPF_F_WRONLY_PROG",
      ]);
    });

    test("a wrong flag comes before a wrong size", () => {
      assert.equal(create(kernel, { ...HASH, keySize: 2 ** 22, flags: BPF_F_MMAPABLE }), "EINVAL");
    });
  });

  describe("an array", () => {
    test("has indexes of four bytes, values and room for at least one", () => {
      assert.equal(create(kernel, ARRAY), "ok");
      for (const keySize of [0, 1, 2, 3, 5, 8]) assert.equal(create(kernel, { ...ARRAY, keySize }), "EINVAL");
      assert.equal(create(kernel, { ...ARRAY, valueSize: 0 }), "EINVAL");
      assert.equal(create(kernel, { ...ARRAY, maxEntries: 0 }), "EINVAL");
    });

    test("of values beyond 2 GiB is E2BIG", () => {
      assert.equal(create(kernel, { ...ARRAY, maxEntries: 1, valueSize: 2 ** 31 }), "E2BIG");
      assert.equal(create(kernel, { ...ARRAY, maxEntries: 1, valueSize: 2 ** 32 - 1 }), "E2BIG");
    });

    test("takes its own flags and no others", () => {
      assert.deepEqual(acceptedFlags(kernel, ARRAY), [
        "BPF_F_NUMA_NODE",
        "BPF_F_RDONLY",
        "BPF_F_WRONLY",
        "BPF_F_RDONLY_PROG",
        "BPF_F_WRONLY_PROG",
        "BPF_F_MMAPABLE",
        "BPF_F_INNER_MAP",
      ]);
    });

    test("a wrong key size comes before a value that is too large", () => {
      assert.equal(create(kernel, { ...ARRAY, keySize: 8, valueSize: 2 ** 31 }), "EINVAL");
    });
  });

  for (const options of [HASH, ARRAY]) {
    describe(`a map of type ${options.type}`, () => {
      test("cannot be read-only and write-only at once", () => {
        assert.equal(create(kernel, { ...options, flags: BPF_F_RDONLY | BPF_F_WRONLY }), "EINVAL");
        assert.equal(create(kernel, { ...options, flags: BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG }), "EINVAL");
        assert.equal(create(kernel, { ...options, flags: BPF_F_RDONLY | BPF_F_WRONLY_PROG }), "ok");
      });

      test("has no extra attribute", () => {
        assert.equal(create(kernel, { ...options, mapExtra: 1 }), "EINVAL");
        assert.equal(create(kernel, { ...options, mapExtra: 1n << 63n }), "EINVAL");
      });

      test("lies on a NUMA node that there is, and only asks for one with the flag", () => {
        assert.equal(create(kernel, { ...options, numaNode: 0, flags: BPF_F_NUMA_NODE }), "ok");
        assert.equal(create(kernel, { ...options, numaNode: 1_000_000, flags: BPF_F_NUMA_NODE }), "EINVAL");
        assert.equal(create(kernel, { ...options, numaNode: 2 ** 32 - 2, flags: BPF_F_NUMA_NODE }), "EINVAL");
        assert.equal(create(kernel, { ...options, numaNode: 1_000_000 }), "ok");
      });

      test("has no inner map, and an fd given for one does not matter", () => {
        assert.equal(create(kernel, { ...options, innerMapFd: 1_000_000 }), "ok");
      });

      test("belongs to a network device that there is", () => {
        assert.equal(create(kernel, { ...options, ifindex: 2 ** 31 - 1 }), "EINVAL");
      });

      test("has types by an fd of BTF", () => {
        assert.equal(create(kernel, { ...options, btfKeyTypeId: 1 }), "EINVAL");
        assert.equal(create(kernel, { ...options, btfValueTypeId: 1, btfFd: 1_000_000 }), "EBADF");
        assert.equal(create(kernel, { ...options, btfFd: 1_000_000 }), "ok");
        assert.equal(create(kernel, { ...options, btfVmlinuxValueTypeId: 1 }), "EINVAL");
      });

      test("has a name of letters, digits, dots and underscores", () => {
        for (const name of ["", "a", "A_z.0", "...", "_", "fifteen_letters"]) {
          assert.equal(create(kernel, { ...options, name }), "ok", name);
        }
        for (const name of ["a b", "a-b", "a/b", "a:b", "@", "[", "`", "{", "\t", "a\x7fb", "\u00e9"]) {
          assert.equal(create(kernel, { ...options, name }), "EINVAL", name);
        }
      });

      test("keeps the first 15 bytes of its name", () => {
        using bpf = kernel.open();
        const fd = bpf.sys.mapCreate({ ...options, name: "a_name_of_more_than_fifteen_bytes" });
        const info = bpf.sys.objGetInfoByFd(fd);
        assert.ok(typeof info !== "number");
        assert.equal(info.name, "a_name_of_more_");
      });

      test("may be for one program, whose hash has 32 bytes", () => {
        assert.equal(create(kernel, { ...options, exclProgHash: new Uint8Array(32) }), "ok");
        assert.equal(create(kernel, { ...options, exclProgHash: new Uint8Array(31) }), "EINVAL");
        assert.equal(create(kernel, { ...options, exclProgHash: new Uint8Array(33) }), "EINVAL");
      });

      test("of two mistakes the first that Linux looks for is answered", () => {
        using bpf = kernel.open();
        assert.equal(bpf.sys.mapCreate({ ...options, maxEntries: 0, name: "a b" }), -EINVAL);
        assert.equal(bpf.sys.mapCreate({ ...options, name: "a b", btfValueTypeId: 1, btfFd: 1_000_000 }), -EINVAL);
        assert.equal(
          bpf.sys.mapCreate({ ...options, btfValueTypeId: 1, btfFd: 1_000_000, exclProgHash: new Uint8Array(1) }),
          -EBADF,
        );
        assert.equal(
          bpf.sys.mapCreate({ ...options, keySize: 4, valueSize: 2 ** 31, maxEntries: 1, name: "a b" }),
          -E2BIG,
        );
      });
    });
  }

  test("a type that there is not is EINVAL", () => {
    assert.equal(create(kernel, { ...HASH, type: 0 }), "EINVAL");
    assert.equal(create(kernel, { ...HASH, type: 1000 }), "EINVAL");
    assert.equal(create(kernel, { ...HASH, type: 2 ** 32 - 1 }), "EINVAL");
  });

  test("a name of a type that there is not throws", () => {
    using bpf = kernel.open();
    // @ts-expect-error: a type's name is one of Linux's
    assert.throws(() => bpf.sys.mapCreate({ type: "hsah" }), TypeError);
  });
});

/** Lookup, update, delete, lookup-and-delete and next key, by `sys`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sys, u32 } from "mapiary";
import { E2BIG, EBADF, EEXIST, EINVAL, ENOENT, ENOTSUPP } from "../../src/abi/errno.ts";
import { BPF_ANY, BPF_EXIST, BPF_F_LOCK, BPF_F_NO_PREALLOC, BPF_NOEXIST } from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";

const MISSING_FD = 1_000_000;

function createHash(sys: Sys, maxEntries = 4, flags = 0): number {
  return sys.mapCreate({ type: "hash", keySize: 4, valueSize: 4, maxEntries, flags });
}

function createArray(sys: Sys, maxEntries = 4): number {
  return sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries });
}

/** The value of a key, or `−errno`. */
function lookup(sys: Sys, fd: number, key: number): number {
  const value = new Uint8Array(4);
  const result = sys.mapLookupElem(fd, u32.encode(key), value);
  return result < 0 ? result : u32.decode(value);
}

function update(sys: Sys, fd: number, key: number, value: number, flags: number | bigint = 0): number {
  return sys.mapUpdateElem(fd, u32.encode(key), u32.encode(value), flags);
}

function take(sys: Sys, fd: number, key: number, flags: number | bigint = 0): number {
  const value = new Uint8Array(4);
  const result = sys.mapLookupAndDeleteElem(fd, u32.encode(key), value, flags);
  return result < 0 ? result : u32.decode(value);
}

/** The keys in the order of BPF_MAP_GET_NEXT_KEY. */
function keysOf(sys: Sys, fd: number): number[] {
  const keys: number[] = [];
  const key = new Uint8Array(4);
  for (let previous: Uint8Array | null = null; sys.mapGetNextKey(fd, previous, key) === 0; previous = key) {
    keys.push(u32.decode(key));
  }
  return keys;
}

/** Flags that no update takes. */
const WRONG_FLAGS = [3, 8, 16, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 1n << 63n, (1n << 64n) - 1n];

onEveryKernel((kernel) => {
  describe("a hash", () => {
    test("has no key until it is updated, and has it until it is deleted", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys);
      assert.equal(lookup(sys, fd, 1), -ENOENT);
      assert.equal(update(sys, fd, 1, 10), 0);
      assert.equal(lookup(sys, fd, 1), 10);
      assert.equal(update(sys, fd, 1, 11), 0);
      assert.equal(lookup(sys, fd, 1), 11);
      assert.equal(sys.mapDeleteElem(fd, u32.encode(1)), 0);
      assert.equal(lookup(sys, fd, 1), -ENOENT);
      assert.equal(sys.mapDeleteElem(fd, u32.encode(1)), -ENOENT);
    });

    test("an update of a key with BPF_NOEXIST is EEXIST when it is there", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys);
      assert.equal(update(sys, fd, 1, 10, BPF_NOEXIST), 0);
      assert.equal(update(sys, fd, 1, 11, BPF_NOEXIST), -EEXIST);
      assert.equal(lookup(sys, fd, 1), 10);
    });

    test("an update of a key with BPF_EXIST is ENOENT when it is not there", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys);
      assert.equal(update(sys, fd, 1, 10, BPF_EXIST), -ENOENT);
      assert.equal(lookup(sys, fd, 1), -ENOENT);
      assert.equal(update(sys, fd, 1, 10, BPF_ANY), 0);
      assert.equal(update(sys, fd, 1, 11, BPF_EXIST), 0);
      assert.equal(lookup(sys, fd, 1), 11);
    });

    for (const flags of [0, BPF_F_NO_PREALLOC]) {
      test(`an update of a full ${flags === 0 ? "one" : "one that allocates late"} is E2BIG, but for the keys that are there`, () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createHash(sys, 2, flags);
        assert.equal(update(sys, fd, 1, 10), 0);
        assert.equal(update(sys, fd, 2, 20), 0);
        assert.equal(update(sys, fd, 3, 30), -E2BIG);
        assert.equal(update(sys, fd, 3, 30, BPF_NOEXIST), -E2BIG);
        assert.equal(update(sys, fd, 3, 30, BPF_EXIST), -ENOENT);
        assert.equal(update(sys, fd, 1, 11), 0);
        assert.equal(update(sys, fd, 1, 11, BPF_NOEXIST), -EEXIST);
        assert.equal(sys.mapDeleteElem(fd, u32.encode(2)), 0);
        assert.equal(update(sys, fd, 3, 30), 0);
        assert.deepEqual(keysOf(sys, fd).sort(), [1, 3]);
      });
    }

    test("lookup-and-delete answers the value and takes the key away", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys);
      update(sys, fd, 1, 10);
      assert.equal(take(sys, fd, 1), 10);
      assert.equal(take(sys, fd, 1), -ENOENT);
      assert.equal(lookup(sys, fd, 1), -ENOENT);
    });

    test("what a delete leaves behind is zero for no one: a new value is wholly the new one", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 1);
      update(sys, fd, 1, 0xffffffff);
      sys.mapDeleteElem(fd, u32.encode(1));
      update(sys, fd, 2, 0);
      assert.equal(lookup(sys, fd, 2), 0);
    });

    test("next key goes through every key once", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 100);
      for (let key = 0; key < 100; key++) update(sys, fd, key, key);
      const keys = keysOf(sys, fd);
      assert.deepEqual(
        keys.toSorted((a, b) => a - b),
        Array.from({ length: 100 }, (_, key) => key),
      );
    });

    test("a key that is not there is followed by the first one", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 100);
      for (let key = 0; key < 50; key++) update(sys, fd, key, key);
      const first = new Uint8Array(4);
      const next = new Uint8Array(4);
      assert.equal(sys.mapGetNextKey(fd, null, first), 0);
      assert.equal(sys.mapGetNextKey(fd, u32.encode(1000), next), 0);
      assert.deepEqual(next, first);
    });

    test("of no entries has no first key", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys);
      assert.equal(sys.mapGetNextKey(fd, null, new Uint8Array(4)), -ENOENT);
      assert.equal(sys.mapGetNextKey(fd, u32.encode(1), new Uint8Array(4)), -ENOENT);
    });
  });

  describe("an array", () => {
    test("has every index from the beginning, with a value of zeros", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createArray(sys);
      assert.deepEqual(keysOf(sys, fd), [0, 1, 2, 3]);
      assert.equal(lookup(sys, fd, 3), 0);
      assert.equal(update(sys, fd, 3, 30), 0);
      assert.equal(lookup(sys, fd, 3), 30);
    });

    test("an index past the end is ENOENT in a lookup, E2BIG in an update", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createArray(sys);
      for (const index of [4, 5, 8, 2 ** 31, 2 ** 32 - 1]) {
        assert.equal(lookup(sys, fd, index), -ENOENT);
        assert.equal(update(sys, fd, index, 1), -E2BIG);
        assert.equal(update(sys, fd, index, 1, BPF_EXIST), -E2BIG);
        assert.equal(update(sys, fd, index, 1, BPF_NOEXIST), -E2BIG);
      }
    });

    test("an update with BPF_NOEXIST is EEXIST, one with BPF_EXIST succeeds", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createArray(sys);
      assert.equal(update(sys, fd, 1, 10, BPF_NOEXIST), -EEXIST);
      assert.equal(update(sys, fd, 1, 10, BPF_EXIST), 0);
      assert.equal(lookup(sys, fd, 1), 10);
    });

    test("has nothing to delete", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createArray(sys);
      for (const index of [0, 3, 4]) {
        assert.equal(sys.mapDeleteElem(fd, u32.encode(index)), -EINVAL);
        assert.equal(take(sys, fd, index), -ENOTSUPP);
      }
    });

    test("an index past the end is followed by the first one, the last by none", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createArray(sys);
      const next = new Uint8Array(4);
      for (const index of [4, 5, 2 ** 32 - 1]) {
        assert.equal(sys.mapGetNextKey(fd, u32.encode(index), next), 0);
        assert.equal(u32.decode(next), 0);
      }
      assert.equal(sys.mapGetNextKey(fd, u32.encode(3), next), -ENOENT);
    });

    test("of one entry has no key after the first", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      assert.deepEqual(keysOf(sys, createArray(sys, 1)), [0]);
    });

    test("of values that are no multiple of 8 keeps them apart", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      for (const valueSize of [1, 3, 7, 9, 15, 17]) {
        const fd = sys.mapCreate({ type: "array", keySize: 4, valueSize, maxEntries: 3 });
        for (let index = 0; index < 3; index++) {
          assert.equal(sys.mapUpdateElem(fd, u32.encode(index), new Uint8Array(valueSize).fill(index + 1)), 0);
        }
        for (let index = 0; index < 3; index++) {
          const value = new Uint8Array(valueSize);
          assert.equal(sys.mapLookupElem(fd, u32.encode(index), value), 0);
          assert.deepEqual(value, new Uint8Array(valueSize).fill(index + 1));
        }
      }
    });
  });

  for (const create of [createHash, createArray]) {
    describe(`flags of the elements of ${create === createHash ? "a hash" : "an array"}`, () => {
      test("that an update does not have are EINVAL, whether the key is there or not", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = create(sys);
        update(sys, fd, 1, 10);
        for (const flags of WRONG_FLAGS) {
          assert.equal(update(sys, fd, 1, 11, flags), -EINVAL, `${flags}`);
          assert.equal(update(sys, fd, 1000, 11, flags), -EINVAL, `${flags}`);
        }
        assert.equal(lookup(sys, fd, 1), 10);
      });

      test("that a lookup does not have are EINVAL", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = create(sys);
        for (const flags of [BPF_NOEXIST, BPF_EXIST, ...WRONG_FLAGS]) {
          assert.equal(sys.mapLookupElem(fd, u32.encode(1), new Uint8Array(4), flags), -EINVAL, `${flags}`);
        }
      });

      test("that lookup-and-delete does not have are EINVAL", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = create(sys);
        for (const flags of [BPF_NOEXIST, BPF_EXIST, ...WRONG_FLAGS]) {
          assert.equal(take(sys, fd, 1, flags), -EINVAL, `${flags}`);
        }
      });

      test("with BPF_F_LOCK are EINVAL, since there is no lock in the values", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = create(sys);
        update(sys, fd, 1, 10);
        assert.equal(update(sys, fd, 1, 11, BPF_F_LOCK), -EINVAL);
        assert.equal(update(sys, fd, 1, 11, BPF_F_LOCK | BPF_EXIST), -EINVAL);
        assert.equal(sys.mapLookupElem(fd, u32.encode(1), new Uint8Array(4), BPF_F_LOCK), -EINVAL);
        assert.equal(take(sys, fd, 1, BPF_F_LOCK), -EINVAL);
        assert.equal(lookup(sys, fd, 1), 10);
      });
    });
  }

  describe("an fd that is none", () => {
    for (const fd of [-1, -100, 2 ** 31 - 1, MISSING_FD]) {
      test(`is EBADF: ${fd}`, () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const bytes = new Uint8Array(4);
        const count = Uint32Array.of(1);
        assert.equal(sys.mapLookupElem(fd, bytes, bytes), -EBADF);
        assert.equal(sys.mapUpdateElem(fd, bytes, bytes), -EBADF);
        assert.equal(sys.mapUpdateElem(fd, bytes, bytes, 1000), -EBADF);
        assert.equal(sys.mapDeleteElem(fd, bytes), -EBADF);
        assert.equal(sys.mapLookupAndDeleteElem(fd, bytes, bytes), -EBADF);
        assert.equal(sys.mapGetNextKey(fd, null, bytes), -EBADF);
        assert.equal(sys.mapLookupBatch(fd, null, bytes, bytes, bytes, count), -EBADF);
        assert.equal(sys.mapLookupAndDeleteBatch(fd, null, bytes, bytes, bytes, count), -EBADF);
        assert.equal(sys.mapUpdateBatch(fd, bytes, bytes, count), -EBADF);
        assert.equal(sys.mapDeleteBatch(fd, bytes, count), -EBADF);
        assert.equal(sys.mapFreeze(fd), -EBADF);
        assert.equal(sys.close(fd), -EBADF);
      });
    }

    test("comes after flags that a lookup does not have", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const bytes = new Uint8Array(4);
      assert.equal(sys.mapLookupElem(MISSING_FD, bytes, bytes, 1000), -EINVAL);
      assert.equal(sys.mapLookupAndDeleteElem(MISSING_FD, bytes, bytes, 1000), -EINVAL);
    });

    test("is EBADF as soon as it is closed", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys);
      assert.equal(sys.close(fd), 0);
      assert.equal(sys.close(fd), -EBADF);
      assert.equal(update(sys, fd, 1, 10), -EBADF);
      assert.equal(lookup(sys, fd, 1), -EBADF);
      assert.equal(sys.mapFreeze(fd), -EBADF);
    });
  });

  test("an fd that is closed is given out again, for a map of any shape", () => {
    using bpf = kernel.open();
    const { sys } = bpf;
    const fd = createHash(sys);
    update(sys, fd, 1, 10);
    sys.close(fd);
    const arrays = Array.from({ length: 20 }, () =>
      sys.mapCreate({ type: "array", keySize: 4, valueSize: 100, maxEntries: 2 }),
    );
    assert.ok(arrays.includes(fd));
    for (const array of arrays) {
      const value = new Uint8Array(100).fill(1);
      assert.equal(sys.mapLookupElem(array, u32.encode(1), value), 0);
      assert.deepEqual(value, new Uint8Array(100));
    }
  });
});

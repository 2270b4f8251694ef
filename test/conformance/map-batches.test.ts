/** The four batch commands, by `sys`. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sys, u32 } from "mapiary";
import { E2BIG, EINVAL, ENOENT, ENOSPC, ENOTSUPP } from "../../src/abi/errno.ts";
import { BPF_EXIST, BPF_F_LOCK, BPF_F_ZERO_SEED, BPF_NOEXIST } from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";

/** A hash of `u32` to `u32` in which every key below `entries` has ten times itself. */
function createHash(sys: Sys, entries: number, maxEntries: number = Math.max(entries, 1)): number {
  const fd = sys.mapCreate({ type: "hash", keySize: 4, valueSize: 4, maxEntries, flags: BPF_F_ZERO_SEED });
  for (let key = 0; key < entries; key++) sys.mapUpdateElem(fd, u32.encode(key), u32.encode(key * 10));
  return fd;
}

function createArray(sys: Sys, maxEntries: number): number {
  const fd = sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries });
  for (let index = 0; index < maxEntries; index++) sys.mapUpdateElem(fd, u32.encode(index), u32.encode(index * 10));
  return fd;
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function toWords(bytes: Uint8Array, count = bytes.length / 4): number[] {
  return [...new Uint32Array(bytes.slice(0, count * 4).buffer)];
}

/** What one lookup batch answered. */
interface Answer {
  readonly result: number;
  readonly count: number;
  readonly keys: number[];
  readonly values: number[];
  readonly cursor: Uint8Array;
}

function lookupBatch(sys: Sys, fd: number, most: number, cursor: Uint8Array | null = null, taking = false): Answer {
  const keys = new Uint8Array(4 * most);
  const values = new Uint8Array(4 * most);
  const next = new Uint8Array(4);
  const count = Uint32Array.of(most);
  const result = taking
    ? sys.mapLookupAndDeleteBatch(fd, cursor, next, keys, values, count)
    : sys.mapLookupBatch(fd, cursor, next, keys, values, count);
  const found = count[0] as number;
  return { result, count: found, keys: toWords(keys, found), values: toWords(values, found), cursor: next };
}

/** Every entry in batches of `most`, and how many of each batch. */
function readAll(sys: Sys, fd: number, most: number): { keys: number[]; values: number[]; counts: number[] } {
  const keys: number[] = [];
  const values: number[] = [];
  const counts: number[] = [];
  let cursor: Uint8Array | null = null;
  for (;;) {
    const answer: Answer = lookupBatch(sys, fd, most, cursor);
    assert.ok(answer.result === 0 || answer.result === -ENOENT, `${answer.result}`);
    keys.push(...answer.keys);
    values.push(...answer.values);
    counts.push(answer.count);
    if (answer.result === -ENOENT) return { keys, values, counts };
    cursor = answer.cursor;
  }
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

const ascending = (a: number, b: number) => a - b;

onEveryKernel((kernel) => {
  describe("a lookup batch of a hash", () => {
    test("that has room for all answers all, and ENOENT since these are the last", () => {
      using bpf = kernel.open();
      const answer = lookupBatch(bpf.sys, createHash(bpf.sys, 9), 16);
      assert.equal(answer.result, -ENOENT);
      assert.equal(answer.count, 9);
      assert.deepEqual(answer.keys.toSorted(ascending), upTo(9));
      assert.deepEqual(
        answer.values,
        answer.keys.map((key) => key * 10),
      );
    });

    test("of an empty one is ENOENT and no entries", () => {
      using bpf = kernel.open();
      const answer = lookupBatch(bpf.sys, createHash(bpf.sys, 0), 16);
      assert.equal(answer.result, -ENOENT);
      assert.equal(answer.count, 0);
    });

    test("continues from its cursor, and misses and repeats nothing", () => {
      using bpf = kernel.open();
      const fd = createHash(bpf.sys, 1000);
      for (const most of [8, 9, 15, 16, 17, 100, 333, 999, 1000, 1001, 5000]) {
        const { keys, values } = readAll(bpf.sys, fd, most);
        assert.deepEqual(keys.toSorted(ascending), upTo(1000), `batches of ${most}`);
        assert.deepEqual(
          values,
          keys.map((key) => key * 10),
        );
      }
    });

    test("answers in the order of next key", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 200);
      const keys: number[] = [];
      const key = new Uint8Array(4);
      for (let previous: Uint8Array | null = null; sys.mapGetNextKey(fd, previous, key) === 0; previous = key) {
        keys.push(u32.decode(key));
      }
      assert.deepEqual(readAll(sys, fd, 50).keys, keys);
    });

    test("whose cursor is the number of the next bucket holds whole buckets", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 16);
      const bucketOf = upTo(16).map((bucket) => {
        const answer = lookupBatch(sys, fd, 16, u32.encode(bucket));
        assert.equal(answer.result, -ENOENT);
        return answer.count;
      });
      assert.equal(bucketOf[0], 16);
      assert.deepEqual(
        bucketOf,
        bucketOf.toSorted((a, b) => b - a),
      );
      const first = lookupBatch(sys, fd, 8);
      assert.equal(first.result, 0);
      assert.equal(bucketOf[u32.decode(first.cursor)], 16 - first.count);
    });

    test("from a cursor past the last bucket is ENOENT and no entries", () => {
      using bpf = kernel.open();
      const fd = createHash(bpf.sys, 16);
      for (const cursor of [16, 17, 2 ** 32 - 1]) {
        const answer = lookupBatch(bpf.sys, fd, 16, u32.encode(cursor));
        assert.equal(answer.result, -ENOENT);
        assert.equal(answer.count, 0);
      }
    });

    test("with less room than the next bucket needs is ENOSPC and no entries", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 64);
      const results = upTo(64).map((bucket) => lookupBatch(sys, fd, 1, u32.encode(bucket)));
      const tooSmall = results.filter(({ result }) => result === -ENOSPC);
      assert.ok(tooSmall.length > 0);
      for (const { count } of tooSmall) assert.equal(count, 0);
      for (const { result } of results) assert.ok([0, -ENOSPC, -ENOENT].includes(result));
    });

    test("of no entries does nothing and is no error", () => {
      using bpf = kernel.open();
      const answer = lookupBatch(bpf.sys, createHash(bpf.sys, 4), 0);
      assert.equal(answer.result, 0);
      assert.equal(answer.count, 0);
      assert.deepEqual(answer.cursor, new Uint8Array(4));
    });

    test("has a cursor of four bytes whatever the key", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      for (const keySize of [1, 3, 4, 12, 40]) {
        const fd = sys.mapCreate({ type: "hash", keySize, valueSize: 1, maxEntries: 8 });
        for (let key = 0; key < 8; key++) {
          assert.equal(sys.mapUpdateElem(fd, new Uint8Array(keySize).fill(key), Uint8Array.of(key)), 0);
        }
        const cursor = new Uint8Array(8).fill(0xaa);
        const count = Uint32Array.of(8);
        assert.equal(
          sys.mapLookupBatch(fd, null, cursor, new Uint8Array(8 * keySize), new Uint8Array(8), count),
          -ENOENT,
        );
        assert.equal(count[0], 8);
        assert.deepEqual(cursor, Uint8Array.of(8, 0, 0, 0, 0xaa, 0xaa, 0xaa, 0xaa));
      }
    });
  });

  describe("a lookup batch of an array", () => {
    test("answers every index in order, and ENOENT at the end", () => {
      using bpf = kernel.open();
      const fd = createArray(bpf.sys, 10);
      const answer = lookupBatch(bpf.sys, fd, 16);
      assert.equal(answer.result, -ENOENT);
      assert.deepEqual(answer.keys, upTo(10));
      assert.deepEqual(
        answer.values,
        upTo(10).map((index) => index * 10),
      );
    });

    test("whose room is exactly enough finds the end only in the next one", () => {
      using bpf = kernel.open();
      const fd = createArray(bpf.sys, 10);
      assert.deepEqual(readAll(bpf.sys, fd, 10).counts, [10, 0]);
      assert.deepEqual(readAll(bpf.sys, fd, 5).counts, [5, 5, 0]);
      assert.deepEqual(readAll(bpf.sys, fd, 3).counts, [3, 3, 3, 1]);
      assert.deepEqual(readAll(bpf.sys, fd, 11).counts, [10]);
      assert.deepEqual(readAll(bpf.sys, fd, 1).counts, [...Array.from({ length: 10 }, () => 1), 0]);
    });

    test("has the last index as its cursor", () => {
      using bpf = kernel.open();
      const fd = createArray(bpf.sys, 10);
      assert.deepEqual(lookupBatch(bpf.sys, fd, 4).cursor, u32.encode(3));
      assert.deepEqual(lookupBatch(bpf.sys, fd, 4, u32.encode(3)).keys, [4, 5, 6, 7]);
      assert.deepEqual(lookupBatch(bpf.sys, fd, 4, u32.encode(1000)).keys, [0, 1, 2, 3]);
      assert.equal(lookupBatch(bpf.sys, fd, 4, u32.encode(9)).result, -ENOENT);
    });

    test("of no entries does nothing and is no error", () => {
      using bpf = kernel.open();
      const answer = lookupBatch(bpf.sys, createArray(bpf.sys, 4), 0);
      assert.equal(answer.result, 0);
      assert.equal(answer.count, 0);
    });

    test("cannot delete", () => {
      using bpf = kernel.open();
      const fd = createArray(bpf.sys, 4);
      assert.equal(lookupBatch(bpf.sys, fd, 4, null, true).result, -ENOTSUPP);
      assert.equal(bpf.sys.mapDeleteBatch(fd, words(0, 1), Uint32Array.of(2)), -ENOTSUPP);
    });
  });

  describe("a lookup-and-delete batch", () => {
    test("answers what a lookup batch would, and takes it away", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 20);
      const seen = lookupBatch(sys, fd, 10);
      const taken = lookupBatch(sys, fd, 10, null, true);
      assert.deepEqual(taken, seen);
      assert.equal(taken.result, 0);
      const rest = lookupBatch(sys, fd, 20);
      assert.deepEqual([...taken.keys, ...rest.keys].toSorted(ascending), upTo(20));
      assert.equal(lookupBatch(sys, fd, 20, taken.cursor, true).count, rest.count);
      assert.equal(lookupBatch(sys, fd, 20).count, 0);
    });

    test("makes room for new entries", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 4);
      assert.equal(sys.mapUpdateElem(fd, u32.encode(100), u32.encode(1)), -E2BIG);
      assert.equal(lookupBatch(sys, fd, 4, null, true).result, -ENOENT);
      for (let key = 100; key < 104; key++) assert.equal(sys.mapUpdateElem(fd, u32.encode(key), u32.encode(1)), 0);
      assert.equal(sys.mapUpdateElem(fd, u32.encode(104), u32.encode(1)), -E2BIG);
    });

    test("that is ENOSPC takes nothing away", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 64);
      const bucket = upTo(64).find((cursor) => lookupBatch(sys, fd, 1, u32.encode(cursor)).result === -ENOSPC);
      assert.ok(bucket !== undefined);
      const answer = lookupBatch(sys, fd, 1, u32.encode(bucket), true);
      assert.equal(answer.result, -ENOSPC);
      assert.equal(answer.count, 0);
      assert.equal(lookupBatch(sys, fd, 64).count, 64);
    });
  });

  describe("an update batch", () => {
    test("updates every key in turn, the last of two equal ones last", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 0, 8);
      const count = Uint32Array.of(4);
      assert.equal(sys.mapUpdateBatch(fd, words(1, 2, 1, 3), words(10, 20, 11, 30), count), 0);
      assert.equal(count[0], 4);
      const { keys, values } = readAll(sys, fd, 8);
      assert.deepEqual(
        keys.map((key, at) => [key, values[at]]).toSorted(([a = 0], [b = 0]) => a - b),
        [
          [1, 11],
          [2, 20],
          [3, 30],
        ],
      );
    });

    test("of no entries does nothing and is no error", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const count = Uint32Array.of(0);
      const none = new Uint8Array(0);
      assert.equal(sys.mapUpdateBatch(createHash(sys, 0, 8), none, none, count), 0);
      assert.equal(sys.mapUpdateBatch(createArray(sys, 8), none, none, count), 0);
      assert.equal(count[0], 0);
    });

    test("stops where the map is full, and says how many it updated", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 0, 2);
      const count = Uint32Array.of(4);
      assert.equal(sys.mapUpdateBatch(fd, words(1, 2, 3, 1), words(10, 20, 30, 11), count), -E2BIG);
      assert.equal(count[0], 2);
      assert.deepEqual(readAll(sys, fd, 4).keys.toSorted(ascending), [1, 2]);
    });

    test("of an array stops past the end", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createArray(sys, 4);
      const count = Uint32Array.of(3);
      assert.equal(sys.mapUpdateBatch(fd, words(3, 4, 0), words(1, 2, 3), count), -E2BIG);
      assert.equal(count[0], 1);
      assert.deepEqual(readAll(sys, fd, 4).values, [0, 10, 20, 1]);
    });
  });

  describe("a delete batch", () => {
    test("deletes every key", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 6);
      const count = Uint32Array.of(3);
      assert.equal(sys.mapDeleteBatch(fd, words(1, 3, 5), count), 0);
      assert.equal(count[0], 3);
      assert.deepEqual(readAll(sys, fd, 6).keys.toSorted(ascending), [0, 2, 4]);
    });

    test("stops at a key that is not there, and says how many it deleted", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = createHash(sys, 6);
      const count = Uint32Array.of(4);
      assert.equal(sys.mapDeleteBatch(fd, words(1, 3, 100, 5), count), -ENOENT);
      assert.equal(count[0], 2);
      assert.deepEqual(readAll(sys, fd, 6).keys.toSorted(ascending), [0, 2, 4, 5]);
    });

    test("of no keys does nothing and is no error", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      assert.equal(sys.mapDeleteBatch(createHash(sys, 6), new Uint8Array(0), Uint32Array.of(0)), 0);
    });
  });

  describe("the flags of a batch", () => {
    const wrong = [BPF_NOEXIST, BPF_EXIST, 8, 2 ** 32, 1n << 63n];

    test("for each element are none, BPF_NOEXIST and BPF_EXIST neither", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const bytes = new Uint8Array(4);
      for (const fd of [createHash(sys, 1), createArray(sys, 1)]) {
        for (const elemFlags of [...wrong, BPF_F_LOCK]) {
          const count = Uint32Array.of(1);
          const options = { elemFlags };
          assert.equal(sys.mapLookupBatch(fd, null, bytes, bytes, bytes, count, options), -EINVAL, `${elemFlags}`);
          assert.equal(sys.mapUpdateBatch(fd, bytes, bytes, count, options), -EINVAL, `${elemFlags}`);
        }
      }
      const fd = createHash(sys, 1);
      for (const elemFlags of [...wrong, BPF_F_LOCK]) {
        const options = { elemFlags };
        assert.equal(
          sys.mapLookupAndDeleteBatch(fd, null, bytes, bytes, bytes, Uint32Array.of(1), options),
          -EINVAL,
          `${elemFlags}`,
        );
        assert.equal(sys.mapDeleteBatch(fd, bytes, Uint32Array.of(1), options), -EINVAL, `${elemFlags}`);
      }
    });

    test("itself are none for a hash's lookups, and not looked at elsewhere", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const hash = createHash(sys, 1);
      const array = createArray(sys, 1);
      const bytes = new Uint8Array(4);
      for (const flags of [1, 2 ** 32, 1n << 63n]) {
        const options = { flags };
        const one = () => Uint32Array.of(1);
        assert.equal(sys.mapLookupBatch(hash, null, bytes, bytes, bytes, one(), options), -EINVAL);
        assert.equal(sys.mapLookupAndDeleteBatch(hash, null, bytes, bytes, bytes, one(), options), -EINVAL);
        assert.equal(sys.mapLookupBatch(array, null, bytes, bytes, bytes, one(), options), 0);
        assert.equal(sys.mapUpdateBatch(hash, new Uint8Array(4), bytes, one(), options), 0);
        assert.equal(sys.mapUpdateBatch(array, new Uint8Array(4), bytes, one(), options), 0);
        assert.equal(sys.mapDeleteBatch(hash, new Uint8Array(4), one(), options), 0);
        assert.equal(sys.mapUpdateElem(hash, new Uint8Array(4), bytes), 0);
      }
    });
  });
});

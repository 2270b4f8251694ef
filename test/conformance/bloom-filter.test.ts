/** The bloom filter: its typed face, every command on what lies below it, and how often it errs. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, type Bpf, bytes, type Layout, struct, u8, u32, u64 } from "mapiary";
import { MAP_ELEM } from "../../src/abi/attr.ts";
import { BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../../src/abi/commands.ts";
import { E2BIG, EBADF, EFAULT, EINVAL, ENOENT, ENOTSUP, ENOTSUPP, EPERM } from "../../src/abi/errno.ts";
import {
  BPF_F_LOCK,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_TOKEN_FD,
  BPF_F_ZERO_SEED,
} from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";
import { NOWHERE, Seam } from "./seam.ts";

interface Shape<V> {
  readonly value: Layout<V>;
  readonly maxEntries: number;
  readonly hashes?: number;
}

/** A filter that is the same on every kernel and in every run. */
function create<V>(bpf: Bpf, shape: Shape<V>) {
  return bpf.createMap({ type: "bloom_filter", name: "seen", flags: ["zero_seed"], ...shape });
}

function refused(code: string, command: string): Record<string, unknown> {
  return { name: "BpfError", code, command, syscall: "bpf", map: "seen" };
}

/** The first numbers that a filter says it has. */
function members(filter: { has(value: number): boolean }, below: number): number[] {
  return Array.from({ length: below }, (_, value) => value).filter((value) => filter.has(value));
}

onEveryKernel((kernel) => {
  test("a bloom filter has what was added, and before that nothing", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 });
    assert.deepEqual(members(filter, 1000), []);
    assert.equal(filter.add(7).add(77), filter);
    assert.deepEqual(members(filter, 1000), [7, 77]);
  });

  test("a bloom filter takes more values than maxEntries, and a value twice", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 1 });
    for (let value = 0; value < 1000; value++) filter.add(value).add(value);
    assert.equal(members(filter, 1000).length, 1000);
    assert.equal(filter.has(123_456), true, "every one of its 64 bits is set");
  });

  test("a bloom filter never denies what was added, whatever its seed", () => {
    using bpf = kernel.open();
    for (const hashes of [1, 5, 15]) {
      using filter = bpf.createMap({ type: "bloom_filter", value: u32, maxEntries: 500, hashes });
      for (let value = 0; value < 500; value++) filter.add(value * 31);
      for (let value = 0; value < 500; value++) assert.equal(filter.has(value * 31), true);
    }
  });

  test("a bloom filter tells values apart by every byte of theirs, whatever their size", () => {
    using bpf = kernel.open();
    for (const size of [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 23, 24, 25, 63, 64, 65, 100, 4095, 4096]) {
      using filter = create(bpf, { value: bytes(size), maxEntries: 1000, hashes: 15 });
      const value = new Uint8Array(size).fill(0x5a);
      filter.add(value);
      for (let at = 0; at < size; at += size > 100 ? 61 : 1) {
        const other = value.slice();
        other[at] = 0xa5;
        assert.equal(filter.has(other), false, `byte ${at} of ${size}`);
      }
      assert.equal(filter.has(value), true);
    }
  });

  test("a bloom filter knows a struct again, whatever lay in its padding", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: struct({ kind: u8, id: u32 }), maxEntries: 100 });
    filter.add({ kind: 1, id: 2 });
    assert.equal(filter.has({ kind: 255, id: 2 ** 32 - 1 }), false);
    assert.equal(filter.has({ kind: 1, id: 2 }), true);
  });

  test("a bloom filter does nothing with a value that does not fit its layout", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 });
    assert.throws(() => filter.add(-1), RangeError);
    assert.throws(() => filter.has(2 ** 32), RangeError);
    assert.deepEqual(members(filter, 100), []);
  });

  test("a frozen bloom filter can be asked, and EPERM to add", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 }).add(1);
    filter.freeze();
    assert.equal(filter.has(1), true);
    assert.throws(() => filter.add(2), refused("EPERM", "BPF_MAP_UPDATE_ELEM"));
  });

  test("a bloom filter that is closed is EBADF", () => {
    using bpf = kernel.open();
    const filter = create(bpf, { value: u32, maxEntries: 100 });
    filter.close();
    assert.throws(() => filter.add(1), refused("EBADF", "BPF_MAP_UPDATE_ELEM"));
    assert.throws(() => filter.has(1), refused("EBADF", "BPF_MAP_LOOKUP_ELEM"));
  });

  test("a bloom filter says how many hash functions it was given", () => {
    using bpf = kernel.open();
    for (const hashes of [0, 1, 15]) {
      using filter = create(bpf, { value: u32, maxEntries: 100, hashes });
      assert.equal(filter.info().mapExtra, hashes);
    }
    using filter = create(bpf, { value: u32, maxEntries: 100 });
    assert.equal(filter.info().mapExtra, 0);
  });

  test("a bloom filter without a number of hash functions has 5", () => {
    using bpf = kernel.open();
    using usual = create(bpf, { value: u32, maxEntries: 50 });
    using five = create(bpf, { value: u32, maxEntries: 50, hashes: 5 });
    for (let value = 0; value < 100; value++) {
      usual.add(value);
      five.add(value);
    }
    const seen = members(usual, 2000);
    assert.ok(seen.length > 100);
    assert.deepEqual(members(five, 2000), seen);
  });

  test("a bloom filter is opened by its id with a layout for its values, and none for keys", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 }).add(1);
    using opened = bpf.mapById(filter.id, { type: "bloom_filter", value: u32 });
    assert.equal(opened.has(1), true);
    assert.equal(opened.has(2), false);
    assert.throws(() => bpf.mapById(filter.id, { type: "bloom_filter", key: u32 }), /which has no keys/);
  });

  test("a bloom filter has no keys, gives no values, and has no methods for either", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 });
    for (const name of ["get", "set", "delete", "take", "keys", "values", "count", "push", "pop", "peek"]) {
      assert.ok(!(name in filter), name);
    }
    assert.ok(!(Symbol.iterator in filter));
  });

  test("a bloom filter is made of a value, entries and up to 15 hash functions", () => {
    using bpf = kernel.open();
    const make = (options: object): number => {
      const fd = bpf.sys.mapCreate({ type: "bloom_filter", valueSize: 4, maxEntries: 4, ...options });
      return fd < 0 ? fd : bpf.sys.close(fd);
    };
    assert.equal(make({}), 0);
    assert.equal(make({ flags: BPF_F_NUMA_NODE | BPF_F_ZERO_SEED }), 0);
    assert.equal(make({ keySize: 4 }), -EINVAL);
    assert.equal(make({ valueSize: 0 }), -EINVAL);
    assert.equal(make({ maxEntries: 0 }), -EINVAL);
    assert.equal(make({ flags: BPF_F_NO_PREALLOC }), -EINVAL);
    assert.equal(make({ mapExtra: 15 }), 0);
    assert.equal(make({ mapExtra: 16 }), -EINVAL);
    assert.equal(make({ mapExtra: 2 ** 32 }), -EINVAL);
    assert.equal(make({ mapExtra: 1n << 63n }), -EINVAL);
    assert.equal(make({ valueSize: 2 ** 22, maxEntries: 1 }), 0);
    assert.equal(make({ valueSize: 2 ** 22 + 1, maxEntries: 1 }), -E2BIG);
  });

  test("a bloom filter is refused for its value's size before the token, and for the rest after it", () => {
    using bpf = kernel.open();
    const make = (options: object): number =>
      bpf.sys.mapCreate({
        type: "bloom_filter",
        valueSize: 4,
        maxEntries: 4,
        flags: BPF_F_TOKEN_FD,
        tokenFd: 2 ** 30,
        ...options,
      });
    assert.equal(make({ valueSize: 2 ** 22 + 1 }), -E2BIG);
    assert.equal(make({ valueSize: 2 ** 22 + 1, keySize: 4 }), -E2BIG);
    assert.equal(make({ keySize: 4 }), -EBADF);
    assert.equal(make({ maxEntries: 0 }), -EBADF);
    assert.equal(make({ mapExtra: 16 }), -EBADF);
  });

  test("a bloom filter takes BPF_ANY alone, and no flags in a lookup", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 });
    const value = new Uint8Array(4);
    assert.equal(bpf.sys.mapUpdateElem(filter.fd, null, value, BPF_ANY), 0);
    for (const flags of [BPF_NOEXIST, BPF_EXIST, 3, BPF_F_LOCK, 8, 2 ** 32]) {
      assert.equal(bpf.sys.mapUpdateElem(filter.fd, null, value, flags), -EINVAL, `update ${flags}`);
      assert.equal(bpf.sys.mapLookupElem(filter.fd, null, value, flags), -EINVAL, `lookup ${flags}`);
      assert.equal(bpf.sys.mapLookupAndDeleteElem(filter.fd, null, value, flags), -EINVAL, `take ${flags}`);
    }
  });

  test("a bloom filter gives nothing back, deletes nothing and has no keys", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 }).add(1);
    const { fd } = filter;
    const { sys } = bpf;
    const key = new Uint8Array(4);
    const value = Uint8Array.of(1, 0, 0, 0);
    assert.equal(sys.mapLookupAndDeleteElem(fd, null, value), -ENOTSUPP);
    assert.equal(sys.mapDeleteElem(fd, null), -ENOTSUP);
    assert.equal(sys.mapGetNextKey(fd, null, key), -ENOTSUP);
    assert.equal(sys.mapUpdateElem(fd, key, value, BPF_ANY), -EINVAL);
    assert.equal(sys.mapLookupElem(fd, key, value), -EINVAL);
    assert.equal(sys.mapLookupAndDeleteElem(fd, key, value), -EINVAL);
    assert.equal(sys.mapDeleteElem(fd, key), -EINVAL);
    assert.equal(sys.mapGetNextKey(fd, key, key), -EINVAL);
    const count = Uint32Array.of(1);
    assert.equal(sys.mapLookupBatch(fd, null, key, key, value, count), -ENOTSUPP);
    assert.equal(sys.mapLookupAndDeleteBatch(fd, null, key, key, value, count), -ENOTSUPP);
    assert.equal(sys.mapUpdateBatch(fd, key, value, count), -ENOTSUPP);
    assert.equal(sys.mapDeleteBatch(fd, key, count), -ENOTSUPP);
  });

  test("a lookup in a bloom filter reads the caller's value, and leaves it as it is", () => {
    using seam = new Seam(kernel);
    using filter = create(seam.bpf, { value: u64, maxEntries: 100 }).add(0x0807060504030201n);
    const known = seam.put(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const unknown = seam.put(new Uint8Array(8));
    const call = (command: number, value: number, flags = 0): number =>
      seam.call(
        command,
        { [MAP_ELEM.MAP_FD]: filter.fd, [MAP_ELEM.VALUE]: value, [MAP_ELEM.FLAGS]: flags },
        MAP_ELEM.END,
      );
    assert.equal(call(BPF_MAP_LOOKUP_ELEM, known), 0);
    assert.equal(call(BPF_MAP_LOOKUP_ELEM, unknown), -ENOENT);
    assert.equal(call(BPF_MAP_LOOKUP_ELEM, known + 1), -ENOENT);
    assert.equal(call(BPF_MAP_LOOKUP_ELEM, NOWHERE), -EFAULT);
    assert.equal(call(BPF_MAP_LOOKUP_ELEM, 0), -EFAULT);
    assert.equal(call(BPF_MAP_UPDATE_ELEM, NOWHERE, BPF_EXIST), -EFAULT);
    assert.equal(call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, NOWHERE), -ENOTSUPP);
    assert.deepEqual(seam.bytes(known, 8), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    assert.deepEqual(seam.bytes(unknown, 8), new Uint8Array(8));
    assert.equal(seam.kernel.mmap(filter.fd, 4096, 3, 0), -ENOTSUPP);
  });

  test("a bloom filter that was opened read-only cannot be added to, and write-only not asked", () => {
    using bpf = kernel.open();
    using filter = create(bpf, { value: u32, maxEntries: 100 }).add(1);
    using reader = bpf.mapById(filter.id, { type: "bloom_filter", access: "read", value: u32 });
    using writer = bpf.mapById(filter.id, { type: "bloom_filter", access: "write", value: u32 });
    assert.equal(reader.has(1), true);
    assert.equal(bpf.sys.mapUpdateElem(reader.fd, null, new Uint8Array(4), BPF_ANY), -EPERM);
    writer.add(2);
    assert.equal(bpf.sys.mapLookupElem(writer.fd, null, new Uint8Array(4)), -EPERM);
    assert.equal(reader.has(2), true);
  });

  test("a bloom filter has the next power of two bits from 7/5 of maxEntries × hashes, cut to fives, and 64 at least", () => {
    using bpf = kernel.open();
    for (const [maxEntries, hashes, bits] of BITS_OF) {
      using filter = create(bpf, { value: u32, maxEntries, hashes });
      using same = create(bpf, { value: u32, maxEntries: entriesOf(bits, hashes), hashes });
      using twice = create(bpf, { value: u32, maxEntries: entriesOf(2 * bits, hashes), hashes });
      for (let value = 0; value < (2 * bits) / hashes; value++) {
        filter.add(value);
        same.add(value);
        twice.add(value);
      }
      // Errors are the same where the bits are as many, and fewer where they are more.
      const others = Array.from({ length: 2000 }, (_, at) => 1_000_000 + at);
      const errors = others.filter((value) => filter.has(value));
      assert.deepEqual(
        others.filter((value) => same.has(value)),
        errors,
        `${maxEntries} entries`,
      );
      assert.ok(others.filter((value) => twice.has(value)).length < errors.length, `${maxEntries} entries`);
    }
  });

  /*
   * A filter of k hash functions and n values has m bits, the next power of two from 7/5 × n × k. Of these a part
   * f = 1 − (1 − 1/m)^(kn) is set, and a value that was not added finds all of its k bits set with the probability f^k. The
   * n here is the largest for which 7/5 × n × k is no more than m: the case in which rounding up helps least, f being 0.51. With the
   * zero seed and the same values everywhere nothing is left to chance, so a sample may be asked to lie within three
   * standard deviations of its expectation.
   */
  describe("a bloom filter of 2^14 bits, full,", () => {
    const BITS = 2 ** 14;
    const OTHERS = 20_000;

    for (let hashes = 1; hashes <= 15; hashes++) {
      test(`errs with ${hashes} hash functions as often as it should, and never denies`, () => {
        using bpf = kernel.open();
        const maxEntries = entriesOf(BITS, hashes);
        using filter = create(bpf, { value: u32, maxEntries, hashes });
        for (let value = 0; value < maxEntries; value++) filter.add(value);
        for (let value = 0; value < maxEntries; value++) assert.ok(filter.has(value), `${value} was added`);

        let errors = 0;
        for (let value = maxEntries; value < maxEntries + OTHERS; value++) if (filter.has(value)) errors++;
        const rate = (1 - (1 - 1 / BITS) ** (hashes * maxEntries)) ** hashes;
        assert.ok(rate <= 0.511 ** hashes);
        const deviation = Math.sqrt(OTHERS * rate * (1 - rate));
        assert.ok(
          Math.abs(errors - OTHERS * rate) <= 3 * deviation,
          `${errors} errors among ${OTHERS}, expected ${OTHERS * rate} ± ${deviation}`,
        );
        assert.equal(errors, ERRORS[hashes - 1], "which others are taken for members does not depend on the kernel");
      });
    }
  });
});

/** The most entries for which 7/5 of them and their hashes are no more bits than these. */
function entriesOf(bits: number, hashes: number): number {
  return Math.floor((bits * 5) / 7 / hashes);
}

/** On either side of what makes a filter of 64 bits, 128, and so on. */
const BITS_OF: readonly (readonly [maxEntries: number, hashes: number, bits: number])[] = [
  [1, 1, 64],
  [49, 1, 64],
  [50, 1, 128],
  [94, 1, 128],
  [95, 1, 256],
  [9, 5, 64],
  [10, 5, 128],
  [13, 7, 128],
  [14, 7, 256],
  [780, 15, 2 ** 14],
  [781, 15, 2 ** 15],
  [11_704, 1, 2 ** 14],
  [11_705, 1, 2 ** 15],
];

/** What Linux 6.18 counted: the errors of a full filter with 1 to 15 hash functions. */
const ERRORS = [10143, 5174, 2613, 1398, 721, 365, 193, 87, 47, 31, 15, 7, 1, 2, 0];

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST, type Bpf, BtfBuilder, type MapCreateOptions } from "mapiary";
import { EACCES, EBADF, EEXIST, EINVAL, ENOENT, ENOTSUP, ENOTSUPP } from "../../src/abi/errno.ts";
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG } from "../../src/abi/flags.ts";
import { PROT_READ } from "../../src/abi/mman.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";
import { Sys } from "../../src/sys/sys.ts";
import { onEveryKernel } from "../kernels.ts";

/** BTF of the values of these tests, with the ids of its types by name. */
function valueTypes() {
  const builder = new BtfBuilder();
  const at = (name: string, type: number, byte: number) => ({ name, type, bitOffset: byte * 8, bitfieldSize: 0 });
  const int = builder.add({ kind: "int", name: "int", size: 4, isSigned: true });
  const u64 = builder.add({ kind: "int", name: "unsigned long long", size: 8 });
  const two = builder.add({ kind: "array", type: u64, indexType: int, length: 2 });
  const struct = (name: string, size: number, ...members: ReturnType<typeof at>[]): number =>
    builder.add({ kind: "struct", name, size, members });
  const lock = struct("bpf_spin_lock", 4, at("val", int, 0));
  const timer = struct("bpf_timer", 16, at("__opaque", two, 0));
  const own = struct("own", 8, at("x", u64, 0));
  const tag = builder.add({ kind: "type_tag", name: "kptr", type: own, isAttribute: false });
  const kptr = builder.add({ kind: "ptr", name: "", type: tag });
  const counter = builder.add({ kind: "var", name: "counter", type: u64, linkage: "global" });
  const variables = [{ type: counter, offset: 0, size: 8 }];
  const ids = {
    int,
    u64,
    own,
    locked: struct("locked", 16, at("a", int, 0), at("lock", lock, 4), at("b", u64, 8)),
    twoTimers: struct("two_timers", 32, at("timer", timer, 0), at("other", timer, 16)),
    timed: struct("timed", 24, at("timer", timer, 0), at("b", u64, 16)),
    pointing: struct("pointing", 16, at("p", kptr, 0), at("b", u64, 8)),
    data: builder.add({ kind: "datasec", name: ".data", size: 8, variables }),
  };
  return { bytes: builder.encode(), ids };
}

const { bytes: TYPES, ids: ID } = valueTypes();
const SIZE = { int: 4, u64: 8, own: 8, locked: 16, twoTimers: 32, timed: 24, pointing: 16, data: 8 };

type TypeName = keyof typeof ID;

const KEY = Uint8Array.of(0, 0, 0, 0);
const ONES = (bytes: number) => new Uint8Array(bytes).fill(0xff);

/** The value that user space reads after it wrote ones: zeros where fields are special. */
const WITHOUT_LOCK = Uint8Array.from(ONES(16).map((byte, at) => (at >= 4 && at < 8 ? 0 : byte)));

onEveryKernel(({ name, open }) => {
  /** A map with BTF, or `−errno`. */
  function create({ sys }: Bpf, value: TypeName, options: Partial<MapCreateOptions> = {}): number {
    const btfFd = sys.btfLoad(TYPES);
    assert.ok(btfFd >= 0);
    const fd = sys.mapCreate({
      type: "hash",
      keySize: 4,
      valueSize: SIZE[value],
      maxEntries: 4,
      btfFd,
      btfKeyTypeId: ID.int,
      btfValueTypeId: ID[value],
      ...options,
    });
    sys.close(btfFd);
    return fd;
  }

  describe("a map with BTF", () => {
    test("says which BTF and which types, and keeps the BTF alive", () => {
      using bpf = open();
      const { sys } = bpf;
      const fd = create(bpf, "u64");
      const info = sys.objGetInfoByFd(fd);
      assert.ok(typeof info === "object");
      assert.deepEqual([info.btfKeyTypeId, info.btfValueTypeId], [ID.int, ID.u64]);
      assert.ok(info.btfId > 0);
      const btf = sys.btfGetFdById(info.btfId);
      const bytes = new Uint8Array(TYPES.length);
      assert.ok(typeof sys.btfGetInfoByFd(btf, bytes) === "object");
      assert.deepEqual(bytes, TYPES);
      sys.close(btf);
      sys.close(fd);
      if (name === "embedded") assert.equal(sys.btfGetFdById(info.btfId), -ENOENT);
    });

    test("is EINVAL when sizes differ, or a type is not there", () => {
      using bpf = open();
      assert.equal(create(bpf, "u64", { keySize: 8 }), -EINVAL);
      assert.equal(create(bpf, "u64", { valueSize: 16 }), -EINVAL);
      assert.equal(create(bpf, "u64", { btfValueTypeId: 999 }), -EINVAL);
      assert.equal(create(bpf, "u64", { btfKeyTypeId: 999 }), -EINVAL);
      assert.equal(create(bpf, "u64", { btfKeyTypeId: 0 }), -EINVAL);
      assert.equal(create(bpf, "u64", { btfValueTypeId: 0 }), -EINVAL);
    });

    test("is EBADF for an fd that is closed, and EINVAL for one that is no BTF", () => {
      using bpf = open();
      const map = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 8, maxEntries: 1 });
      assert.equal(create(bpf, "u64", { btfFd: 9999 }), -EBADF);
      assert.equal(create(bpf, "u64", { btfFd: map }), -EINVAL);
      assert.equal(create(bpf, "u64", { btfFd: 0 }), -EINVAL);
    });

    test("is a section when it is an array of one without a type of keys", () => {
      using bpf = open();
      const section = { type: "array", btfKeyTypeId: 0, maxEntries: 1 } as const;
      assert.ok(create(bpf, "data", section) >= 0);
      assert.equal(create(bpf, "data", { ...section, maxEntries: 2 }), -EINVAL);
      assert.equal(create(bpf, "u64", section), -EINVAL);
    });

    test("is ENOTSUPP for types that have none", () => {
      using bpf = open();
      assert.equal(create(bpf, "int", { type: "devmap" }), -ENOTSUPP);
      assert.equal(create(bpf, "u64", { type: "stack_trace" }), -ENOTSUPP);
    });

    test("of a local storage is made, which without BTF is none", () => {
      using bpf = open();
      for (const type of ["sk_storage", "inode_storage", "task_storage", "cgrp_storage"] as const) {
        assert.ok(create(bpf, "u64", { type, maxEntries: 0, flags: 1 }) >= 0, type);
        assert.equal(create(bpf, "u64", { type, maxEntries: 0, flags: 1, btfKeyTypeId: ID.own, keySize: 8 }), -EINVAL);
      }
    });
  });

  describe("a spin lock in a value", () => {
    for (const type of ["hash", "array"] as const) {
      test(`of ${type} is hidden: it reads as zero, whatever is written`, () => {
        using bpf = open();
        const { sys } = bpf;
        const fd = create(bpf, "locked", { type });
        const value = new Uint8Array(16);
        assert.equal(sys.mapUpdateElem(fd, KEY, ONES(16)), 0);
        assert.equal(sys.mapLookupElem(fd, KEY, value), 0);
        assert.deepEqual(value, WITHOUT_LOCK);
        assert.equal(sys.mapUpdateElem(fd, KEY, ONES(16), BPF_EXIST | BPF_F_LOCK), 0);
        assert.equal(sys.mapLookupElem(fd, KEY, value.fill(7), BPF_F_LOCK), 0);
        assert.deepEqual(value, WITHOUT_LOCK);
      });

      test(`of ${type} is hidden in batches too`, () => {
        using bpf = open();
        const { sys } = bpf;
        const fd = create(bpf, "locked", { type, maxEntries: 1 });
        const count = Uint32Array.of(1);
        assert.equal(sys.mapUpdateBatch(fd, KEY, ONES(16), count, { elemFlags: BPF_F_LOCK }), 0);
        const values = new Uint8Array(16).fill(7);
        const keys = new Uint8Array(4);
        const out = new Uint8Array(4);
        const end = type === "hash" ? -ENOENT : 0;
        assert.equal(sys.mapLookupBatch(fd, null, out, keys, values, count, { elemFlags: BPF_F_LOCK }), end);
        assert.deepEqual([count[0], values], [1, WITHOUT_LOCK]);
      });
    }

    test("is what BPF_F_LOCK takes, which is EINVAL without", () => {
      using bpf = open();
      const { sys } = bpf;
      const fd = create(bpf, "u64");
      const value = new Uint8Array(8);
      const count = Uint32Array.of(1);
      assert.equal(sys.mapUpdateElem(fd, KEY, value, BPF_F_LOCK), -EINVAL);
      assert.equal(sys.mapLookupElem(fd, KEY, value, BPF_F_LOCK), -EINVAL);
      assert.equal(sys.mapLookupAndDeleteElem(fd, KEY, value, BPF_F_LOCK), -EINVAL);
      assert.equal(sys.mapUpdateBatch(fd, KEY, value, count, { elemFlags: BPF_F_LOCK }), -EINVAL);
      assert.equal(sys.mapDeleteBatch(fd, KEY, count, { elemFlags: BPF_F_LOCK }), -EINVAL);
    });

    test("goes with the flags of an update, and with no others", () => {
      using bpf = open();
      const { sys } = bpf;
      const fd = create(bpf, "locked");
      const value = ONES(16);
      assert.equal(sys.mapUpdateElem(fd, KEY, value, BPF_F_LOCK | BPF_EXIST), -ENOENT);
      assert.equal(sys.mapUpdateElem(fd, KEY, value, BPF_F_LOCK | BPF_NOEXIST), 0);
      assert.equal(sys.mapUpdateElem(fd, KEY, value, BPF_F_LOCK | BPF_NOEXIST), -EEXIST);
      assert.equal(sys.mapUpdateElem(fd, KEY, value, BPF_F_LOCK | 3), -EINVAL);
      assert.equal(sys.mapUpdateElem(fd, KEY, value, 8 | BPF_F_LOCK), -EINVAL);
      assert.equal(sys.mapLookupElem(fd, KEY, value, 8 | BPF_F_LOCK), -EINVAL);
      assert.equal(sys.mapLookupAndDeleteElem(fd, KEY, value, BPF_F_LOCK), 0);
      assert.deepEqual(value, WITHOUT_LOCK);
    });

    test("is EOPNOTSUPP where a value is not one: for each CPU, or evicted", () => {
      using bpf = open();
      assert.equal(create(bpf, "locked", { type: "percpu_array" }), -ENOTSUP);
      assert.equal(create(bpf, "locked", { type: "percpu_hash" }), -ENOTSUP);
      assert.equal(create(bpf, "locked", { type: "lru_hash" }), -ENOTSUP);
    });

    test("keeps a map from being frozen, and from being read-only for programs", () => {
      using bpf = open();
      assert.equal(bpf.sys.mapFreeze(create(bpf, "locked")), -ENOTSUPP);
      assert.equal(create(bpf, "locked", { flags: BPF_F_RDONLY_PROG }), -EACCES);
    });
  });

  test("a map whose values have a lock cannot be mapped", () => {
    const kernel = name === "linux" ? new LinuxKernel() : new EmbeddedKernel();
    const sys = new Sys(kernel);
    const btfFd = sys.btfLoad(TYPES);
    const base = { type: "array", keySize: 4, valueSize: 16, maxEntries: 4, flags: BPF_F_MMAPABLE } as const;
    const fd = sys.mapCreate({ ...base, btfFd, btfKeyTypeId: ID.int, btfValueTypeId: ID.locked });
    assert.equal(kernel.mmap(fd, 4096, PROT_READ, 0), -ENOTSUPP);
    kernel.release();
  });

  describe("a timer in a value", () => {
    for (const type of ["hash", "lru_hash", "array"] as const) {
      test(`of ${type} is hidden`, () => {
        using bpf = open();
        const { sys } = bpf;
        const fd = create(bpf, "timed", { type });
        const value = new Uint8Array(24);
        assert.equal(sys.mapUpdateElem(fd, KEY, ONES(24)), 0);
        assert.equal(sys.mapLookupElem(fd, KEY, value), 0);
        assert.deepEqual(value, Uint8Array.of(...new Uint8Array(16), ...ONES(8)));
        assert.equal(sys.mapUpdateElem(fd, KEY, ONES(24), BPF_F_LOCK), -EINVAL);
      });
    }

    test("is none when there are two", () => {
      using bpf = open();
      const { sys } = bpf;
      const fd = create(bpf, "twoTimers");
      const value = new Uint8Array(32);
      assert.equal(sys.mapUpdateElem(fd, KEY, ONES(32)), 0);
      assert.equal(sys.mapLookupElem(fd, KEY, value), 0);
      assert.deepEqual(value, ONES(32));
      assert.equal(sys.mapFreeze(fd), 0);
    });

    test("is EOPNOTSUPP for each CPU", () => {
      using bpf = open();
      assert.equal(create(bpf, "timed", { type: "percpu_hash" }), -ENOTSUP);
    });
  });

  describe("a pointer of programs in a value", () => {
    for (const type of ["hash", "lru_hash", "array"] as const) {
      test(`of ${type} is hidden`, () => {
        using bpf = open();
        const { sys } = bpf;
        const fd = create(bpf, "pointing", { type });
        const value = new Uint8Array(16);
        assert.equal(sys.mapUpdateElem(fd, KEY, ONES(16)), 0);
        assert.equal(sys.mapLookupElem(fd, KEY, value), 0);
        assert.deepEqual(value, Uint8Array.of(...new Uint8Array(8), ...ONES(8)));
      });
    }

    for (const type of ["percpu_hash", "lru_percpu_hash", "percpu_array"] as const) {
      test(`of ${type} is hidden for every CPU`, () => {
        using bpf = open({ possibleCpus: 3 });
        const { sys } = bpf;
        const fd = create(bpf, "pointing", { type });
        const bytes = 16 * bpf.possibleCpus;
        const value = new Uint8Array(bytes);
        assert.equal(sys.mapUpdateElem(fd, KEY, ONES(bytes)), 0);
        assert.equal(sys.mapLookupElem(fd, KEY, value), 0);
        assert.deepEqual(
          value,
          ONES(bytes).map((_, at) => (at % 16 < 8 ? 0 : 0xff)),
        );
      });
    }
  });
});

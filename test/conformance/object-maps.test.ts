/** The maps of programs, perf events, cgroups, sockets, devices, CPUs and stacks, for a caller who has none of these. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Bpf, MapCreateOptions, MapTypeName } from "mapiary";
import { errnoCode } from "../../src/abi/errno.ts";
import {
  BPF_EXIST,
  BPF_F_NO_PREALLOC,
  BPF_F_PRESERVE_ELEMS,
  BPF_F_RDONLY_PROG,
  BPF_F_STACK_BUILD_ID,
  BPF_F_VTYPE_BTF_OBJ_FD,
  BPF_NOEXIST,
} from "../../src/abi/flags.ts";
import { onEveryKernel, withTypes } from "../kernels.ts";

/** An fd that no process has. */
const CLOSED = 0x70f0f0f0;
const KEY = (index: number): Uint8Array => words(index, 0, 0, 0);

/** What a kernel answers, for a person: "ok", or the name of an error. */
function shown(result: number): string {
  return result < 0 ? errnoCode(result) : "ok";
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

function open({ sys }: Bpf, options: MapCreateOptions): number {
  const fd = sys.mapCreate(options);
  assert.ok(fd >= 0, `${options.type}: ${shown(fd)}`);
  return fd;
}

interface Answers {
  readonly lookup: string;
  /** With the fd of a map, one that is not open, with BPF_NOEXIST, and past the end. */
  readonly update: readonly [aMap: string, closed: string, noexist: string, pastEnd: string];
  /** Of what is not there, and past the end. */
  readonly delete: readonly [missing: string, pastEnd: string];
  readonly take?: string;
  readonly firstKey: string;
}

const FD_ARRAY = {
  update: ["EBADF", "EBADF", "EINVAL", "E2BIG"],
  delete: ["ENOENT", "E2BIG"],
  firstKey: "ok",
} as const;
const SOCKETS = ["ENOTSOCK", "EBADF", "ENOTSOCK", "ENOTSOCK"] as const;
const NONE = { update: ["ENOENT", "ENOENT", "EINVAL", "ENOENT"], delete: ["EINVAL", "EINVAL"] } as const;

/** Maps of four entries, if they have any. */
const MAPS: readonly (readonly [type: MapTypeName, options: Omit<MapCreateOptions, "type">, answers: Answers])[] = [
  ["prog_array", {}, { ...FD_ARRAY, lookup: "ENOENT", update: ["EINVAL", "EBADF", "EINVAL", "E2BIG"] }],
  ["perf_event_array", {}, { ...FD_ARRAY, lookup: "ENOTSUPP" }],
  ["cgroup_array", {}, { ...FD_ARRAY, lookup: "ENOTSUPP" }],
  [
    "stack_trace",
    { valueSize: 80 },
    {
      lookup: "ENOENT",
      update: ["EINVAL", "EINVAL", "EINVAL", "EINVAL"],
      delete: ["ENOENT", "E2BIG"],
      take: "ENOENT",
      firstKey: "ENOENT",
    },
  ],
  [
    "xskmap",
    {},
    {
      lookup: "ENOTSUP",
      update: ["ENOTSOCK", "EBADF", "ENOTSOCK", "E2BIG"],
      delete: ["ok", "EINVAL"],
      firstKey: "ok",
    },
  ],
  ["sockmap", {}, { lookup: "ENOSPC", update: SOCKETS, delete: ["EINVAL", "EINVAL"], firstKey: "ok" }],
  ["sockmap", { valueSize: 8 }, { lookup: "ENOENT", update: SOCKETS, delete: ["EINVAL", "EINVAL"], firstKey: "ok" }],
  ["sockhash", {}, { lookup: "ENOSPC", update: SOCKETS, delete: ["ENOENT", "ENOENT"], firstKey: "ENOENT" }],
  [
    "sockhash",
    { valueSize: 8 },
    { lookup: "ENOENT", update: SOCKETS, delete: ["ENOENT", "ENOENT"], firstKey: "ENOENT" },
  ],
  [
    "reuseport_sockarray",
    { valueSize: 8 },
    {
      lookup: "ENOENT",
      update: ["ENOTSOCK", "EBADF", "ENOTSOCK", "E2BIG"],
      delete: ["ENOENT", "E2BIG"],
      firstKey: "ok",
    },
  ],
  ["cgroup_storage", { keySize: 16, maxEntries: 0 }, { ...NONE, lookup: "ENOENT", firstKey: "ENOENT" }],
  ["percpu_cgroup_storage", { keySize: 16, maxEntries: 0 }, { ...NONE, lookup: "ENOENT", firstKey: "ENOENT" }],
];

onEveryKernel((kernel) => {
  for (const [type, options, answers] of MAPS) {
    const sizes = { type, keySize: 4, maxEntries: 4, ...options, valueSize: options.valueSize ?? 4 };

    const suite = (): void => {
      const value = (fd: number): Uint8Array => {
        const bytes = new Uint8Array(Math.max(sizes.valueSize, 64));
        bytes.set(words(fd));
        return bytes;
      };

      test("takes no fd of something else", () => {
        using bpf = kernel.open();
        const fd = open(bpf, sizes);
        const update = (index: number, other: number, flags: number): string =>
          shown(bpf.sys.mapUpdateElem(fd, KEY(index), value(other), flags));
        const seen = [update(0, fd, 0), update(0, CLOSED, 0), update(0, fd, BPF_NOEXIST), update(4, fd, 0)];
        assert.deepEqual(seen, answers.update);
      });

      test("has nothing to be looked up, taken or deleted", () => {
        using bpf = kernel.open();
        const fd = open(bpf, sizes);
        assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(0), value(0))), answers.lookup);
        assert.equal(shown(bpf.sys.mapLookupAndDeleteElem(fd, KEY(0), value(0))), answers.take ?? "ENOTSUPP");
        const deleted = [0, 4].map((index) => shown(bpf.sys.mapDeleteElem(fd, KEY(index))));
        assert.deepEqual(deleted, answers.delete);
        assert.equal(shown(bpf.sys.mapGetNextKey(fd, null, new Uint8Array(16))), answers.firstKey);
      });

      test("has no batches, and cannot be mapped", () => {
        using bpf = kernel.open();
        const fd = open(bpf, sizes);
        const keys = new Uint8Array(64);
        const values = new Uint8Array(1024);
        const batches = [
          bpf.sys.mapLookupBatch(fd, null, new Uint8Array(16), keys, values, Uint32Array.of(2)),
          bpf.sys.mapLookupAndDeleteBatch(fd, null, new Uint8Array(16), keys, values, Uint32Array.of(2)),
          bpf.sys.mapUpdateBatch(fd, keys, values, Uint32Array.of(2)),
          bpf.sys.mapDeleteBatch(fd, keys, Uint32Array.of(2)),
        ];
        assert.deepEqual(batches.map(shown), ["ENOTSUPP", "ENOTSUPP", "ENOTSUPP", "ENOTSUPP"]);
      });

      test("can be frozen, after which nothing is tried", () => {
        using bpf = kernel.open();
        const fd = open(bpf, sizes);
        assert.equal(bpf.sys.mapFreeze(fd), 0);
        assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(0), value(CLOSED))), "EPERM");
        assert.equal(shown(bpf.sys.mapDeleteElem(fd, KEY(0))), "EPERM");
        assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(0), value(0))), answers.lookup);
      });
    };
    describe(`a ${type} with values of ${sizes.valueSize} bytes`, () => withTypes(kernel, [type], suite));
  }

  const create = (options: MapCreateOptions): string => {
    using bpf = kernel.open();
    const plain = { keySize: 4, valueSize: 4, maxEntries: 4 };
    return shown(Math.min(bpf.sys.mapCreate({ ...plain, ...options }), 0));
  };

  test("only a perf_event_array preserves its elements", () => {
    const flags = BPF_F_PRESERVE_ELEMS;
    const types = ["prog_array", "perf_event_array", "cgroup_array", "xskmap", "sockmap", "devmap", "cpumap"] as const;
    assert.deepEqual(
      types.filter((type) => create({ type, flags }) !== "EINVAL"),
      ["perf_event_array"],
    );
  });

  test("a stack is whole addresses or build ids, and no deeper than the system's limit", () => {
    const stack = (valueSize: number, flags = 0): string => create({ type: "stack_trace", valueSize, flags });
    assert.deepEqual([stack(8), stack(8 * 127)], ["ok", "ok"]);
    assert.deepEqual([stack(0), stack(4), stack(12), stack(8 * 100_000)], ["EINVAL", "EINVAL", "EINVAL", "EINVAL"]);
    assert.deepEqual([stack(32, BPF_F_STACK_BUILD_ID), stack(40, BPF_F_STACK_BUILD_ID)], ["ok", "EINVAL"]);
    assert.equal(create({ type: "stack_trace", valueSize: 8, maxEntries: 2 ** 31 + 1 }), "E2BIG");
  });

  test("a sockhash has keys that fit on a program's stack", () => {
    const sockhash = (keySize: number): string => create({ type: "sockhash", keySize });
    assert.deepEqual([sockhash(0), sockhash(1), sockhash(512), sockhash(513)], ["EINVAL", "ok", "ok", "E2BIG"]);
  });

  test("a cgroup's storage has no entries of its own, and values below 64 KiB", () => {
    const storage = (type: MapTypeName, valueSize: number, maxEntries = 0): string =>
      create({ type, keySize: 8, valueSize, maxEntries });
    assert.deepEqual([storage("cgroup_storage", 65407), storage("cgroup_storage", 65408)], ["ok", "E2BIG"]);
    assert.deepEqual(
      [storage("percpu_cgroup_storage", 32768), storage("percpu_cgroup_storage", 32769)],
      ["ok", "E2BIG"],
    );
    assert.equal(storage("cgroup_storage", 8, 1), "EINVAL");
    assert.equal(create({ type: "cgroup_storage", keySize: 4, maxEntries: 0 }), "EINVAL");
  });

  test("the storage of sockets, inodes, tasks and cgroups is made with BTF only", () => {
    for (const type of ["sk_storage", "inode_storage", "task_storage", "cgrp_storage"] as const) {
      const plain = { type, maxEntries: 0, flags: BPF_F_NO_PREALLOC };
      const types = { btfKeyTypeId: 1, btfValueTypeId: 1 };
      assert.equal(create(plain), "EINVAL", type);
      assert.equal(create({ ...plain, ...types, btfFd: CLOSED }), "EBADF", type);
      assert.equal(create({ ...plain, ...types, btfFd: CLOSED, valueSize: 65407 }), "EBADF", type);
      assert.equal(create({ ...plain, ...types, btfFd: CLOSED, valueSize: 65408 }), "E2BIG", type);
      assert.equal(create({ ...plain, ...types, btfFd: CLOSED, flags: 0 }), "EINVAL", type);
      assert.equal(create({ ...plain, ...types, btfFd: CLOSED, maxEntries: 1 }), "EINVAL", type);
    }
  });

  test("struct_ops are of a type of the kernel's BTF", () => {
    const plain = { type: "struct_ops", maxEntries: 1 } as const;
    assert.equal(create(plain), "EINVAL");
    assert.equal(create({ ...plain, btfVmlinuxValueTypeId: 1 }), "ENOTSUPP");
    assert.equal(create({ ...plain, btfVmlinuxValueTypeId: 1, maxEntries: 2 }), "EINVAL");
    assert.equal(create({ ...plain, btfVmlinuxValueTypeId: 1, name: "a b" }), "ENOTSUPP");
    const flags = BPF_F_VTYPE_BTF_OBJ_FD;
    assert.equal(create({ ...plain, btfVmlinuxValueTypeId: 1, flags, valueTypeBtfObjFd: CLOSED }), "EBADF");
  });

  for (const type of ["devmap", "devmap_hash"] as const) {
    describe(`a ${type}`, () => {
      const options = { type, keySize: 4, valueSize: 8, maxEntries: 4 } as const;

      test("has the loopback device, and no device that there is not", () => {
        using bpf = kernel.open();
        const fd = open(bpf, options);
        const value = new Uint8Array(8);
        assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(2), value)), "ENOENT");
        assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(2), words(1, 0))), "ok");
        assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(2), value)), "ok");
        assert.deepEqual(value, words(1, 0));
        assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(2), words(1, CLOSED))), "EINVAL");
        assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(2), words(2 ** 31 - 1, 0))), "EINVAL");
        assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(2), words(1, 0), BPF_NOEXIST)), "EEXIST");
        assert.equal(shown(bpf.sys.mapDeleteElem(fd, KEY(2))), "ok");
        assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(2), value)), "ENOENT");
      });

      test("can only be read by programs, whatever was asked for", () => {
        using bpf = kernel.open();
        const info = bpf.sys.objGetInfoByFd(open(bpf, options));
        assert.ok(typeof info !== "number");
        assert.equal(info.mapFlags, BPF_F_RDONLY_PROG);
      });
    });
  }

  test("device 0 takes an entry out of a devmap, and is none for a devmap_hash", () => {
    using bpf = kernel.open();
    const array = open(bpf, { type: "devmap", keySize: 4, valueSize: 4, maxEntries: 4 });
    const hash = open(bpf, { type: "devmap_hash", keySize: 4, valueSize: 4, maxEntries: 4 });
    for (const fd of [array, hash]) assert.equal(bpf.sys.mapUpdateElem(fd, KEY(1), words(1)), 0);
    assert.equal(shown(bpf.sys.mapUpdateElem(array, KEY(1), words(0))), "ok");
    assert.equal(shown(bpf.sys.mapLookupElem(array, KEY(1), new Uint8Array(4))), "ENOENT");
    assert.equal(shown(bpf.sys.mapUpdateElem(hash, KEY(1), words(0))), "EINVAL");
    assert.equal(shown(bpf.sys.mapLookupElem(hash, KEY(1), new Uint8Array(4))), "ok");
  });

  test("a devmap_hash has keys of any number, newest first in a bucket, until it is full", () => {
    using bpf = kernel.open();
    const fd = open(bpf, { type: "devmap_hash", keySize: 4, valueSize: 4, maxEntries: 4 });
    for (const key of [8, 1, 12, 4]) assert.equal(bpf.sys.mapUpdateElem(fd, KEY(key), words(1), BPF_EXIST), 0);
    assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(5), words(1))), "E2BIG");
    assert.equal(shown(bpf.sys.mapUpdateElem(fd, KEY(8), words(1))), "ok");
    const keys: number[] = [];
    const key = new Uint8Array(4);
    let previous: Uint8Array | null = null;
    while (bpf.sys.mapGetNextKey(fd, previous, key) === 0) {
      keys.push(new DataView(key.buffer).getUint32(0, true));
      previous = key;
    }
    assert.deepEqual(keys, [8, 4, 12, 1]);
  });

  test("a cpumap has queues of modest length for CPUs that there are", () => {
    using bpf = kernel.open();
    const cpus = bpf.possibleCpus;
    const fd = open(bpf, { type: "cpumap", keySize: 4, valueSize: 8, maxEntries: cpus + 1 });
    const update = (cpu: number, ...value: number[]): string =>
      shown(bpf.sys.mapUpdateElem(fd, KEY(cpu), words(...value)));
    assert.equal(update(0, 1, 0), "ok");
    const value = new Uint8Array(8);
    assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(0), value)), "ok");
    assert.deepEqual(value, words(1, 0));
    assert.deepEqual(
      [update(0, 16385, 0), update(cpus, 1, 0), update(cpus + 1, 1, 0)],
      ["EOVERFLOW", "ENODEV", "E2BIG"],
    );
    assert.equal(update(0, 1, CLOSED), "ENOMEM");
    assert.equal(update(0, 0, 0), "ok");
    assert.equal(shown(bpf.sys.mapLookupElem(fd, KEY(0), value)), "ENOENT");
    assert.deepEqual(
      [0, cpus + 1].map((cpu) => shown(bpf.sys.mapDeleteElem(fd, KEY(cpu)))),
      ["ok", "EINVAL"],
    );
  });

  test("a cpumap has no more entries than a kernel could ever have CPUs", () => {
    assert.equal(create({ type: "cpumap", maxEntries: 8193 }), "E2BIG");
  });
});

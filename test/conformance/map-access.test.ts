/** Who may read and write a map: read-only and write-only fds, and maps that are frozen. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sys, u32 } from "mapiary";
import { EINVAL, ENOENT, ENOTSUPP, EPERM } from "../../src/abi/errno.ts";
import { BPF_F_RDONLY, BPF_F_RDONLY_PROG, BPF_F_WRONLY, BPF_F_WRONLY_PROG } from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";

type Type = "hash" | "array";
const TYPES: readonly Type[] = ["hash", "array"];

/** A map in which 1 is 10. */
function createMap(sys: Sys, type: Type, flags = 0): number {
  const fd = sys.mapCreate({ type, keySize: 4, valueSize: 4, maxEntries: 4, flags });
  if ((flags & BPF_F_RDONLY) === 0) assert.equal(sys.mapUpdateElem(fd, u32.encode(1), u32.encode(10)), 0);
  return fd;
}

/** What each command that reads answers on an fd. */
function reads(sys: Sys, fd: number): number[] {
  const bytes = new Uint8Array(64);
  return [
    sys.mapLookupElem(fd, u32.encode(1), bytes),
    sys.mapGetNextKey(fd, null, bytes),
    sys.mapLookupBatch(fd, null, bytes, bytes, bytes, Uint32Array.of(0)),
  ];
}

/** What each command that writes answers on an fd, whose key 3 is not there or cannot be deleted. */
function writes(sys: Sys, fd: number): number[] {
  const bytes = u32.encode(3);
  return [
    sys.mapUpdateElem(fd, bytes, bytes),
    sys.mapDeleteElem(fd, bytes),
    sys.mapUpdateBatch(fd, bytes, bytes, Uint32Array.of(0)),
    sys.mapDeleteBatch(fd, bytes, Uint32Array.of(0)),
  ];
}

/** What each command that does both answers. */
function takes(sys: Sys, fd: number): number[] {
  const bytes = new Uint8Array(64);
  return [
    sys.mapLookupAndDeleteElem(fd, u32.encode(3), bytes),
    sys.mapLookupAndDeleteBatch(fd, null, bytes, bytes, bytes, Uint32Array.of(0)),
  ];
}

const DENIED = { reads: [-EPERM, -EPERM, -EPERM], writes: [-EPERM, -EPERM, -EPERM, -EPERM], takes: [-EPERM, -EPERM] };
const ALLOWED = {
  hash: { reads: [0, 0, 0], writes: [0, 0, 0, 0], takes: [-ENOENT, 0] },
  array: { reads: [0, 0, 0], writes: [0, -EINVAL, 0, -ENOTSUPP], takes: [-ENOTSUPP, -ENOTSUPP] },
};

onEveryKernel((kernel) => {
  for (const type of TYPES) {
    const allowed = ALLOWED[type];

    describe(`an fd of a map of type ${type}`, () => {
      test("may do everything unless it says less", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        assert.deepEqual(reads(sys, fd), allowed.reads);
        assert.deepEqual(writes(sys, fd), allowed.writes);
        assert.deepEqual(takes(sys, fd), allowed.takes);
      });

      test("that is read-only reads, and is EPERM for whatever writes", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const { id } = infoOf(sys, createMap(sys, type));
        const fd = sys.mapGetFdById(id, { openFlags: BPF_F_RDONLY });
        assert.deepEqual(reads(sys, fd), allowed.reads);
        assert.deepEqual(writes(sys, fd), DENIED.writes);
        assert.deepEqual(takes(sys, fd), DENIED.takes);
        assert.equal(sys.mapFreeze(fd), -EPERM);
      });

      test("that is write-only writes, and is EPERM for whatever reads", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const { id } = infoOf(sys, createMap(sys, type));
        const fd = sys.mapGetFdById(id, { openFlags: BPF_F_WRONLY });
        assert.deepEqual(reads(sys, fd), DENIED.reads);
        assert.deepEqual(writes(sys, fd), allowed.writes);
        assert.deepEqual(takes(sys, fd), DENIED.takes);
        assert.equal(sys.mapFreeze(fd), 0);
      });

      test("may be less from the creation of the map on, which others of the same map need not be", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const readOnly = createMap(sys, type, BPF_F_RDONLY);
        assert.equal(sys.mapUpdateElem(readOnly, u32.encode(1), u32.encode(10)), -EPERM);
        const writeOnly = createMap(sys, type, BPF_F_WRONLY);
        assert.equal(sys.mapLookupElem(writeOnly, u32.encode(1), new Uint8Array(4)), -EPERM);
        for (const fd of [readOnly, writeOnly]) {
          const info = infoOf(sys, fd);
          assert.equal(info.mapFlags, 0);
          const other = sys.mapGetFdById(info.id);
          assert.equal(sys.mapUpdateElem(other, u32.encode(1), u32.encode(11)), 0);
          assert.equal(sys.mapLookupElem(other, u32.encode(1), new Uint8Array(4)), 0);
        }
      });

      test("may be less when a pin is opened", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const path = `${kernel.bpffs}/access_${type}`;
        assert.equal(sys.objPin(createMap(sys, type), path), 0);
        const readOnly = sys.objGet(path, { fileFlags: BPF_F_RDONLY });
        const writeOnly = sys.objGet(path, { fileFlags: BPF_F_WRONLY });
        assert.deepEqual(writes(sys, readOnly), DENIED.writes);
        assert.deepEqual(reads(sys, readOnly), allowed.reads);
        assert.deepEqual(writes(sys, writeOnly), allowed.writes);
        assert.deepEqual(reads(sys, writeOnly), DENIED.reads);
        bpf.bpffs.unlink(path);
      });

      test("cannot be opened as both, or with other flags", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const path = `${kernel.bpffs}/access_${type}`;
        assert.equal(sys.objPin(fd, path), 0);
        const { id } = infoOf(sys, fd);
        for (const flags of [BPF_F_RDONLY | BPF_F_WRONLY, 1, 2, BPF_F_RDONLY_PROG, 2 ** 31]) {
          assert.equal(sys.objGet(path, { fileFlags: flags }), -EINVAL, `${flags}`);
          assert.equal(sys.mapGetFdById(id, { openFlags: flags }), -EINVAL, `${flags}`);
        }
        bpf.bpffs.unlink(path);
      });

      test("may say what it is, whatever it may do", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        for (const flags of [BPF_F_RDONLY, BPF_F_WRONLY]) {
          assert.equal(infoOf(sys, createMap(sys, type, flags)).type, type);
        }
      });

      test("is not less for user space because programs may do less", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        for (const flags of [BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG]) {
          const fd = createMap(sys, type, flags);
          assert.deepEqual(reads(sys, fd), allowed.reads);
          assert.deepEqual(writes(sys, fd), allowed.writes);
          assert.equal(infoOf(sys, fd).mapFlags, flags);
        }
      });
    });

    describe(`a frozen map of type ${type}`, () => {
      test("can be read but not written", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        assert.equal(sys.mapFreeze(fd), 0);
        assert.deepEqual(reads(sys, fd), allowed.reads);
        assert.deepEqual(writes(sys, fd), DENIED.writes);
        assert.deepEqual(takes(sys, fd), DENIED.takes);
        const value = new Uint8Array(4);
        assert.equal(sys.mapLookupElem(fd, u32.encode(1), value), 0);
        assert.equal(u32.decode(value), 10);
      });

      test("is frozen for every fd, older and newer", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const { id } = infoOf(sys, fd);
        const older = sys.mapGetFdById(id);
        assert.equal(sys.mapFreeze(fd), 0);
        const newer = sys.mapGetFdById(id);
        assert.deepEqual(writes(sys, older), DENIED.writes);
        assert.deepEqual(writes(sys, newer), DENIED.writes);
        assert.deepEqual(reads(sys, newer), allowed.reads);
      });

      test("cannot be frozen again", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        assert.equal(sys.mapFreeze(fd), 0);
        assert.equal(sys.mapFreeze(fd), -EPERM);
      });

      test("can be pinned, and is frozen when it is opened again", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        assert.equal(sys.mapFreeze(fd), 0);
        const path = `${kernel.bpffs}/frozen_${type}`;
        assert.equal(sys.objPin(fd, path), 0);
        sys.close(fd);
        const again = sys.objGet(path);
        assert.deepEqual(writes(sys, again), DENIED.writes);
        bpf.bpffs.unlink(path);
      });

      test("does not look at keys, values and flags of what it refuses", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        assert.equal(sys.mapFreeze(fd), 0);
        const nothing = new Uint8Array(0);
        assert.equal(sys.mapUpdateElem(fd, nothing, nothing, 1000), -EPERM);
        assert.equal(sys.mapDeleteElem(fd, nothing), -EPERM);
      });
    });
  }

  test("a pin of an fd that may do less is opened by what the opener asks for", () => {
    using bpf = kernel.open();
    const { sys } = bpf;
    const fd = createMap(sys, "hash", BPF_F_RDONLY);
    const path = `${kernel.bpffs}/read_only`;
    assert.equal(sys.objPin(fd, path), 0);
    const opened = sys.objGet(path);
    assert.equal(sys.mapUpdateElem(opened, u32.encode(1), u32.encode(1)), 0);
    bpf.bpffs.unlink(path);
  });
});

function infoOf(sys: Sys, fd: number) {
  const info = sys.objGetInfoByFd(fd);
  assert.ok(typeof info !== "number");
  return info;
}

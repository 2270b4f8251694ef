/** Values with locks and other special fields, in maps that several kernels have: each finds them by the map's BTF. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BPF_F_LOCK, type Bpf, embedded } from "mapiary";
import { EINVAL, ENOTSUPP } from "../../src/abi/errno.ts";
import { valueTypes } from "../differential/value-types.ts";
import { newDirectory } from "../kernels.ts";

const { bytes: TYPES, all } = valueTypes();
const KEY = Uint8Array.of(0, 0, 0, 0);
const ONES = (size: number): Uint8Array => new Uint8Array(size).fill(0xff);

/** A map with BTF, pinned. */
function pinned({ sys }: Bpf, type: "hash" | "array", value: string, path: string): number {
  const { id, size } = all.find(({ name }) => name === value) as (typeof all)[number];
  const btfFd = sys.btfLoad(TYPES);
  const types = { btfFd, btfKeyTypeId: 1, btfValueTypeId: id };
  const fd = sys.mapCreate({ type, keySize: 4, valueSize: size, maxEntries: 4, ...types });
  sys.close(btfFd);
  assert.ok(fd >= 0);
  assert.equal(sys.objPin(fd, path), 0);
  return fd;
}

const OTHERS: Readonly<Record<string, (bpf: Bpf, directory: string) => Bpf>> = {
  "a kernel of the same directory": (_bpf, directory) => embedded({ bpffs: directory }),
  "a kernel that was given it by share()": (bpf) => embedded({ share: bpf.share() }),
};

for (const [who, other] of Object.entries(OTHERS)) {
  describe(who, () => {
    for (const type of ["hash", "array"] as const) {
      test(`hides the lock in the values of ${type}, and takes it for BPF_F_LOCK`, () => {
        const directory = newDirectory();
        using bpf = embedded({ bpffs: directory });
        using second = other(bpf, directory);
        const path = `/sys/fs/bpf/locked-${type}`;
        const fd = pinned(bpf, type, "locked in the middle", path);
        const theirs = second.sys.objGet(path);
        const withoutLock = ONES(24).fill(0, 12, 16);
        const value = new Uint8Array(24);
        for (const [writer, writeFd, reader, readFd] of [
          [bpf, fd, second, theirs],
          [second, theirs, bpf, fd],
        ] as const) {
          assert.equal(writer.sys.mapUpdateElem(writeFd, KEY, ONES(24), BPF_F_LOCK), 0);
          assert.equal(reader.sys.mapLookupElem(readFd, KEY, value.fill(7)), 0);
          assert.deepEqual(value, withoutLock);
          assert.equal(reader.sys.mapLookupElem(readFd, KEY, value.fill(7), BPF_F_LOCK), 0);
          assert.deepEqual(value, withoutLock);
        }
        assert.equal(second.sys.mapFreeze(theirs), -ENOTSUPP);
      });
    }

    test("hides a timer and a pointer, and refuses BPF_F_LOCK where there is no lock", () => {
      const directory = newDirectory();
      using bpf = embedded({ bpffs: directory });
      using second = other(bpf, directory);
      for (const [value, size, hidden] of [
        ["timer and number", 24, 16],
        ["kptr", 8, 8],
      ] as const) {
        const path = `/sys/fs/bpf/${value.replaceAll(" ", "_")}`;
        pinned(bpf, "hash", value, path);
        const fd = second.sys.objGet(path);
        const read = new Uint8Array(size);
        assert.equal(second.sys.mapUpdateElem(fd, KEY, ONES(size), BPF_F_LOCK), -EINVAL);
        assert.equal(second.sys.mapUpdateElem(fd, KEY, ONES(size)), 0);
        assert.equal(second.sys.mapLookupElem(fd, KEY, read), 0);
        assert.deepEqual(read, ONES(size).fill(0, 0, hidden));
      }
    });

    test("has the map's BTF, byte by byte", () => {
      const directory = newDirectory();
      using bpf = embedded({ bpffs: directory });
      using second = other(bpf, directory);
      pinned(bpf, "array", "locked", "/sys/fs/bpf/map");
      const info = second.sys.objGetInfoByFd(second.sys.objGet("/sys/fs/bpf/map"));
      assert.ok(typeof info === "object" && info.btfId > 0);
      const read = new Uint8Array(TYPES.length);
      assert.ok(typeof second.sys.btfGetInfoByFd(second.sys.btfGetFdById(info.btfId), read) === "object");
      assert.deepEqual(read, TYPES);
    });
  });
}

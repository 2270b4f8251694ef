/** Ids of maps, how long they live, and what a map says of itself. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type MapInfo, type Sys, u32 } from "mapiary";
import { EBADFD, EINVAL, ENOENT } from "../../src/abi/errno.ts";
import {
  BPF_F_MMAPABLE,
  BPF_F_NO_PREALLOC,
  BPF_F_NUMA_NODE,
  BPF_F_RDONLY_PROG,
  BPF_F_ZERO_SEED,
} from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";
import { gone, lives } from "./lifetime.ts";

const HASH = { type: "hash", keySize: 4, valueSize: 4, maxEntries: 4 } as const;

function infoOf(sys: Sys, fd: number): MapInfo {
  const info = sys.objGetInfoByFd(fd);
  assert.ok(typeof info !== "number", `${info}`);
  return info;
}

/** Every id, in the order of BPF_MAP_GET_NEXT_ID. */
function allIds(sys: Sys): number[] {
  const ids: number[] = [];
  const next = new Uint32Array(1);
  for (let id = 0; sys.mapGetNextId(id, next) === 0; id = next[0] as number) ids.push(next[0] as number);
  return ids;
}

onEveryKernel((kernel) => {
  describe("the id of a map", () => {
    test("is above 0 and above those of the maps before it", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      let last = 0;
      for (let i = 0; i < 20; i++) {
        const { id } = infoOf(sys, sys.mapCreate(HASH));
        assert.ok(id > last);
        last = id;
      }
    });

    test("is not given again to the next map when its own is gone", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const first = sys.mapCreate(HASH);
      const { id } = infoOf(sys, first);
      sys.close(first);
      assert.ok(infoOf(sys, sys.mapCreate(HASH)).id > id);
    });

    test("goes with the last fd", async () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fd = sys.mapCreate(HASH);
      const { id } = infoOf(sys, fd);
      assert.ok(lives(sys, id));
      const other = sys.mapGetFdById(id);
      assert.notEqual(other, fd);
      sys.close(fd);
      assert.ok(lives(sys, id));
      sys.close(other);
      await gone(sys, id);
    });

    test("stays while the map is pinned, and goes with the pin", async () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const path = `${kernel.bpffs}/kept`;
      const fd = sys.mapCreate(HASH);
      const { id } = infoOf(sys, fd);
      sys.mapUpdateElem(fd, u32.encode(1), u32.encode(10));
      assert.equal(sys.objPin(fd, path), 0);
      sys.close(fd);
      assert.ok(lives(sys, id));
      const again = sys.objGet(path);
      assert.equal(infoOf(sys, again).id, id);
      const value = new Uint8Array(4);
      assert.equal(sys.mapLookupElem(again, u32.encode(1), value), 0);
      assert.equal(u32.decode(value), 10);
      sys.close(again);
      bpf.bpffs.unlink(path);
      await gone(sys, id);
    });

    test("stays while one of two pins is left, or an fd", async () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const [one, two] = [`${kernel.bpffs}/one`, `${kernel.bpffs}/two`];
      const fd = sys.mapCreate(HASH);
      const { id } = infoOf(sys, fd);
      assert.equal(sys.objPin(fd, one), 0);
      assert.equal(sys.objPin(fd, two), 0);
      bpf.bpffs.unlink(one);
      sys.close(fd);
      assert.ok(lives(sys, id));
      const last = sys.objGet(two);
      bpf.bpffs.unlink(two);
      assert.ok(lives(sys, id));
      sys.close(last);
      await gone(sys, id);
    });

    test("that there is not is ENOENT", () => {
      using bpf = kernel.open();
      for (const id of [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) assert.equal(bpf.sys.mapGetFdById(id), -ENOENT, `${id}`);
    });
  });

  describe("the next id", () => {
    test("goes through every map in ascending order", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const created = Array.from({ length: 5 }, () => infoOf(sys, sys.mapCreate(HASH)).id);
      const ids = allIds(sys);
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      assert.deepEqual(
        ids.filter((id) => created.includes(id)),
        created,
      );
    });

    test("after the last is ENOENT, and leaves the answer alone", () => {
      using bpf = kernel.open();
      const next = Uint32Array.of(7);
      assert.equal(bpf.sys.mapGetNextId(2 ** 31 - 2, next), -ENOENT);
      assert.equal(next[0], 7);
    });

    test("of what can be no id is EINVAL", () => {
      using bpf = kernel.open();
      for (const id of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
        assert.equal(bpf.sys.mapGetNextId(id, new Uint32Array(1)), -EINVAL);
      }
    });

    test("does not name a map that is gone", async () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const fds = Array.from({ length: 3 }, () => sys.mapCreate(HASH));
      const ids = fds.map((fd) => infoOf(sys, fd).id);
      sys.close(fds[1] as number);
      await gone(sys, ids[1] as number);
      const left = allIds(sys).filter((id) => ids.includes(id));
      assert.deepEqual(left, [ids[0], ids[2]]);
    });
  });

  describe("what a map says of itself", () => {
    test("is what it was made of", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const info = infoOf(
        sys,
        sys.mapCreate({
          type: "hash",
          name: "a.map_0",
          keySize: 5,
          valueSize: 17,
          maxEntries: 99,
          flags: BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED | BPF_F_RDONLY_PROG,
        }),
      );
      assert.deepEqual(info, {
        type: "hash",
        id: info.id,
        keySize: 5,
        valueSize: 17,
        maxEntries: 99,
        mapFlags: BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED | BPF_F_RDONLY_PROG,
        name: "a.map_0",
        ifindex: 0,
        btfVmlinuxValueTypeId: 0,
        btfId: 0,
        btfKeyTypeId: 0,
        btfValueTypeId: 0,
        mapExtra: 0,
      });
    });

    test("is not rounded up: neither sizes nor entries", () => {
      using bpf = kernel.open();
      const { sys } = bpf;
      const info = infoOf(
        sys,
        sys.mapCreate({ type: "array", keySize: 4, valueSize: 3, maxEntries: 5, flags: BPF_F_MMAPABLE }),
      );
      assert.equal(info.valueSize, 3);
      assert.equal(info.maxEntries, 5);
      assert.equal(info.mapFlags, BPF_F_MMAPABLE);
      assert.equal(info.name, "");
    });

    test("has the flag of a NUMA node", () => {
      using bpf = kernel.open();
      const fd = bpf.sys.mapCreate({ ...HASH, flags: BPF_F_NUMA_NODE, numaNode: 0 });
      assert.equal(infoOf(bpf.sys, fd).mapFlags, BPF_F_NUMA_NODE);
    });

    test("is EBADFD for an fd that is none", () => {
      using bpf = kernel.open();
      assert.equal(bpf.sys.objGetInfoByFd(-1), -EBADFD);
      assert.equal(bpf.sys.objGetInfoByFd(1_000_000), -EBADFD);
    });
  });
});

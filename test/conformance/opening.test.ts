/** Maps that are there already: opened by path, by name and by id, with layouts or without, for reading or writing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, BpfError, bytes, type HashMap, struct, u8, u32, u64 } from "mapiary";
import { onEveryKernel } from "../kernels.ts";

/** A name that no other test has, of at most 15 bytes. */
let serial = 0;
function uniqueName(): string {
  return `mapiary_${(process.pid % 46_656).toString(36)}_${(serial++).toString(36)}`;
}

function createHash(bpf: Bpf, name = ""): HashMap<number, bigint> {
  const map = bpf.createMap({ type: "hash", name, key: u32, value: u64, maxEntries: 8 });
  return map.set(5, 100n);
}

const TYPED = { key: u32, value: u64 };

onEveryKernel((kernel) => {
  const path = `${kernel.bpffs}/opened`;

  describe("a map opened by its path", () => {
    test("is the map that was pinned there", () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      map.pin(path);
      using opened = bpf.openMap(path, TYPED);
      assert.equal(opened.id, map.id);
      assert.equal(opened.get(5), 100n);
      opened.set(6, 200n);
      assert.equal(map.get(6), 200n);
      map.unpin();
    });

    test("outlives the map it was pinned by", () => {
      using bpf = kernel.open();
      const map = createHash(bpf);
      map.pin(path);
      map.close();
      using opened = bpf.openMap(path, TYPED);
      opened.unpin();
      assert.equal(opened.get(5), 100n);
    });

    test("that is not there is ENOENT, of a directory EACCES", () => {
      using bpf = kernel.open();
      const error = { name: "BpfError", command: "BPF_OBJ_GET" };
      assert.throws(() => bpf.openMap(path), { ...error, code: "ENOENT", path });
      assert.throws(() => bpf.openMap(kernel.bpffs), { ...error, code: "EACCES", path: kernel.bpffs });
    });
  });

  describe("a map opened by its name", () => {
    test("is the one map of that name", () => {
      using bpf = kernel.open();
      const name = uniqueName();
      using map = createHash(bpf, name);
      using opened = bpf.openMap({ name }, TYPED);
      assert.equal(opened.id, map.id);
      assert.equal(opened.get(5), 100n);
    });

    test("may be asked for by all of a name of which the kernel keeps 15 bytes", () => {
      using bpf = kernel.open();
      const name = `${uniqueName()}_and_much_more`;
      using map = createHash(bpf, name);
      using opened = bpf.openMap({ name }, TYPED);
      assert.equal(opened.id, map.id);
    });

    test("that no map has is ENOENT", () => {
      using bpf = kernel.open();
      const name = uniqueName();
      assert.throws(() => bpf.openMap({ name }), { name: "BpfError", code: "ENOENT", map: name });
    });

    test("that several maps have is a TypeError that names their ids", () => {
      using bpf = kernel.open();
      const name = uniqueName();
      using one = createHash(bpf, name);
      using two = createHash(bpf, name);
      assert.throws(
        () => bpf.openMap({ name }, TYPED),
        (error) =>
          error instanceof TypeError &&
          error.message.includes(name) &&
          error.message.includes(`${one.id}`) &&
          error.message.includes(`${two.id}`),
      );
      two.close();
    });
  });

  describe("a map opened by its id", () => {
    test("is that map", () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      using opened = bpf.mapById(map.id, TYPED);
      assert.equal(opened.id, map.id);
      assert.notEqual(opened.fd, map.fd);
      assert.equal(opened.get(5), 100n);
    });

    test("that there is not is ENOENT", () => {
      using bpf = kernel.open();
      assert.throws(() => bpf.mapById(2 ** 31 - 2), {
        name: "BpfError",
        code: "ENOENT",
        command: "BPF_MAP_GET_FD_BY_ID",
      });
    });
  });

  describe("the layouts of a map that is opened", () => {
    test("are those of its BTF when none are given", () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      using opened = bpf.mapById(map.id);
      assert.equal(opened.get(5), 100n);
      assert.deepEqual([...opened], [[5, 100n]]);
      opened.set(6, 200n);
      assert.equal(map.get(6), 200n);
    });

    test("are bytes when it has no BTF either", () => {
      using bpf = kernel.open();
      const fd = bpf.sys.mapCreate({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 4 });
      const info = bpf.sys.objGetInfoByFd(fd);
      assert.ok(typeof info === "object");
      using opened = bpf.mapById(info.id);
      opened.set(u32.encode(6), u64.encode(200n));
      assert.deepEqual(opened.get(u32.encode(6)), u64.encode(200n));
      assert.equal(opened.key.size, 4);
      assert.equal(opened.value.size, 8);
      assert.throws(() => opened.get(new Uint8Array(3)), RangeError);
    });

    test("may be given for keys or values alone", () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      using keyed = bpf.mapById(map.id, { key: bytes(4) });
      assert.equal(keyed.get(u32.encode(5)), 100n);
      using valued = bpf.mapById(map.id, { value: bytes(8) });
      assert.deepEqual(valued.get(5), u64.encode(100n));
    });

    test("of an array's keys are u32 when none are given", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", value: u64, maxEntries: 2 });
      using opened = bpf.mapById<number>(map.id);
      assert.deepEqual([...opened.keys()], [0, 1]);
    });

    test("may be any of the right size", () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      using opened = bpf.mapById(map.id, { key: bytes(4), value: struct({ low: u32, high: u32 }) });
      assert.deepEqual(opened.get(u32.encode(5)), { low: 100, high: 0 });
    });

    test("of another size are a TypeError that names both, and leave no fd open", () => {
      using bpf = kernel.open();
      const name = uniqueName();
      using map = createHash(bpf, name);
      map.pin(path);
      const before = openFds(bpf);
      for (const open of [
        () => bpf.openMap(path, { key: u64, value: u64 }),
        () => bpf.openMap({ name }, { key: u8, value: u64 }),
        () => bpf.mapById(map.id, { key: u64, value: u64 }),
      ]) {
        assert.throws(open, (error) => error instanceof TypeError && /key of 4 bytes/.test(error.message));
      }
      assert.throws(
        () => bpf.mapById(map.id, { key: u32, value: u32 }),
        (error) => error instanceof TypeError && /value of 8 bytes, but u32 has 4/.test(error.message),
      );
      assert.equal(openFds(bpf), before);
      map.unpin();
    });
  });

  describe("the access of a map that is opened", () => {
    test('"read" reads, and is EPERM for whatever writes', () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      map.pin(path);
      for (const opened of [
        bpf.openMap(path, { ...TYPED, access: "read" }),
        bpf.mapById(map.id, { ...TYPED, access: "read" }),
      ]) {
        assert.equal(opened.get(5), 100n);
        assert.deepEqual([...opened], [[5, 100n]]);
        assert.throws(() => opened.set(5, 1n), { code: "EPERM", command: "BPF_MAP_UPDATE_ELEM" });
        assert.throws(() => opened.setMany([[5, 1n]]), { code: "EPERM", count: 0 });
        assert.throws(() => opened.freeze(), { code: "EPERM" });
      }
      assert.equal(map.get(5), 100n);
      map.unpin();
    });

    test('"write" writes, and is EPERM for whatever reads', () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      map.pin(path);
      for (const [i, opened] of [
        bpf.openMap(path, { ...TYPED, access: "write" }),
        bpf.mapById(map.id, { ...TYPED, access: "write" }),
      ].entries()) {
        opened.set(5, BigInt(i));
        assert.equal(map.get(5), BigInt(i));
        opened.setMany([[6, BigInt(i)]]);
        assert.equal(map.get(6), BigInt(i));
        for (const read of [
          () => opened.get(5),
          () => opened.has(5),
          () => [...opened],
          () => opened.count(),
          () => opened.nextKey(),
          () => opened.lookupBatch(1),
        ]) {
          assert.throws(read, { name: "BpfError", code: "EPERM" });
        }
      }
      map.unpin();
    });

    test('"readwrite" does both', () => {
      using bpf = kernel.open();
      using map = createHash(bpf);
      using opened = bpf.mapById(map.id, { ...TYPED, access: "readwrite" });
      opened.set(5, 1n);
      assert.equal(opened.get(5), 1n);
    });
  });

  describe("maps()", () => {
    test("says of every map what it is", () => {
      using bpf = kernel.open();
      using hash = createHash(bpf, uniqueName());
      using list = bpf.createMap({ type: "array", value: u8, maxEntries: 3 });
      const maps = bpf.maps();
      assert.deepEqual(
        maps.find(({ id }) => id === hash.id),
        hash.info(),
      );
      assert.deepEqual(
        maps.find(({ id }) => id === list.id),
        list.info(),
      );
      assert.deepEqual(
        maps.map(({ id }) => id),
        maps.map(({ id }) => id).sort((a, b) => a - b),
      );
    });

    test("leaves no fd open", () => {
      using bpf = kernel.open();
      using _ = createHash(bpf);
      const before = openFds(bpf);
      bpf.maps();
      assert.equal(openFds(bpf), before);
    });
  });

  test("an error of opening says what was asked for", () => {
    using bpf = kernel.open();
    try {
      bpf.openMap(`${kernel.bpffs}/missing/pin`);
      assert.fail("it opened");
    } catch (error) {
      assert.ok(error instanceof BpfError);
      assert.match(error.message, /^BPF_OBJ_GET: ENOENT: /);
    }
  });
});

/** The number of fds that are open, by the fds of maps that are made: the next one comes after them. */
function openFds(bpf: Bpf): number {
  const fds = Array.from({ length: 8 }, () =>
    bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries: 1 }),
  );
  for (const fd of fds) bpf.sys.close(fd);
  return Math.max(...fds);
}

/** The end of maps and kernels: close, using, and collection of what was forgotten. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { type Bpf, type HashMap, u32, u64 } from "mapiary";
import { EBADF } from "../../src/abi/errno.ts";
import { onEveryKernel, type TestKernel } from "../kernels.ts";
import { gone, lives } from "./lifetime.ts";

function createMap(bpf: Bpf): HashMap<number, bigint> {
  return bpf.createMap({ type: "hash", name: "closing", key: u32, value: u64, maxEntries: 8 });
}

/** Every method of a map that asks the kernel. */
const USES: Readonly<Record<string, (map: HashMap<number, bigint>) => unknown>> = {
  get: (map) => map.get(1),
  has: (map) => map.has(1),
  set: (map) => map.set(1, 1n),
  delete: (map) => map.delete(1),
  take: (map) => map.take(1),
  setMany: (map) => map.setMany([[1, 1n]]),
  deleteMany: (map) => map.deleteMany([1]),
  drain: (map) => map.drain(),
  clear: (map) => map.clear(),
  count: (map) => map.count(),
  nextKey: (map) => map.nextKey(),
  lookupBatch: (map) => map.lookupBatch(1),
  keys: (map) => [...map.keys()],
  values: (map) => [...map.values()],
  entries: (map) => [...map],
  forEach: (map) => map.forEach(() => {}),
  info: (map) => map.info(),
  freeze: (map) => map.freeze(),
  pin: (map) => map.pin("/sys/fs/bpf/closed"),
};

/** Runs a script that has `bpf`, `u32` and `forget()`, which collects what nobody refers to; answers what it prints. */
function runForgetful({ name }: TestKernel, script: string): string {
  const source = `
    import { embedded, u32 } from "mapiary";
    import { linux } from "mapiary/linux";
    const open = ${name === "linux" ? "linux" : "embedded"};
    const lives = (bpf, id) => {
      const fd = bpf.sys.mapGetFdById(id);
      if (fd >= 0) bpf.sys.close(fd);
      return fd >= 0;
    };
    /** Collects until it is true; a minute at most. */
    const until = async (isDone) => {
      const end = Date.now() + 60_000;
      while (!isDone()) {
        if (Date.now() > end) throw new Error("nothing was collected in a minute");
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    ${script}`;
  const child = spawnSync(
    process.execPath,
    ["--expose-gc", "--import", "tsx", "--input-type=module", "--eval", source],
    { encoding: "utf8", cwd: new URL("../..", import.meta.url), timeout: 120_000 },
  );
  assert.equal(child.status, 0, child.stderr);
  return child.stdout.trim();
}

onEveryKernel((kernel) => {
  describe("a map that is closed", () => {
    for (const [name, use] of Object.entries(USES)) {
      test(`throws EBADF when it is used: ${name}`, () => {
        using bpf = kernel.open();
        const map = createMap(bpf);
        map.close();
        assert.throws(() => use(map), { name: "BpfError", code: "EBADF", errno: -EBADF, map: "closing" });
      });
    }

    test("may be closed again", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      map.close();
      map.close();
      map[Symbol.dispose]();
      assert.equal(map.fd, -1);
    });

    test("closed again does not close the map that has its fd by now", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      const { fd } = map;
      map.close();
      const others = Array.from({ length: 20 }, () => createMap(bpf));
      assert.ok(others.some((other) => other.fd === fd));
      map.close();
      for (const other of others) assert.equal(other.set(1, 1n).get(1), 1n);
    });

    test("does not reach the map that has its fd by now", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      const { fd } = map;
      map.close();
      const others = Array.from({ length: 20 }, () => createMap(bpf).set(1, 10n));
      assert.ok(others.some((other) => other.fd === fd));
      for (const use of Object.values(USES)) assert.throws(() => use(map), { name: "BpfError", code: "EBADF" });
      for (const other of others) assert.deepEqual([...other], [[1, 10n]]);
    });

    test("still says what it was", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      const { id } = map;
      map.close();
      assert.equal(map.name, "closing");
      assert.equal(map.id, id);
      assert.equal(map.maxEntries, 8);
    });

    test("is gone when nothing else refers to it", async () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      assert.ok(lives(bpf.sys, map.id));
      map.close();
      await gone(bpf.sys, map.id);
    });

    test("lives on in another object of it", () => {
      using bpf = kernel.open();
      const map = createMap(bpf);
      map.set(1, 10n);
      using other = bpf.mapById(map.id, { key: u32, value: u64 });
      map.close();
      assert.equal(other.get(1), 10n);
    });

    test("leaves others of its kernel alone", () => {
      using bpf = kernel.open();
      const [one, two] = [createMap(bpf), createMap(bpf)];
      one.set(1, 10n);
      two.set(1, 20n);
      one.close();
      assert.equal(two.get(1), 20n);
      const three = createMap(bpf);
      three.set(1, 30n);
      assert.equal(two.get(1), 20n);
    });
  });

  test("using closes a map at the end of its block, an error or not", async () => {
    using bpf = kernel.open();
    let id = 0;
    assert.throws(() => {
      using map = createMap(bpf);
      id = map.id;
      throw new Error("out of the block");
    }, /out of the block/);
    await gone(bpf.sys, id);
  });

  describe("a kernel that is closed", () => {
    test("answers EBADF to everything", () => {
      const bpf = kernel.open();
      const map = createMap(bpf);
      map.pin(`${kernel.bpffs}/left`);
      bpf.close();
      const { sys } = bpf;
      const bytes = new Uint8Array(8);
      assert.equal(sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries: 1 }), -EBADF);
      assert.equal(sys.objGet(`${kernel.bpffs}/left`), -EBADF);
      assert.equal(sys.mapGetNextId(0, new Uint32Array(1)), -EBADF);
      assert.equal(sys.mapGetFdById(map.id), -EBADF);
      assert.equal(sys.objGetInfoByFd(map.fd), -EBADF);
      assert.equal(sys.mapLookupElem(map.fd, bytes, bytes), -EBADF);
      assert.equal(sys.close(map.fd), -EBADF);
      for (const use of [
        () => bpf.bpffs.mkdir(`${kernel.bpffs}/new`),
        () => bpf.bpffs.rmdir(`${kernel.bpffs}/new`),
        () => bpf.bpffs.readdir(kernel.bpffs),
        () => bpf.bpffs.unlink(`${kernel.bpffs}/left`),
        () => map.get(1),
        () => map.set(1, 1n),
        () => map.info(),
        () => map.count(),
        () => createMap(bpf),
      ]) {
        assert.throws(use, { name: "BpfError", code: "EBADF" });
      }
      map.close();
      using again = kernel.open();
      if (again.bpffs.readdir(kernel.bpffs).includes("left")) again.bpffs.unlink(`${kernel.bpffs}/left`);
    });

    test("may be closed again, and its maps too", () => {
      const bpf = kernel.open();
      const map = createMap(bpf);
      bpf.close();
      bpf.close();
      bpf[Symbol.dispose]();
      map.close();
    });

    test("leaves other kernels alone", () => {
      using other = kernel.open();
      const kept = createMap(other).set(1, 10n);
      for (let i = 0; i < 3; i++) {
        using bpf = kernel.open();
        createMap(bpf).set(1, 20n);
      }
      assert.equal(kept.get(1), 10n);
    });
  });

  describe("what is forgotten", () => {
    test("a map that nobody refers to is closed when it is collected", () => {
      const printed = runForgetful(
        kernel,
        `
        const bpf = open();
        const kept = bpf.createMap({ type: "array", value: u32, maxEntries: 1 });
        const forget = () => bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 }).set(1, 1).id;
        const ids = Array.from({ length: 50 }, forget);
        await until(() => !ids.some((id) => lives(bpf, id)));
        console.log(kept.get(0), lives(bpf, kept.id));`,
      );
      assert.equal(printed, "0 true");
    });

    test("a map whose iterator is kept is not closed", () => {
      const printed = runForgetful(
        kernel,
        `
        const bpf = open();
        const forget = () => bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 }).set(1, 1).id;
        const keep = () => {
          const map = bpf.createMap({ type: "hash", key: u32, value: u32, maxEntries: 1000 });
          for (let key = 0; key < 1000; key++) map.set(key, key);
          return map.keys();
        };
        const keys = keep();
        keys.next();
        const id = forget();
        await until(() => !lives(bpf, id));
        console.log([...keys].length);`,
      );
      assert.equal(printed, "999");
    });

    test("a kernel that nobody refers to lives on in its maps", () => {
      const printed = runForgetful(
        kernel,
        `
        const make = () => open().createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
        const map = make().set(1, 10);
        const bpf = open();
        const forget = () => bpf.createMap({ type: "array", value: u32, maxEntries: 1 }).id;
        const id = forget();
        await until(() => !lives(bpf, id));
        console.log(map.get(1));`,
      );
      assert.equal(printed, "10");
    });
  });
});

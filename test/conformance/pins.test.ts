/** BPF_OBJ_PIN, BPF_OBJ_GET and the BPF filesystem, on which every kernel has a directory for these tests. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { type Bpf, BpfError, type Sys, u32 } from "mapiary";
import { EACCES, EBADF, EEXIST, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, errnoCode } from "../../src/abi/errno.ts";
import { BPF_F_PATH_FD, BPF_F_RDONLY } from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";

const AT_FDCWD = -100;

function createMap(sys: Sys): number {
  return sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries: 1 });
}

/** What a call throws: the code of its `BpfError`; `"ok"` when it does not. */
function answer(call: () => void): string {
  try {
    call();
    return "ok";
  } catch (error) {
    assert.ok(error instanceof BpfError);
    return error.code;
  }
}

/** Removes everything in a directory. */
function empty(bpf: Bpf, directory: string): void {
  for (const name of bpf.bpffs.readdir(directory)) {
    const path = `${directory}/${name}`;
    if (answer(() => bpf.bpffs.unlink(path)) === "ok") continue;
    empty(bpf, path);
    bpf.bpffs.rmdir(path);
  }
}

onEveryKernel((kernel) => {
  const root = kernel.bpffs;

  /** Runs a test with a map's fd; leaves the filesystem empty. */
  const withMap = (name: string, run: (bpf: Bpf, fd: number) => void): void => {
    test(name, () => {
      using bpf = kernel.open();
      try {
        run(bpf, createMap(bpf.sys));
      } finally {
        empty(bpf, root);
      }
    });
  };

  afterEach(() => {
    using bpf = kernel.open();
    assert.deepEqual(bpf.bpffs.readdir(root), []);
  });

  describe("a pin", () => {
    withMap("is found under its name, and names the same map", (bpf, fd) => {
      const { sys } = bpf;
      assert.equal(sys.objPin(fd, `${root}/pin`), 0);
      assert.deepEqual(bpf.bpffs.readdir(root), ["pin"]);
      const opened = sys.objGet(`${root}/pin`);
      assert.notEqual(opened, fd);
      sys.mapUpdateElem(opened, u32.encode(0), u32.encode(10));
      const value = new Uint8Array(4);
      sys.mapLookupElem(fd, u32.encode(0), value);
      assert.equal(u32.decode(value), 10);
    });

    withMap("is EEXIST when its name is taken, by a pin or a directory", (bpf, fd) => {
      const { sys } = bpf;
      assert.equal(sys.objPin(fd, `${root}/taken`), 0);
      assert.equal(sys.objPin(fd, `${root}/taken`), -EEXIST);
      assert.equal(sys.objPin(createMap(sys), `${root}/taken`), -EEXIST);
      bpf.bpffs.mkdir(`${root}/directory`);
      assert.equal(sys.objPin(fd, `${root}/directory`), -EEXIST);
      assert.equal(sys.objPin(fd, root), -EEXIST);
    });

    withMap("may be made again once it is removed", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${root}/again`), 0);
      bpf.bpffs.unlink(`${root}/again`);
      assert.equal(bpf.sys.objGet(`${root}/again`), -ENOENT);
      assert.equal(bpf.sys.objPin(fd, `${root}/again`), 0);
    });

    withMap("may have any number of names", (bpf, fd) => {
      bpf.bpffs.mkdir(`${root}/deep`);
      bpf.bpffs.mkdir(`${root}/deep/deeper`);
      const paths = [`${root}/b`, `${root}/a`, `${root}/deep/a`, `${root}/deep/deeper/a`];
      for (const path of paths) assert.equal(bpf.sys.objPin(fd, path), 0);
      assert.deepEqual(bpf.bpffs.readdir(root), ["a", "b", "deep"]);
      const ids = paths.map((path) => bpf.mapById(infoOf(bpf.sys, bpf.sys.objGet(path)).id).id);
      assert.equal(new Set(ids).size, 1);
    });

    withMap("has no dot in its name", (bpf, fd) => {
      for (const name of [".hidden", "a.b", "a.", "...", "a..b"]) {
        assert.equal(bpf.sys.objPin(fd, `${root}/${name}`), -EPERM, name);
        assert.equal(bpf.sys.objGet(`${root}/${name}`), -EPERM, name);
        assert.equal(
          answer(() => bpf.bpffs.mkdir(`${root}/${name}`)),
          "EPERM",
        );
        assert.equal(
          answer(() => bpf.bpffs.unlink(`${root}/${name}`)),
          "EPERM",
        );
      }
    });

    withMap("needs its directory", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${root}/missing/pin`), -ENOENT);
      assert.equal(bpf.sys.objGet(`${root}/missing/pin`), -ENOENT);
      assert.equal(bpf.sys.objPin(fd, `${root}/pin`), 0);
      assert.equal(bpf.sys.objPin(fd, `${root}/pin/pin`), -ENOTDIR);
      assert.equal(bpf.sys.objGet(`${root}/pin/pin`), -ENOTDIR);
    });

    withMap("has up to 255 bytes in its name", (bpf, fd) => {
      const [longest, tooLong] = ["a".repeat(255), "a".repeat(256)];
      assert.equal(bpf.sys.objPin(fd, `${root}/${longest}`), 0);
      assert.ok(bpf.sys.objGet(`${root}/${longest}`) >= 0);
      assert.equal(bpf.sys.objPin(fd, `${root}/${tooLong}`), -ENAMETOOLONG);
      assert.equal(bpf.sys.objGet(`${root}/${tooLong}`), -ENAMETOOLONG);
      assert.equal(bpf.sys.objPin(fd, `${root}/${"é".repeat(128)}`), -ENAMETOOLONG);
      assert.equal(bpf.sys.objPin(fd, `${root}/${"é".repeat(127)}`), 0);
    });

    withMap("has up to 4,095 bytes in its path", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${"/".repeat(4096 - root.length - 3)}${root}/a`), 0);
      assert.equal(bpf.sys.objPin(fd, `${"/".repeat(4096 - root.length - 2)}${root}/b`), -ENAMETOOLONG);
      assert.equal(bpf.sys.objGet("/".repeat(4096)), -ENAMETOOLONG);
    });

    withMap("may have any letters in its name", (bpf, fd) => {
      for (const name of ["with space", "ümläut", "日本", "a-b_c", "\x01", "\\", "*"]) {
        assert.equal(bpf.sys.objPin(fd, `${root}/${name}`), 0, name);
        assert.ok(bpf.sys.objGet(`${root}/${name}`) >= 0, name);
        assert.deepEqual(bpf.bpffs.readdir(root), [name]);
        bpf.bpffs.unlink(`${root}/${name}`);
      }
    });

    withMap("is EPERM outside a BPF filesystem", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, "/sys/fs/mapiary"), -EPERM);
      assert.equal(bpf.sys.objPin(fd, "/mapiary"), -EPERM);
    });
  });

  describe("the path of a pin", () => {
    withMap("may repeat slashes, and go up and down", (bpf, fd) => {
      const { sys } = bpf;
      bpf.bpffs.mkdir(`${root}/a`);
      bpf.bpffs.mkdir(`${root}/a/b`);
      assert.equal(sys.objPin(fd, `${root}//a///pin`), 0);
      for (const path of ["a/pin", "./a/./pin", "a/b/../pin", "a/../a/pin", "//a//pin", "a/b/../../a/b/../pin"]) {
        assert.ok(sys.objGet(`${root}/${path}`) >= 0, path);
      }
      assert.equal(sys.objPin(fd, `${root}/a/b/../up`), 0);
      assert.deepEqual(bpf.bpffs.readdir(`${root}/a`), ["b", "pin", "up"]);
    });

    withMap("goes up above the root no further than the root", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `/../../..${root}/pin`), 0);
      assert.ok(bpf.sys.objGet(`${root}/pin`) >= 0);
    });

    withMap("is looked at on the way up too", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${root}/missing/../pin`), -ENOENT);
      assert.equal(bpf.sys.objPin(fd, `${root}/pin`), 0);
      assert.equal(bpf.sys.objGet(`${root}/pin/../pin`), -ENOTDIR);
      assert.equal(bpf.sys.objGet(`${root}/pin/.`), -ENOTDIR);
    });

    withMap("ends without a slash", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${root}/pin/`), -ENOENT);
      assert.equal(bpf.sys.objPin(fd, `${root}/pin`), 0);
      assert.equal(bpf.sys.objPin(fd, `${root}/pin/`), -EEXIST);
      assert.equal(bpf.sys.objGet(`${root}/pin/`), -ENOTDIR);
      assert.equal(bpf.sys.objGet(`${root}/missing/`), -ENOENT);
      assert.equal(
        answer(() => bpf.bpffs.unlink(`${root}/pin/`)),
        "ENOTDIR",
      );
    });

    withMap("does not end in . or ..", (bpf, fd) => {
      for (const end of [".", ".."]) {
        assert.equal(bpf.sys.objPin(fd, `${root}/${end}`), -EEXIST);
        assert.equal(bpf.sys.objGet(`${root}/${end}`), -EACCES);
        assert.equal(
          answer(() => bpf.bpffs.mkdir(`${root}/${end}`)),
          "EEXIST",
        );
      }
    });

    withMap("is not empty", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, ""), -ENOENT);
      assert.equal(bpf.sys.objGet(""), -ENOENT);
    });

    withMap("begins in the current directory without a slash", (bpf, fd) => {
      const { sys } = bpf;
      assert.equal(sys.objPin(fd, `${root}/pin`), 0);
      const up = "../".repeat(process.cwd().split("/").length);
      assert.ok(sys.objGet(`${up}${root.slice(1)}/pin`) >= 0);
      assert.equal(sys.objGet("mapiary_missing"), -ENOENT);
      assert.equal(sys.objGet("mapiary_missing/pin"), -ENOENT);
    });

    withMap("may say in which directory it begins, when that is the current one", (bpf, fd) => {
      const { sys } = bpf;
      const up = `${"../".repeat(process.cwd().split("/").length)}${root.slice(1)}`;
      const here = { fileFlags: BPF_F_PATH_FD, pathFd: AT_FDCWD };
      assert.equal(sys.objPin(fd, `${up}/pin`, here), 0);
      assert.ok(sys.objGet(`${up}/pin`, here) >= 0);
      assert.ok(sys.objGet(`${root}/pin`, { ...here, pathFd: 1_000_000 }) >= 0);
      assert.equal(sys.objGet(`${up}/pin`, { ...here, pathFd: 1_000_000 }), -EBADF);
      assert.equal(sys.objPin(fd, `${up}/other`, { ...here, pathFd: 1_000_000 }), -EBADF);
      assert.ok(sys.objGet(`${root}/pin`, { fileFlags: BPF_F_PATH_FD | BPF_F_RDONLY, pathFd: AT_FDCWD }) >= 0);
    });

    withMap("has a directory's fd only with the flag that says so", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${root}/pin`, { pathFd: AT_FDCWD }), -EINVAL);
      assert.equal(bpf.sys.objGet(`${root}/pin`, { pathFd: AT_FDCWD }), -EINVAL);
    });
  });

  describe("flags of a pin", () => {
    withMap("are none but BPF_F_PATH_FD", (bpf, fd) => {
      for (const fileFlags of [1, 8, 16, 2 ** 31]) {
        assert.equal(bpf.sys.objPin(fd, `${root}/pin`, { fileFlags }), -EINVAL, `${fileFlags}`);
      }
    });

    withMap("come before the fd, and the fd before the path", (bpf) => {
      assert.equal(bpf.sys.objPin(1_000_000, `${root}/missing/pin`, { fileFlags: 1 }), -EINVAL);
      assert.ok([-EBADF, -EINVAL].includes(bpf.sys.objPin(1_000_000, `${root}/missing/pin`)));
    });
  });

  describe("a directory", () => {
    withMap("is made in one that is there, once", (bpf) => {
      bpf.bpffs.mkdir(`${root}/a`);
      assert.equal(
        answer(() => bpf.bpffs.mkdir(`${root}/a`)),
        "EEXIST",
      );
      bpf.bpffs.mkdir(`${root}/a/b/`);
      assert.deepEqual(bpf.bpffs.readdir(`${root}/a`), ["b"]);
      assert.deepEqual(bpf.bpffs.readdir(`${root}/a/`), ["b"]);
      assert.equal(
        answer(() => bpf.bpffs.mkdir(`${root}/missing/b`)),
        "ENOENT",
      );
    });

    withMap("is removed when it is empty", (bpf, fd) => {
      bpf.bpffs.mkdir(`${root}/a`);
      assert.equal(bpf.sys.objPin(fd, `${root}/a/pin`), 0);
      assert.equal(
        answer(() => bpf.bpffs.rmdir(`${root}/a`)),
        "ENOTEMPTY",
      );
      bpf.bpffs.unlink(`${root}/a/pin`);
      bpf.bpffs.rmdir(`${root}/a`);
      assert.equal(
        answer(() => bpf.bpffs.rmdir(`${root}/a`)),
        "ENOENT",
      );
    });

    withMap("is no pin", (bpf) => {
      bpf.bpffs.mkdir(`${root}/a`);
      assert.equal(bpf.sys.objGet(`${root}/a`), -EACCES);
      assert.equal(bpf.sys.objGet(`${root}/a/`), -EACCES);
      assert.equal(bpf.sys.objGet(root), -EACCES);
      assert.equal(
        answer(() => bpf.bpffs.unlink(`${root}/a`)),
        "EISDIR",
      );
    });

    withMap("is what a pin is not", (bpf, fd) => {
      assert.equal(bpf.sys.objPin(fd, `${root}/pin`), 0);
      assert.equal(
        answer(() => bpf.bpffs.rmdir(`${root}/pin`)),
        "ENOTDIR",
      );
      assert.equal(
        answer(() => bpf.bpffs.readdir(`${root}/pin`)),
        "ENOTDIR",
      );
      assert.equal(
        answer(() => bpf.bpffs.mkdir(`${root}/pin/a`)),
        "ENOTDIR",
      );
      assert.equal(
        answer(() => bpf.bpffs.mkdir(`${root}/pin`)),
        "EEXIST",
      );
    });

    withMap("that is not there cannot be read", (bpf) => {
      assert.equal(
        answer(() => bpf.bpffs.readdir(`${root}/missing`)),
        "ENOENT",
      );
      assert.equal(
        answer(() => bpf.bpffs.unlink(`${root}/missing`)),
        "ENOENT",
      );
    });

    withMap("outside a BPF filesystem is EPERM, whatever is to be done there", (bpf) => {
      assert.equal(
        answer(() => bpf.bpffs.mkdir("/sys/fs/mapiary")),
        "EPERM",
      );
      assert.equal(
        answer(() => bpf.bpffs.readdir("/sys/fs")),
        "EPERM",
      );
      assert.equal(
        answer(() => bpf.bpffs.rmdir("/sys/fs")),
        "EPERM",
      );
      assert.equal(
        answer(() => bpf.bpffs.readdir("/")),
        "EPERM",
      );
    });
  });

  describe("an error", () => {
    withMap("says which call, which path and what is wrong", (bpf) => {
      assert.throws(() => bpf.bpffs.unlink(`${root}/missing`), {
        name: "BpfError",
        code: "ENOENT",
        errno: -ENOENT,
        syscall: "unlink",
        command: "unlink",
        path: `${root}/missing`,
      });
    });
  });

  describe("a pin of a typed map", () => {
    test("is made by pin and taken away by unpin", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", name: "pinned", value: u32, maxEntries: 1 });
      map.pin(`${root}/typed`);
      using again = bpf.openMap(`${root}/typed`, { value: u32 });
      assert.equal(again.id, map.id);
      map.unpin();
      assert.equal(
        answer(() => bpf.openMap(`${root}/typed`)),
        "ENOENT",
      );
    });

    test("that openMap opened can be taken away without saying where", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", value: u32, maxEntries: 1 });
      map.pin(`${root}/typed`);
      using again = bpf.openMap(`${root}/typed`, { value: u32 });
      again.unpin();
      assert.deepEqual(bpf.bpffs.readdir(root), []);
    });

    test("is where unpin says when there are several", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", value: u32, maxEntries: 1 });
      map.pin(`${root}/one`);
      map.pin(`${root}/two`);
      map.unpin(`${root}/one`);
      assert.deepEqual(bpf.bpffs.readdir(root), ["two"]);
      map.unpin();
      assert.deepEqual(bpf.bpffs.readdir(root), []);
    });

    test("that was never made is a TypeError, one that is gone ENOENT", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", value: u32, maxEntries: 1 });
      assert.throws(() => map.unpin(), TypeError);
      assert.equal(
        answer(() => map.unpin(`${root}/never`)),
        "ENOENT",
      );
      map.pin(`${root}/typed`);
      bpf.bpffs.unlink(`${root}/typed`);
      assert.equal(
        answer(() => map.unpin()),
        "ENOENT",
      );
    });

    test("fails with the code of the command", () => {
      using bpf = kernel.open();
      using map = bpf.createMap({ type: "array", name: "typed", value: u32, maxEntries: 1 });
      assert.throws(() => map.pin(`${root}/a.b`), {
        name: "BpfError",
        code: "EPERM",
        command: "BPF_OBJ_PIN",
        syscall: "bpf",
        map: "typed",
        path: `${root}/a.b`,
      });
      assert.throws(() => map.unpin(), TypeError);
      assert.equal(errnoCode(-EPERM), "EPERM");
    });
  });
});

function infoOf(sys: Sys, fd: number) {
  const info = sys.objGetInfoByFd(fd);
  assert.ok(typeof info !== "number");
  return info;
}

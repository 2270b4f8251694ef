import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EACCES, EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../abi/errno.ts";
import { Bpffs } from "./bpffs.ts";
import { MemoryDirectory } from "./bpffs-directory.ts";
import type { KernelObject } from "./kernel-object.ts";

/** The filesystem never looks into a map, but to count its references. */
function stubMap(): KernelObject {
  return { references: 0 } as KernelObject;
}

function bpffsInMemory(): Bpffs {
  return new Bpffs((parent) => new MemoryDirectory(parent, true, (object) => object.references--));
}

describe("the BPF filesystem of an embedded kernel", () => {
  test("is mounted at /sys/fs/bpf, and there alone", () => {
    const bpffs = bpffsInMemory();
    assert.deepEqual(bpffs.readdir("/sys/fs/bpf"), []);
    for (const path of ["/", "/sys", "/sys/fs"]) {
      assert.equal(bpffs.readdir(path), -EPERM);
      assert.equal(bpffs.pin(`${path}/pin`, stubMap()), -EPERM);
      assert.equal(bpffs.mkdir(`${path}/new`), -EPERM);
    }
    assert.equal(bpffs.pin("/tmp/pin", stubMap()), -EPERM);
    assert.equal(bpffs.get("/tmp/pin"), -ENOENT);
    assert.equal(bpffs.pin("/no/such/pin", stubMap()), -ENOENT);
  });

  test("cannot itself be removed", () => {
    const bpffs = bpffsInMemory();
    assert.equal(bpffs.rmdir("/sys/fs/bpf"), -EPERM);
    assert.equal(bpffs.rmdir("/sys/fs"), -EPERM);
    assert.equal(bpffs.unlink("/sys/fs/bpf"), -EPERM);
    assert.deepEqual(bpffs.readdir("/sys/fs/bpf"), []);
  });

  test("gives back the map that is pinned, and keeps it until it is unlinked", () => {
    const bpffs = bpffsInMemory();
    const map = stubMap();
    assert.equal(bpffs.pin("/sys/fs/bpf/pin", map), 0);
    assert.equal(bpffs.get("/sys/fs/bpf/pin"), map);
    assert.equal(bpffs.pin("/sys/fs/bpf/pin", stubMap()), -EEXIST);
    assert.equal(map.references, 1);
    assert.equal(bpffs.unlink("/sys/fs/bpf/pin"), 0);
    assert.equal(map.references, 0);
    assert.equal(bpffs.get("/sys/fs/bpf/pin"), -ENOENT);
    assert.equal(bpffs.unlink("/sys/fs/bpf/pin"), -ENOENT);
  });

  test("takes a path without a slash from the root, which is the current directory", () => {
    const bpffs = bpffsInMemory();
    const map = stubMap();
    assert.equal(bpffs.pin("sys/fs/bpf/pin", map), 0);
    assert.equal(bpffs.get("./sys/../sys/fs//bpf/./pin"), map);
    assert.equal(bpffs.get("pin"), -ENOENT);
  });

  test("lists names sorted", () => {
    const bpffs = bpffsInMemory();
    for (const name of ["b", "a", "_", "B"]) assert.equal(bpffs.pin(`/sys/fs/bpf/${name}`, stubMap()), 0);
    assert.equal(bpffs.mkdir("/sys/fs/bpf/c"), 0);
    assert.deepEqual(bpffs.readdir("/sys/fs/bpf"), ["B", "_", "a", "b", "c"]);
  });

  test("removes directories that are empty, by their names", () => {
    const bpffs = bpffsInMemory();
    assert.equal(bpffs.mkdir("/sys/fs/bpf/a"), 0);
    assert.equal(bpffs.mkdir("/sys/fs/bpf/a/b"), 0);
    assert.equal(bpffs.rmdir("/sys/fs/bpf/a"), -ENOTEMPTY);
    assert.equal(bpffs.rmdir("/sys/fs/bpf/a/b/."), -EINVAL);
    assert.equal(bpffs.rmdir("/sys/fs/bpf/a/b/.."), -ENOTEMPTY);
    assert.equal(bpffs.rmdir("/sys/fs/bpf/a/b/"), 0);
    assert.equal(bpffs.rmdir("/sys/fs/bpf/a"), 0);
  });

  test("tells directories from pins", () => {
    const bpffs = bpffsInMemory();
    assert.equal(bpffs.mkdir("/sys/fs/bpf/directory"), 0);
    assert.equal(bpffs.pin("/sys/fs/bpf/pin", stubMap()), 0);
    assert.equal(bpffs.get("/sys/fs/bpf/directory"), -EACCES);
    assert.equal(bpffs.unlink("/sys/fs/bpf/directory"), -EISDIR);
    assert.equal(bpffs.rmdir("/sys/fs/bpf/pin"), -ENOTDIR);
    assert.equal(bpffs.readdir("/sys/fs/bpf/pin"), -ENOTDIR);
    assert.equal(bpffs.get("/sys/fs/bpf/pin/"), -ENOTDIR);
    assert.equal(bpffs.get("/sys/fs/bpf/pin/pin"), -ENOTDIR);
  });

  test("knows no names that objects inherit", () => {
    const bpffs = bpffsInMemory();
    for (const name of ["constructor", "__proto__", "toString"]) {
      assert.equal(bpffs.get(`/sys/fs/bpf/${name}`), -ENOENT);
      assert.equal(bpffs.pin(`/sys/fs/bpf/${name}`, stubMap()), 0);
    }
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EBADF, EINVAL } from "../../abi/errno.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "../../abi/flags.ts";
import { FileTable, MapFile } from "./file-table.ts";
import type { EmbeddedMap } from "./map-ops.ts";

/** The table never looks into a map. */
function openFile(flags = 0): MapFile {
  return new MapFile({} as EmbeddedMap, flags);
}

describe("a file table", () => {
  test("gives out the fds from 3 on", () => {
    const files = new FileTable();
    assert.deepEqual(
      Array.from({ length: 4 }, () => files.open(openFile())),
      [3, 4, 5, 6],
    );
  });

  test("gives out the lowest fd that is free", () => {
    const files = new FileTable();
    for (let i = 0; i < 8; i++) files.open(openFile());
    for (const fd of [5, 9, 3]) files.close(fd);
    assert.deepEqual(
      Array.from({ length: 5 }, () => files.open(openFile())),
      [3, 5, 9, 11, 12],
    );
  });

  test("finds an open file and no other", () => {
    const files = new FileTable();
    const file = openFile();
    const fd = files.open(file);
    assert.equal(files.map(fd), file);
    for (const other of [-1, 0, 1, 2, fd + 1, 2 ** 31 - 1, -(2 ** 31)]) assert.equal(files.map(other), undefined);
    assert.equal(files.close(fd), file);
    assert.equal(files.map(fd), undefined);
    assert.equal(files.close(fd), undefined);
  });

  test("lists the fds that are open", () => {
    const files = new FileTable();
    for (let i = 0; i < 4; i++) files.open(openFile());
    files.close(4);
    assert.deepEqual(files.fds(), [3, 5, 6]);
  });

  test("knows the standard streams as open, but as no maps", () => {
    const files = new FileTable();
    for (const fd of [0, 1, 2]) {
      assert.ok(files.isOpen(fd));
      assert.equal(files.map(fd), undefined);
      assert.equal(files.close(fd), undefined);
      assert.equal(files.refusal(fd), -EINVAL);
    }
    assert.ok(!files.isOpen(3));
    assert.ok(!files.isOpen(-1));
    assert.equal(files.refusal(3), -EBADF);
    assert.equal(files.refusal(-1), -EBADF);
    assert.ok(files.isOpen(files.open(openFile())));
  });
});

test("a file may be read and written unless its flags say less", () => {
  const access = (flags: number) => [openFile(flags).canRead, openFile(flags).canWrite];
  assert.deepEqual(access(0), [true, true]);
  assert.deepEqual(access(BPF_F_RDONLY), [true, false]);
  assert.deepEqual(access(BPF_F_WRONLY), [false, true]);
});

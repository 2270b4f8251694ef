import assert from "node:assert/strict";
import { mkdtempSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { onLinux } from "../../../test/kernels.ts";
import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from "../../abi/errno.ts";
import { Sys } from "../../sys/sys.ts";
import { LinuxKernel } from "./linux-kernel.ts";

const HASH = { type: "hash", keySize: 4, valueSize: 8, maxEntries: 8 } as const;

onLinux(({ bpffs }) => {
  /** Runs a test in a directory of its own on a BPF filesystem. */
  function onBpffs(name: string, run: (kernel: LinuxKernel, directory: string) => void): void {
    test(name, () => {
      const kernel = new LinuxKernel();
      const directory = join(bpffs, "directory");
      try {
        assert.equal(kernel.mkdir(directory), 0);
        run(kernel, directory);
        assert.equal(kernel.rmdir(directory), 0);
      } finally {
        kernel.release();
      }
    });
  }

  onBpffs("a map is pinned below a directory, seen in it, opened, and taken away", (kernel, directory) => {
    const sys = new Sys(kernel);
    const fd = sys.mapCreate(HASH);
    const [first, second] = [join(directory, "b"), join(directory, "a")];
    assert.equal(sys.objPin(fd, first), 0);
    assert.equal(sys.objPin(fd, first), -EEXIST);
    assert.equal(sys.objPin(fd, second), 0);
    assert.deepEqual(kernel.readdir(directory), ["a", "b"]);
    const opened = sys.objGet(first);
    assert.ok(opened > 0 && opened !== fd);
    assert.equal(kernel.close(opened), 0);
    assert.equal(kernel.rmdir(directory), -ENOTEMPTY);
    assert.equal(kernel.unlink(first), 0);
    assert.equal(kernel.unlink(first), -ENOENT);
    assert.equal(sys.objGet(first), -ENOENT);
    assert.equal(kernel.unlink(second), 0);
  });

  onBpffs("directories answer as those of any filesystem do", (kernel, directory) => {
    assert.equal(kernel.mkdir(directory), -EEXIST);
    assert.equal(kernel.unlink(directory), -EISDIR);
    assert.equal(kernel.rmdir(join(directory, "missing")), -ENOENT);
    assert.equal(kernel.mkdir(join(directory, "missing", "child")), -ENOENT);
    assert.equal(kernel.readdir(join(directory, "missing")), -ENOENT);
    assert.deepEqual(kernel.readdir(directory), []);
  });

  onBpffs("a pin is no directory", (kernel, directory) => {
    const sys = new Sys(kernel);
    const pin = join(directory, "pin");
    assert.equal(sys.objPin(sys.mapCreate(HASH), pin), 0);
    assert.equal(kernel.rmdir(pin), -ENOTDIR);
    assert.equal(kernel.readdir(pin), -ENOTDIR);
    assert.equal(kernel.unlink(pin), 0);
  });

  onBpffs("nothing outside a BPF filesystem is touched: EPERM", (kernel) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "mapiary-elsewhere-"));
    const file = join(elsewhere, "file");
    writeFileSync(file, "");
    try {
      assert.equal(kernel.unlink(file), -EPERM);
      assert.equal(kernel.rmdir(elsewhere), -EPERM);
      assert.equal(kernel.mkdir(join(elsewhere, "directory")), -EPERM);
      assert.equal(kernel.readdir(elsewhere), -EPERM);
    } finally {
      unlinkSync(file);
      rmdirSync(elsewhere);
    }
  });

  onBpffs("a path that no system call can be given is EINVAL", (kernel, directory) => {
    assert.equal(kernel.mkdir(`${directory}/a\0b`), -EINVAL);
  });
});

import assert from "node:assert/strict";
import fs, { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path, { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeDirectories } from "./make-directories.ts";

describe("a directory that is made", () => {
  const root = mkdtempSync(join(tmpdir(), "mapiary-directories-"));
  after(() => rmSync(root, { recursive: true }));
  const make = (directory: string): void => makeDirectories({ fs, path }, directory);

  test("has those above it, all for their owner alone", () => {
    make(join(root, "a/b/c/"));
    make(join(root, "a/b/c/d"));
    const isWindows = process.platform === "win32";
    for (const name of ["a", "a/b", "a/b/c", "a/b/c/d"]) {
      const { mode } = statSync(join(root, name));
      assert.ok(isWindows || (mode & 0o777) === 0o700, name);
    }
  });

  test("may be there already, also by another name", () => {
    symlinkSync(root, join(root, "link"), "dir");
    make(join(root, "link"));
    make(join(root, "link/e"));
    make(root);
    assert.ok(statSync(join(root, "e")).isDirectory());
  });

  test("cannot be made in place of a file, or below one", () => {
    writeFileSync(join(root, "file"), "");
    assert.throws(() => make(join(root, "file")), { code: "EEXIST" });
    assert.throws(() => make(join(root, "file/f/g")), /ENOTDIR|ENOENT|EEXIST/);
  });

  test("is ENOENT where the directory above it is there and makes none", () => {
    const tried: string[] = [];
    const mkdirSync = (directory: string): void => {
      tried.push(directory);
      const code = directory === root ? "EEXIST" : "ENOENT";
      throw Object.assign(new Error(directory), { code });
    };
    const [first, second] = [join(root, "f"), join(root, "f/g")];
    assert.throws(() => makeDirectories({ fs: { ...fs, mkdirSync }, path }, second), {
      code: "ENOENT",
      message: first,
    });
    assert.deepEqual(tried, [second, first, root, first], "and it is not tried for ever");
  });
});

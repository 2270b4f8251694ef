/** The examples print what they are meant to, on every kernel. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { newDirectory, onLinux } from "../test/kernels.ts";

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  update: [
    "set 5: 100",
    "set 5, which exists: 200",
    'set 4 "exist": ENOENT',
    'set 5 "noexist": EEXIST',
    "set 4294967296: RangeError: u32: 4294967296 is out of range, 0 to 4294967295",
  ],
  lookup: ["10 is 100", "11 is not there"],
  delete: ["delete 20: true", "20 is there: false", "delete 20 again: false", "there is room for 30: 350"],
  "lookup-and-delete": ["take 10: 100", "10 is there: false", "take 10 again: undefined"],
  "next-key": ["walked through 3 keys: 10, 20, 30", "left: 10"],
  "lookup-batch": [
    ...[10, 20, 30, 40, 50, 60, 70, 80, 90].map((key) => `${key} is ${key * 10}`),
    "9 of 9 entries",
    "9 entries in batches of at most 4",
  ],
  "update-batch": [
    "set 3 entries",
    "40 is 400",
    "50 is 500",
    "60 is 600",
    "set 2 more where there is room for 1: E2BIG after 1",
    "70 is 700, 80 is undefined",
  ],
  "delete-batch": [
    "deleted 3 of 4 keys",
    "40 is gone",
    "50 is gone",
    "60 is gone",
    "70 is there",
    "drained 70, which was 700",
    "0 left",
  ],
  freeze: ["frozen; 10 is 100", "set: EPERM", "delete: EPERM", "freeze again: EPERM"],
  pin: ["pinned hits: 3 entries"],
  get: ["opened hits: 3 entries, 50 is 500", "unpinned; 60 is still 600"],
};

/** What an example prints, line by line. */
async function linesOf(name: string, ...args: string[]): Promise<string[]> {
  const file = join(import.meta.dirname, `${name}.ts`);
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", file, ...args]);
  return stdout.trimEnd().split("\n");
}

test("every example is tested", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  assert.deepEqual(files.sort(), [...Object.keys(EXPECTED), "kernel"].map((name) => `${name}.ts`).sort());
});

describe("the examples on the embedded kernel", { concurrency: 2 }, () => {
  for (const [name, lines] of Object.entries(EXPECTED)) {
    test(name, async () => {
      const directory = newDirectory();
      // What one process pinned, another one gets.
      if (name === "get") await linesOf("pin", "--bpffs", directory);
      assert.deepEqual(await linesOf(name, "--bpffs", directory), lines);
    });
  }
});

onLinux(({ bpffs }) => {
  describe("the examples on the Linux kernel", { concurrency: 2 }, () => {
    for (const [name, lines] of Object.entries(EXPECTED)) {
      test(name, async () => {
        const path = `${bpffs}/${name}`;
        // What one process pinned, another one gets.
        if (name === "get") await linesOf("pin", "--linux", path);
        assert.deepEqual(await linesOf(name, "--linux", path), lines);
      });
    }
  });
});

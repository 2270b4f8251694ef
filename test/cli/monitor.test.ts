/** Maps that are looked at again and again: watch and top. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Answer, commandLine } from "./command-line.ts";

const run = commandLine();

async function ok(line: string | readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run(line);
  assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
}

/** A map of some entries; answers what runs a command while `change` happens in each second. */
async function watched(
  name: string,
  change: () => Promise<void>,
): Promise<(words: readonly string[], options?: { isTTY?: boolean; env?: Record<string, string> }) => Promise<Answer>> {
  await ok(`map create ${name} type hash key 4 value 8 entries 10 flags 0x40 name ${name}`);
  for (const key of [1, 2, 3]) await ok(`map update pinned ${name} key ${key} value 100`);
  return (words, options = {}) => run(words, { ...options, meanwhile: change });
}

const set = (map: string, key: number, value: number) => ok(`map update pinned ${map} key ${key} value ${value}`);

describe("watch", () => {
  test("shows what changed, what is new, what is gone, and how fast numbers grow", async () => {
    const look = await watched("w1", async () => {
      await set("w1", 2, 350);
      await set("w1", 4, 1);
      await ok("map delete pinned w1 key 3");
    });
    const words = "--key=u32 --value=u64 --count=2 --interval=2 map watch pinned w1".split(" ");
    const { exitCode, stdout } = await look(words);
    assert.equal(exitCode, 0);
    const [first = "", second = ""] = stdout.split("\n\n");
    assert.deepEqual(first.split("\n").slice(1).sort(), ["  1  100", "  2  100", "  3  100"]);
    assert.equal(first.split("\n")[0], "map w1 of the embedded kernel: 3 entries");
    assert.equal(second.split("\n")[0], "map w1 of the embedded kernel: 3 entries, 1 new, 1 gone");
    assert.deepEqual(second.trimEnd().split("\n").slice(1).sort(), ["  1  100", "* 2  350  +125/s", "* 4  1"]);
  });

  test("takes values of 8 bytes for numbers without being told", async () => {
    const look = await watched("w2", () => set("w2", 1, 90));
    const { stdout } = await look("--count=2 map watch pinned w2".split(" "));
    assert.match(stdout, /^\* 01 00 00 00 {2}5a 00 00 00 00 00 00 00 {2}-10\/s$/m);
  });

  test("is a line of JSON a look with -j", async () => {
    const look = await watched("w3", () => set("w3", 1, 101));
    const { stdout } = await look("-j --key=u32 --value=u64 --count=2 map watch pinned w3".split(" "));
    const [, second] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(second.elapsed, 1);
    const changed = second.entries.filter((entry: { changed: boolean }) => entry.changed);
    assert.deepEqual(changed, [{ key: 1, value: 101, changed: true, rates: { value: 1 } }]);
  });

  test("draws over itself on a terminal, in colours that NO_COLOR takes away", async () => {
    const look = await watched("w4", () => set("w4", 1, 101));
    const words = "--count=2 map watch pinned w4".split(" ");
    const { stdout } = await look(words, { isTTY: true });
    assert.ok(stdout.startsWith("\x1b[2J\x1b[H"));
    assert.ok(stdout.includes("\x1b[33m"));
    const { stdout: plain } = await look(words, { isTTY: true, env: { NO_COLOR: "1" } });
    assert.ok(!plain.includes("\x1b[33m"));
  });

  test("refuses a map without keys, and an interval that is none", async () => {
    await ok("map create w5 type queue key 0 value 8 entries 10 name w5");
    assert.match((await run("map watch pinned w5")).stderr, /a map of type queue cannot be watched/);
    await ok("map create w6 type array key 4 value 8 entries 1 name w6");
    assert.match((await run("--interval=no map watch pinned w6")).stderr, /can't parse no as --interval/);
  });
});

describe("top", () => {
  test("shows the entries that grow fastest, the fastest first", async () => {
    let second = 0;
    const look = await watched("t1", async () => {
      second++;
      await set("t1", 1, 100 + second);
      await set("t1", 2, 100 + second * 1000);
      await set("t1", 3, 100 - second);
    });
    const { stdout } = await look("--key=u32 --value=u64 --count=3 map top pinned t1".split(" "));
    const last = stdout.trimEnd().split("\n\n").at(-1) ?? "";
    assert.deepEqual(last.split("\n"), [
      "map t1 of the embedded kernel: 2 of 3 entries grow",
      "      +1,000/s  2  2100",
      "          +1/s  1  102",
    ]);
  });

  test("goes by a field, which must be there", async () => {
    const look = await watched("t2", () => ok("map update pinned t2 key 1 value 1 0 0 0 5 0 0 0"));
    const words = ["--key=u32", "--value", "struct{packets:u32,errors:u32}", "--count=2", "map", "top", "pinned", "t2"];
    assert.match((await look([...words, "by", "errors"])).stdout, /^ +\+5\/s {2}1 {2}\{"packets":1,"errors":5\}$/m);
    assert.match(
      (await look([...words, "by", "error"])).stderr,
      /there is no number 'error'.*\n.*Did you mean 'errors'/,
    );
    const plain = await look(["--count=1", "map", "top", "pinned", "t2", "by", "errors"]);
    assert.match(plain.stderr, /there is no number 'errors'.*\n *A value is one number: leave out by\./);
  });
});

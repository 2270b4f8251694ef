/** Entries on their way: export, import, copy and diff, on every kernel. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { onEveryKernel } from "../kernels.ts";
import { type Answer, commandLine } from "./command-line.ts";

onEveryKernel(({ name, bpffs }) => {
  const run = commandLine();
  const directory = mkdtempSync(join(tmpdir(), "mapiary-transfer-"));
  after(() => rmSync(directory, { recursive: true }));
  let maps = 0;

  /** Runs a command that must succeed; answers what it printed. */
  async function ok(line: string | readonly string[], options?: Parameters<typeof run>[1]): Promise<string> {
    const answer = await on(line, options);
    assert.deepEqual({ exitCode: answer.exitCode, stderr: answer.stderr }, { exitCode: 0, stderr: "" }, String(line));
    return answer.stdout;
  }

  async function on(line: string | readonly string[], options?: Parameters<typeof run>[1]): Promise<Answer> {
    const words = typeof line === "string" ? line.split(" ") : line;
    return await run(["--kernel", name, ...words], options);
  }

  /** Makes a map and answers its path. */
  async function create(type: string, key: number, value: number, entries = 100, flags = 0): Promise<string> {
    const path = `${bpffs}/transfer${maps++}`;
    const sizes = `type ${type} key ${key} value ${value} entries ${entries} flags ${flags}`;
    await ok(`map create ${path} ${sizes} name transfer`);
    return path;
  }

  function file(text = ""): string {
    const path = join(directory, `file${readdirSync(directory).length}`);
    writeFileSync(path, text);
    return path;
  }

  describe("export and import", () => {
    const TYPES = ["--key", "ipv4", "--value", "struct{hits:u64,name:cstring(8),pair:u16[2]}"];
    const LINES = [
      '{"key":"10.0.0.1","value":{"hits":1,"name":"a,\\"b","pair":[1,2]}}',
      '{"key":"10.0.0.2","value":{"hits":18446744073709551615,"name":"\\n","pair":[3,4]}}',
      '{"key":"10.0.0.3","value":{"hits":9007199254740993,"name":"\\"","pair":[0,65535]}}',
    ];
    const CSV = [
      "key,value.hits,value.name,value.pair",
      '10.0.0.1,1,"a,""b","[1,2]"',
      '10.0.0.2,18446744073709551615,"""\\n""","[3,4]"',
      '10.0.0.3,9007199254740993,"""\\""""","[0,65535]"',
    ];
    const sorted = (text: string): string[] => text.trimEnd().split("\n").sort();

    test("bring back what was written, as JSON lines, to the last digit", async () => {
      const path = await create("hash", 4, 24);
      await ok([...TYPES, "map", "import", "pinned", path, "file", file(LINES.join("\n"))]);
      assert.deepEqual(sorted(await ok([...TYPES, "map", "export", "pinned", path])), LINES);
    });

    test("bring back what was written, as CSV", async () => {
      const path = await create("hash", 4, 24);
      const csv = `${file()}.csv`;
      await ok([...TYPES, "map", "import", "pinned", path, "file", file(LINES.join("\n"))]);
      await ok([...TYPES, "map", "export", "pinned", path, "file", csv]);
      const [header, ...lines] = readFileSync(csv, "utf8").trimEnd().split("\n");
      assert.deepEqual([header, ...lines.sort()], CSV);
      const again = await create("hash", 4, 24);
      await ok([...TYPES, "map", "import", "pinned", again, "file", csv]);
      assert.deepEqual(sorted(await ok([...TYPES, "map", "export", "pinned", again])), LINES);
    });

    test("read a CSV file by the names of its columns, in any order", async () => {
      const path = await create("hash", 4, 8);
      const csv = "value,key\r\n7,1\r\n";
      await ok(["--key=u32", "--value=u64", "--format=csv", "map", "import", "pinned", path, "file", file(csv)]);
      assert.equal(await ok(["--key=u32", "--value=u64", "map", "export", "pinned", path]), '{"key":1,"value":7}\n');
    });

    test("are bytes in hexadecimal without layouts", async () => {
      const path = await create("hash", 2, 3);
      await ok(["map", "import", "pinned", path, "file", file('{"key":"0x0102","value":[1,"0xff",3]}\n')]);
      assert.equal(await ok(`map export pinned ${path}`), '{"key":"0x0102","value":"0x01ff03"}\n');
    });

    test("have a value for each CPU in a per-CPU map, and one for all when it is given so", async () => {
      const path = await create("percpu_hash", 4, 4);
      const lines = ['{"key":1,"values":[1,2]}', '{"key":2,"value":5}'].join("\n");
      await ok(["--key=u32", "--value=u32", "map", "import", "pinned", path, "file", file(lines)]);
      const exported = sorted(await ok(["--key=u32", "--value=u32", "map", "export", "pinned", path]));
      assert.deepEqual(exported, ['{"key":1,"values":[1,2]}', '{"key":2,"values":[5,5]}']);
    });

    test("work for arrays and LPM tries", async () => {
      const array = await create("array", 4, 2, 3);
      await ok(["--value=u16", "map", "import", "pinned", array, "file", file('{"key":"0x01000000","value":7}\n')]);
      const values = sorted(await ok(["--key=u32", "--value=u16", "map", "export", "pinned", array]));
      assert.deepEqual(values, ['{"key":0,"value":0}', '{"key":1,"value":7}', '{"key":2,"value":0}']);
      const trie = await create("lpm_trie", 8, 1, 3, 1);
      const line = '{"key":"10.0.0.0/8","value":7}\n';
      await ok(["--key=cidr", "--value=u8", "map", "import", "pinned", trie, "file", file(line)]);
      assert.equal(await ok(["--key=cidr", "--value=u8", "map", "export", "pinned", trie]), line);
    });

    test("push into a queue what has a value and no key", async () => {
      const path = await create("queue", 0, 4);
      await ok(["--value=u32", "map", "import", "pinned", path, "file", file('{"value":1}\n{"value":2}\n')]);
      assert.match(await ok(["--value=u32", "map", "pop", "pinned", path]), /"value": 1/);
    });

    test("heed noexist", async () => {
      const path = await create("hash", 4, 4);
      const lines = file('{"key":1,"value":1}\n{"key":1,"value":2}\n');
      const answer = await on(["--key=u32", "--value=u32", "map", "import", "pinned", path, "file", lines, "noexist"]);
      assert.equal(answer.exitCode, 239);
      assert.match(answer.stderr, /:2: update failed: File exists\n.* 1 entries were imported before it\.$/m);
    });

    test("say which line is none, and why, when those before it are done", async () => {
      const path = await create("hash", 4, 4);
      const good = '{"key":1,"value":1}\n';
      for (const [line, why] of [
        ['{"key":1}', /:2: the entry has no value/],
        ['{"key":1,"value":4294967296}', /:2: u32: 4294967296 is out of range/],
        ['{"key":1,', /:2: /],
        ["[1]", /:2: it is no JSON object/],
      ] as const) {
        const lines = file(`${good}${line}\n`);
        const answer = await on(["--key=u32", "--value=u32", "map", "import", "pinned", path, "file", lines]);
        assert.equal(answer.exitCode, 255, line);
        assert.match(answer.stderr, why);
        assert.match(answer.stderr, /1 entries were imported before it/);
      }
    });

    test("refuse maps whose values no file can hold, and a map that is full", async () => {
      const inner = await create("array", 4, 4, 1);
      const outer = `${bpffs}/transfer${maps++}`;
      await ok(`map create ${outer} type hash_of_maps key 4 value 4 entries 1 name outer inner_map pinned ${inner}`);
      assert.equal((await on(`map export pinned ${outer}`)).exitCode, 255);
      const small = await create("hash", 4, 4, 1);
      const lines = file('{"key":1,"value":1}\n{"key":2,"value":1}\n');
      const answer = await on(["--key=u32", "--value=u32", "map", "import", "pinned", small, "file", lines]);
      assert.match(answer.stderr, /:2: update failed: Argument list too long\n.*full/);
    });
  });

  describe("copy and diff", () => {
    test("make a map like another one, and find nothing between them", async () => {
      const path = await create("hash", 4, 4);
      const lines = file('{"key":1,"value":1}\n{"key":2,"value":2}\n');
      await ok(["--key=u32", "--value=u32", "map", "import", "pinned", path, "file", lines]);
      const copy = `${bpffs}/transfer${maps++}`;
      assert.match(await ok(`map copy pinned ${path} to pinned ${copy}`), /^copied 2 entries/);
      assert.equal(await ok(`map diff pinned ${path} and pinned ${copy}`), "The maps are equal.\n");

      await ok(["map", "update", "pinned", copy, "key", "2", "value", "3"]);
      await ok(["map", "update", "pinned", copy, "key", "9", "value", "9"]);
      await ok(["map", "delete", "pinned", copy, "key", "1"]);
      const { exitCode, stdout } = await on([
        "-j",
        "--key=u32",
        "--value=u32",
        "map",
        "diff",
        "pinned",
        path,
        "pinned",
        copy,
      ]);
      const found = JSON.parse(stdout) as { key: number }[];
      assert.equal(exitCode, 1);
      assert.deepEqual(
        found.sort((a, b) => a.key - b.key),
        [
          { key: 1, left: 1, right: null },
          { key: 2, left: 2, right: 3 },
          { key: 9, left: null, right: 9 },
        ],
      );
    });

    test("go from one kernel to the other", async () => {
      const path = await create("hash", 4, 4);
      await ok(["map", "update", "pinned", path, "key", "1", "value", "5"]);
      const other = `/sys/fs/bpf/from-${name}`;
      await ok(`map copy pinned ${path} to embedded pinned ${other}`);
      assert.equal(await ok(`map diff pinned ${path} embedded pinned ${other}`), "The maps are equal.\n");
    });

    test("refuse maps that are not alike, the same map, and a queue", async () => {
      const path = await create("hash", 4, 4);
      const wide = await create("hash", 4, 8);
      const queue = await create("queue", 0, 4);
      for (const line of [
        `map copy pinned ${path} to pinned ${wide}`,
        `map copy pinned ${path} to pinned ${path}`,
        `map copy pinned ${queue} to pinned ${bpffs}/nowhere`,
        `map diff pinned ${path} pinned ${wide}`,
        `map diff pinned ${queue} pinned ${queue}`,
      ]) {
        const { exitCode, stderr } = await on(line);
        assert.equal(exitCode, 255, line);
        assert.match(stderr, /^Error: .*\n {7}\S/);
      }
      assert.equal((await on(`map show pinned ${bpffs}/nowhere`)).exitCode, 255, "nothing was made before the refusal");
    });
  });

  describe("with --resume", () => {
    const TYPES = ["--key=u32", "--value=u32"];
    const line = (key: number): string => `{"key":${key},"value":${key * 3}}\n`;
    const keys = (count: number): number[] => Array.from({ length: count }, (_, key) => key);

    test("an import goes on behind what was done when a line stopped it", async () => {
      const path = await create("hash", 4, 4, 50_000);
      const good = keys(40_000).map(line).join("");
      const lines = file(`${good}{"key":"bad"}\n`);
      const first = await on([...TYPES, "map", "import", "pinned", path, "file", lines]);
      assert.match(first.stderr, /:40001: /);
      // What was done long ago is not done again: a value that is somebody else's by now stays.
      await ok(["map", "update", "pinned", path, "key", "1", "value", "77"]);
      writeFileSync(lines, `${good}${line(40_000)}`);
      const second = await on([...TYPES, "map", "import", "pinned", path, "file", lines, "--resume"]);
      assert.match(second.stderr, /^\d+ entries are there already\.\n$/);
      assert.match(second.stdout, /^imported 40001 entries/);
      assert.match(await ok([...TYPES, "map", "lookup", "pinned", path, "key", "1"]), /"value": 77/);
      assert.match(await ok([...TYPES, "map", "lookup", "pinned", path, "key", "40000"]), /"value": 120000/);
    });

    test("an import begins anew when nothing is to be resumed", async () => {
      const path = await create("hash", 4, 4);
      const answer = await on([...TYPES, "map", "import", "pinned", path, "file", file(line(1)), "--resume"]);
      assert.match(answer.stderr, /^Nothing is to be resumed/);
      assert.match(answer.stdout, /^imported 1 entries/);
    });

    test("an import refuses a file that is another one by now", async () => {
      const path = await create("hash", 4, 4, 50_000);
      const good = keys(40_000).map(line).join("");
      const lines = file(`${good}nonsense\n`);
      await on([...TYPES, "map", "import", "pinned", path, "file", lines]);
      truncateSync(lines, 1000);
      const answer = await on([...TYPES, "map", "import", "pinned", path, "file", lines, "--resume"]);
      assert.match(answer.stderr, /is not what it was when the import was ended/);
    });

    /** A copy that was ended by a full target, in which there is room now. Answers the maps and what the last entry is. */
    async function endedCopy(): Promise<{ words: string[]; target: string; last: number }> {
      const source = await create("hash", 4, 4, 5000);
      const target = await create("hash", 4, 4, 5000);
      const foreign = Array.from({ length: 100 }, (_, index) => 1_000_000 + index);
      await ok([...TYPES, "map", "import", "pinned", source, "file", file(keys(5000).map(line).join(""))]);
      await ok([...TYPES, "map", "import", "pinned", target, "file", file(foreign.map(line).join(""))]);
      const words = ["map", "copy", "pinned", source, "to", "pinned", target, "noexist"];
      assert.match((await on(words)).stderr, /^Error: update failed: Argument list too long\n/);
      // The order of the source is that in which it was copied.
      const order = (await ok([...TYPES, "map", "export", "pinned", source])).trimEnd().split("\n");
      for (const key of foreign) await ok([...TYPES, "map", "delete", "pinned", target, "key", String(key)]);
      return { words: [...words, "--resume"], target, last: JSON.parse(order[4899] as string).key };
    }

    test("a copy takes for done what it had written already, though only new entries are asked for", async () => {
      const { words, target } = await endedCopy();
      const { exitCode, stdout, stderr } = await on(words);
      assert.equal(exitCode, 0, stderr);
      assert.match(stderr, /^\d+ entries are there already\.\n$/);
      assert.match(stdout, /^copied 5000 entries/);
      assert.equal(await ok([...TYPES, "--sort", "map", "export", "pinned", target]), keys(5000).map(line).join(""));
    });

    test("a copy does not take for done an entry that has another value by now", async () => {
      const { words, target, last } = await endedCopy();
      await ok([...TYPES, "map", "update", "pinned", target, "key", String(last), "value", "5"]);
      const { exitCode, stderr } = await on(words);
      assert.equal(exitCode, 239);
      assert.match(stderr, /Error: update failed: File exists\n/);
      assert.match(await ok([...TYPES, "map", "lookup", "pinned", target, "key", String(last)]), /"value": 5/);
    });

    test("an import into a queue is refused: nobody knows what it has taken", async () => {
      const path = await create("queue", 0, 4);
      const answer = await on([
        "--value=u32",
        "map",
        "import",
        "pinned",
        path,
        "file",
        file('{"value":1}\n'),
        "--resume",
      ]);
      assert.match(answer.stderr, /cannot be resumed/);
    });
  });

  test("a state directory that cannot be written to is said, before anything is written", async () => {
    const path = await create("hash", 4, 4);
    const lines = file('{"key":1,"value":1}\n');
    const env = { XDG_STATE_HOME: lines };
    const answer = await on(["--key=u32", "--value=u32", "map", "import", "pinned", path, "file", lines], { env });
    assert.equal(answer.exitCode, 255);
    assert.match(answer.stderr, /^Error: can't write .*: ENOTDIR.*\n.*XDG_STATE_HOME/);
    assert.match(await ok(`map dump pinned ${path}`), /Found 0 elements/);
  });

  test("nothing of a transfer that is done is left behind", async () => {
    const state = mkdtempSync(join(tmpdir(), "mapiary-state-"));
    const path = await create("hash", 4, 4);
    const lines = file('{"key":1,"value":1}\n');
    const env = { XDG_STATE_HOME: state };
    await ok(["--key=u32", "--value=u32", "map", "import", "pinned", path, "file", lines], { env });
    const journals = existsSync(join(state, "mapiary")) ? readdirSync(join(state, "mapiary")) : [];
    rmSync(state, { recursive: true });
    assert.deepEqual(journals, []);
  });
});

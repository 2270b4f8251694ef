/** `map export --sort`: the order of keys, and that it fits into memory however large the map is. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { MapHandle } from "../../src/cli/map-reference.ts";
import { readAll } from "../../src/cli/transfer/map-reader.ts";
import { SortedReader } from "../../src/cli/transfer/sorted-reader.ts";
import { parseLayout } from "../../src/cli/values/layout-syntax.ts";
import { LayoutTyping } from "../../src/cli/values/typing.ts";
import { onEveryKernel } from "../kernels.ts";
import { fc } from "../seeded.ts";
import { commandLine, embeddedKernel } from "./command-line.ts";

/** With `--runs`, as many entries as a map has that needs many runs. */
const ENTRIES = Number(process.env["MAPIARY_RUNS"] ?? 20_000);

onEveryKernel(({ name, bpffs }) => {
  const run = commandLine();
  const directory = mkdtempSync(join(tmpdir(), "mapiary-sorted-"));
  after(() => rmSync(directory, { recursive: true }));
  let maps = 0;

  async function ok(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await run(["--kernel", name, ...words]);
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" }, words.join(" "));
    return stdout;
  }

  async function mapOf(sizes: string, types: readonly string[], lines: readonly string[]): Promise<string> {
    const path = `${bpffs}/sorted${maps++}`;
    const file = join(directory, "entries");
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    await ok("map", "create", path, ...sizes.split(" "), "name", "sorted");
    await ok(...types, "map", "import", "pinned", path, "file", file);
    return path;
  }

  /** The keys of an export, of a map that was filled with them in the order given. */
  async function sortedKeys(key: string, size: number, keys: readonly unknown[]): Promise<unknown[]> {
    const types = [`--key=${key}`, "--value=u8"];
    const lines = keys.map((each) => JSON.stringify({ key: each, value: 1 }));
    const path = await mapOf(`type hash key ${size} value 1 entries 100`, types, lines);
    const text = await ok(...types, "--sort", "map", "export", "pinned", path);
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).key);
  }

  describe("a sorted export", () => {
    test("goes by number where keys are numbers, and by the bytes of the key elsewhere", async () => {
      assert.deepEqual(await sortedKeys("u32", 4, [256, 1, 65536, 2]), [1, 2, 256, 65536]);
      assert.deepEqual(await sortedKeys("i16", 2, [1, -1, 256, -256]), [-256, -1, 1, 256]);
      assert.deepEqual(await sortedKeys("u64", 8, [2 ** 40, 5, 2 ** 52]), [5, 2 ** 40, 2 ** 52]);
      assert.deepEqual(await sortedKeys("f64", 8, [0.5, "Infinity", -3, 2.25]), [-3, 0.5, 2.25, "Infinity"]);
      const addresses = ["10.0.0.10", "9.255.0.1", "10.0.0.9"];
      assert.deepEqual(await sortedKeys("ipv4", 4, addresses), ["9.255.0.1", "10.0.0.9", "10.0.0.10"]);
      assert.deepEqual(await sortedKeys("cstring", 8, ["b", "ab", "a"]), ["a", "ab", "b"]);
      assert.deepEqual(await sortedKeys("bytes", 2, ["0x0100", "0x00ff", "0x0001"]), ["0x0001", "0x00ff", "0x0100"]);
    });

    test("is byte by byte the sorted file that was imported", async (t) => {
      const lines = Array.from({ length: ENTRIES }, (_, key) => `{"key":${key * 3},"value":${2 ** 53 - 1 - key}}`);
      const types = ["--key=u32", "--value=u64"];
      const path = await mapOf(`type hash key 4 value 8 entries ${ENTRIES}`, types, lines);
      const output = join(directory, "output");
      const printed = await ok(...types, "--sort", "map", "export", "pinned", path, "file", output);
      assert.match(printed, new RegExp(`^exported ${ENTRIES} entries`));
      assert.ok(readFileSync(join(directory, "entries")).equals(readFileSync(output)));
      t.diagnostic(`${ENTRIES} entries`);
    });

    test("of an empty map is empty", async () => {
      const path = await mapOf("type hash key 4 value 4 entries 1", [], []);
      assert.equal(await ok("--sort", "map", "export", "pinned", path), "");
    });

    test("cannot be resumed, and needs keys", async () => {
      const path = await mapOf("type hash key 4 value 4 entries 1", [], []);
      const resumed = await run(["--kernel", name, "--sort", "--resume", "map", "export", "pinned", path]);
      assert.match(resumed.stderr, /^Error: a sorted export cannot be resumed\n/);
      const queue = await mapOf("type queue key 0 value 4 entries 1", [], []);
      const { exitCode, stderr } = await run(["--kernel", name, "--sort", "map", "export", "pinned", queue]);
      assert.equal(exitCode, 255);
      assert.match(stderr, /^Error: a map of type queue cannot be sorted\n/);
    });
  });
});

describe("what is sorted beyond memory", () => {
  const cli = embeddedKernel();
  const KEY = new LayoutTyping(parseLayout("i32", 4));
  const LIMITS = { bytes: 1 << 20, entries: 50 };

  /** A hash with some keys, at the beginning of whose values the keys stand too. */
  function mapWith(keys: readonly number[], valueSize = 4): MapHandle {
    const fd = cli.sys.mapCreate({ type: "hash", keySize: 4, valueSize, maxEntries: 5000 });
    const value = Buffer.alloc(valueSize);
    for (const key of keys) {
      value.writeInt32LE(key);
      assert.equal(cli.sys.mapUpdateElem(fd, value.subarray(0, 4), value, 0), 0);
    }
    const info = cli.sys.objGetInfoByFd(fd);
    assert.ok(typeof info !== "number");
    return new MapHandle(cli, fd, info);
  }

  function numbersOf(bytes: Uint8Array): number[] {
    return [...new Int32Array(Uint8Array.from(bytes).buffer)];
  }

  test("is what a sort in memory gives, in as many runs as it takes", () => {
    const keys = fc.uniqueArray(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 4000, size: "max" });
    fc.assert(
      fc.property(keys, (given) => {
        using map = mapWith(given);
        using reader = new SortedReader(map, KEY, LIMITS);
        reader.readMap(() => {});
        const found: number[] = [];
        for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
          const batch = numbersOf(raw.keys);
          assert.deepEqual(numbersOf(raw.values), batch, "each value stays with its key");
          found.push(...batch);
        }
        assert.deepEqual(
          found,
          [...given].sort((a, b) => a - b),
        );
      }),
      { numRuns: 20 },
    );
  });

  test("takes no more memory when there is more of it", () => {
    const VALUE_BYTES = 1000;
    /** The most bytes that lay in buffers beside those that were there before. */
    function mostHeld(count: number): number {
      using map = mapWith([...Array(count).keys()], VALUE_BYTES);
      const before = process.memoryUsage().arrayBuffers;
      let most = 0;
      const look = (): void => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      };
      using reader = new SortedReader(map, KEY, LIMITS);
      reader.readMap(look);
      let found = 0;
      for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
        assert.equal(numbersOf(raw.keys)[0], found, "in their order");
        found += raw.count;
        look();
      }
      assert.equal(found, count);
      return most;
    }
    const few = mostHeld(250);
    const many = mostHeld(4000);
    assert.ok(few > LIMITS.entries * VALUE_BYTES, "what is held would be seen");
    assert.ok(many - few < 100 * VALUE_BYTES, `${few} bytes for 250 entries, ${many} for 4000`);
  });

  test("leaves no file behind, whatever ends it, for its file never has a name", () => {
    const own = mkdtempSync(join(tmpdir(), "mapiary-spill-"));
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = own;
    try {
      using map = mapWith(Array.from({ length: 1000 }, (_, key) => key));
      assert.ok([...readAll(map)].length > 1, "there is more than one batch to read");
      using reader = new SortedReader(map, KEY, LIMITS);
      let batches = 0;
      assert.throws(() => {
        reader.readMap(() => {
          assert.deepEqual(readdirSync(own), []);
          if (batches++ > 0) throw new Error("ended");
        });
      }, /ended/);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      rmSync(own, { recursive: true });
    }
  });

  test("says where there is no room for it", () => {
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = "/nonexistent";
    try {
      using map = mapWith(Array.from({ length: 1000 }, (_, key) => key));
      using reader = new SortedReader(map, KEY, LIMITS);
      assert.throws(() => reader.readMap(() => {}), /can't write to \/nonexistent: ENOENT/);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });
});

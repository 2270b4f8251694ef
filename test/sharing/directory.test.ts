import assert from "node:assert/strict";
import { chmodSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Bpf, embedded, u32, u64 } from "mapiary";
import { newDirectory } from "../kernels.ts";
import { type Companion, startCompanion } from "./processes.ts";

const COMPANION = join(import.meta.dirname, "companion-process.ts");
const SPEC = { type: "hash", key: u32, value: u64, maxEntries: 64 } as const;

function filesIn(directory: string): string[] {
  return readdirSync(join(directory, ".mapiary/maps")).sort();
}

describe("two programs that open one directory", () => {
  const directory = newDirectory();
  let bpf: Bpf;
  let other: Companion;

  before(() => {
    bpf = embedded({ bpffs: directory });
    other = startCompanion(COMPANION, directory);
  });

  after(async () => {
    bpf.close();
    await other.end();
  });

  test("see the same pins and write the same maps", async () => {
    using hits = bpf.createMap({ ...SPEC, name: "hits" });
    hits.set(5, 100n).pin("/sys/fs/bpf/hits");
    assert.deepEqual(await other.ask(["readdir", "/sys/fs/bpf"]), ["hits"]);
    assert.equal(await other.ask(["get", "/sys/fs/bpf/hits", 5]), 100n);
    await other.ask(["set", "/sys/fs/bpf/hits", 6, 7n]);
    assert.equal(hits.get(6), 7n);
    hits.unpin();
    assert.deepEqual(await other.ask(["readdir", "/sys/fs/bpf"]), []);
  });

  test("list each other's maps for as long as they live, with the same ids and infos", async () => {
    const own = bpf.createMap({ ...SPEC, name: "own" });
    const foreign = await other.ask<number>(["make", "foreign"]);
    assert.notEqual(own.id, foreign);
    assert.deepEqual(await other.ask(["maps"]), bpf.maps());
    assert.deepEqual(
      bpf.maps().map(({ id, name }) => [id, name]),
      [
        [own.id, "own"],
        [foreign, "foreign"],
      ].sort(),
    );
    own.close();
    assert.deepEqual(await other.ask(["maps"]), bpf.maps());
    assert.deepEqual(
      bpf.maps().map(({ name }) => name),
      ["foreign"],
    );
  });

  test("keep a map alive by a pin or by using it, and free it with the last of these", async () => {
    const map = bpf.createMap({ ...SPEC, name: "passed_on" });
    const { id } = map;
    map.set(1, 11n).pin("/sys/fs/bpf/passed_on");
    map.close();
    assert.equal(await other.ask(["keep", "/sys/fs/bpf/passed_on"]), id);
    bpf.bpffs.unlink("/sys/fs/bpf/passed_on");
    {
      using again = bpf.mapById(id, { key: u32, value: u64 });
      assert.equal(again.get(1), 11n);
    }
    assert(filesIn(directory).includes(String(id)));
    await other.ask(["drop", "/sys/fs/bpf/passed_on"]);
    assert(!filesIn(directory).includes(String(id)));
    assert.throws(() => bpf.mapById(id), { code: "ENOENT" });
  });

  test("see at once that a map was frozen", async () => {
    using map = bpf.createMap({ ...SPEC, name: "frozen" });
    map.pin("/sys/fs/bpf/frozen");
    map.set(1, 1n);
    await other.ask(["freeze", "/sys/fs/bpf/frozen"]);
    assert.throws(() => map.set(1, 2n), { code: "EPERM" });
    map.unpin();
  });

  test("never give an id twice", async () => {
    const ids = new Set<number>();
    for (let round = 0; round < 20; round++) {
      using map = bpf.createMap(SPEC);
      ids.add(map.id);
      ids.add(await other.ask<number>(["make", "one"]));
    }
    assert.equal(ids.size, 40);
  });

  test("agree on the possible CPUs, which the first one chooses", () => {
    const another = newDirectory();
    using first = embedded({ bpffs: another, possibleCpus: 3 });
    using second = embedded({ bpffs: another });
    assert.equal(second.possibleCpus, 3);
    assert.throws(() => embedded({ bpffs: another, possibleCpus: 2 }), /made for 3 possible CPUs, not for 2/);
    assert.equal(first.possibleCpus, 3);
  });
});

describe("a program that is killed", () => {
  test("leaves neither maps nor locks behind, but what is pinned", async () => {
    const directory = newDirectory();
    using bpf = embedded({ bpffs: directory });
    const other = startCompanion(COMPANION, directory);
    const id = await other.ask<number>(["make", "lost"]);
    {
      using pinned = bpf.mapById(id, { key: u32, value: u64 });
      pinned.set(1, 1n).pin("/sys/fs/bpf/kept");
    }
    await other.ask(["make", "gone"]);
    await other.kill();
    assert.deepEqual(
      bpf.maps().map(({ name }) => name),
      ["lost"],
    );
    using kept = bpf.openMap("/sys/fs/bpf/kept", { key: u32, value: u64 });
    assert.equal(kept.get(1), 1n);
    using later = embedded({ bpffs: directory });
    assert.deepEqual(filesIn(directory), [String(id)]);
    assert.equal(readdirSync(join(directory, ".mapiary/agents")).length, 2);
    later.close();
  });
});

describe("a directory of maps", () => {
  test("is for its owner alone", () => {
    const directory = newDirectory();
    using bpf = embedded({ bpffs: join(directory, "made") });
    using map = bpf.createMap(SPEC);
    map.pin("/sys/fs/bpf/mine");
    assert.equal(statSync(join(directory, "made")).mode & 0o777, 0o700);
    assert.equal(statSync(join(directory, "made/mine")).mode & 0o777, 0o600);
  });

  test("lets go of everything when its kernel is closed", () => {
    const directory = newDirectory();
    const bpf = embedded({ bpffs: directory });
    bpf.createMap(SPEC);
    bpf.createMap(SPEC).pin("/sys/fs/bpf/kept");
    bpf.close();
    assert.equal(filesIn(directory).length, 1);
    assert.deepEqual(readdirSync(join(directory, ".mapiary/agents")), []);
    assert.deepEqual(readdirSync(join(directory, ".mapiary/new")), []);
  });
});

/** Somebody else on the same machine: nobody. */
const STRANGER = "65534";
const isRoot = process.geteuid?.() === 0;

describe("another user", {
  skip: isRoot || process.env["CI"] === "true" ? false : "only root can become another user",
}, () => {
  /** A directory that everybody may search and write, with a map that only its owner may open. */
  function openDirectory(bpf: Bpf, directory: string): void {
    bpf
      .createMap({ ...SPEC, name: "hits" })
      .set(5, 100n)
      .pin("/sys/fs/bpf/hits");
    chmodSync(dirname(directory), 0o755);
    for (const folder of ["", ".mapiary", ".mapiary/agents", ".mapiary/maps", ".mapiary/new"]) {
      chmodSync(join(directory, folder), 0o777);
    }
    chmodSync(join(directory, ".mapiary/control"), 0o666);
  }

  test("cannot open the directory of maps of somebody", async () => {
    const directory = newDirectory();
    using bpf = embedded({ bpffs: directory });
    bpf.createMap(SPEC).pin("/sys/fs/bpf/mine");
    chmodSync(dirname(directory), 0o755);
    const stranger = startCompanion(COMPANION, directory, STRANGER);
    await assert.rejects(stranger.ask(["readdir", "/sys/fs/bpf"]), /cannot keep maps in .*EACCES/);
    await stranger.end();
  });

  test("in a directory for all opens what the rights of each file allow", async () => {
    const directory = newDirectory();
    using bpf = embedded({ bpffs: directory });
    openDirectory(bpf, directory);
    const stranger = startCompanion(COMPANION, directory, STRANGER);
    assert.deepEqual(await stranger.ask(["readdir", "/sys/fs/bpf"]), ["hits"]);
    await assert.rejects(stranger.ask(["get", "/sys/fs/bpf/hits", 5]), /EACCES/);
    chmodSync(join(directory, "hits"), 0o666);
    assert.equal(await stranger.ask(["get", "/sys/fs/bpf/hits", 5]), 100n);
    await stranger.ask(["set", "/sys/fs/bpf/hits", 6, 7n]);
    using hits = bpf.openMap("/sys/fs/bpf/hits", { key: u32, value: u64 });
    assert.equal(hits.get(6), 7n);
    await stranger.end();
  });
});

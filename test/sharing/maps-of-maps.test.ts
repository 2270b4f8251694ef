/** Maps of maps that several processes have: what they put there for each other, how long it lives, and who tidies up. */
import assert from "node:assert/strict";
import { closeSync, existsSync, linkSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Bpf, embedded, type MapCreateOptions, u32 } from "mapiary";
import { EINVAL, ENOENT } from "../../src/abi/errno.ts";
import { valueTypes } from "../differential/value-types.ts";
import { newDirectory } from "../kernels.ts";
import { type Bundle, bundle } from "./bundle.ts";
import { type Companion, startCompanion } from "./processes.ts";

const OUTER_TYPES = ["array_of_maps", "hash_of_maps"] as const;
type OuterType = (typeof OUTER_TYPES)[number];
const INNER: MapCreateOptions = { type: "hash", keySize: 4, valueSize: 4, maxEntries: 4 };
const PATH = "/sys/fs/bpf/outer";
const IS_LONG = process.env["MAPIARY_RUNS"] !== undefined;
const KILLS = Number(process.env["MAPIARY_RUNS"] ?? 1);
/** Milliseconds that a process lives that changes maps of maps. */
const LIFE = 40;
/** Where in its header a map of maps has the lock of who changes it. */
const LOCK = 64 + 52;

/**
 * What is done to a map of maps, by which request; more calls than give names to files and take them away for it, and the one
 * before which something is in no slot any more but held. With `--runs` all are tried, before and after they are made.
 */
const CHANGES: readonly (readonly [string, readonly [string, ...unknown[]], most: number, amid: number])[] = [
  ["while a map is put in the place of another", ["put", PATH, 1, 33], 6, 4],
  ["while a map is taken out", ["remove", PATH, 1], 3, 1],
  ["while it goes with its maps", ["close", PATH], 6, 2],
];

let program: Bundle;
before(async () => {
  program = await bundle("maps-of-maps-process.ts");
});
after(() => program.remove());

function made({ sys }: Bpf, options: MapCreateOptions = INNER): number {
  const fd = sys.mapCreate(options);
  assert.ok(fd >= 0, `${fd}`);
  return fd;
}

function outerOf(bpf: Bpf, type: OuterType, template: number): number {
  const fd = made(bpf, { type, keySize: 4, valueSize: 4, maxEntries: 4, innerMapFd: template });
  assert.equal(bpf.sys.objPin(fd, PATH), 0);
  return fd;
}

function idOf({ sys }: Bpf, fd: number): number {
  const info = sys.objGetInfoByFd(fd);
  assert.ok(typeof info !== "number", `${info}`);
  return info.id;
}

function put({ sys }: Bpf, outer: number, key: number, fd: number): number {
  return sys.mapUpdateElem(outer, u32.encode(key), u32.encode(fd), 0);
}

/** The id that a key has, or −errno. */
function lookUp({ sys }: Bpf, outer: number, key: number): number {
  const value = new Uint8Array(4);
  const result = sys.mapLookupElem(outer, u32.encode(key), value);
  return result < 0 ? result : u32.decode(value);
}

function ids(bpf: Bpf): number[] {
  return bpf.maps().map(({ id }) => id);
}

/** What maps of maps hold in a directory: `OUTER/ID-NUMBER`. */
function heldIn(directory: string): string[] {
  const folder = join(directory, ".mapiary/held");
  return readdirSync(folder).flatMap((outer) => readdirSync(join(folder, outer)).map((name) => `${outer}/${name}`));
}

/** A kernel of this process and one of another, in one directory. */
async function withOther(use: (bpf: Bpf, other: Companion, directory: string) => Promise<void>): Promise<void> {
  const directory = newDirectory();
  using bpf = embedded({ bpffs: directory });
  const other = startCompanion(program.file, directory);
  try {
    await use(bpf, other, directory);
  } finally {
    await other.kill();
  }
}

for (const type of OUTER_TYPES) {
  describe(`an ${type} in a directory`, () => {
    test("has for each process the maps that any has put there", () =>
      withOther(async (bpf, other, directory) => {
        const outer = outerOf(bpf, type, made(bpf));
        const inner = made(bpf);
        bpf.sys.mapUpdateElem(inner, u32.encode(0), u32.encode(77), 0);
        put(bpf, outer, 1, inner);
        assert.equal(await other.ask(["read", PATH, 1]), 77);
        assert.equal(await other.ask(["read", PATH, 2]), -ENOENT);
        const theirs = await other.ask<number>(["put", PATH, 2, 88]);
        assert.equal(lookUp(bpf, outer, 2), theirs);
        const fd = bpf.sys.mapGetFdById(theirs);
        const value = new Uint8Array(4);
        assert.equal(bpf.sys.mapLookupElem(fd, u32.encode(0), value), 0);
        assert.equal(u32.decode(value), 88);
        assert.equal(heldIn(directory).length, 2);
        // The map of maps itself is fit for nobody.
        assert.equal(await other.ask(["putId", PATH, 3, idOf(bpf, outer)]), -EINVAL);
      }));

    test("lets go of a map that another process replaces or deletes", () =>
      withOther(async (bpf, other, directory) => {
        const outer = outerOf(bpf, type, made(bpf));
        const first = await other.ask<number>(["put", PATH, 1, 1]);
        const second = await other.ask<number>(["put", PATH, 2, 2]);
        assert.ok([first, second].every((id) => ids(bpf).includes(id)));
        const third = await other.ask<number>(["put", PATH, 1, 3]);
        assert.ok(!ids(bpf).includes(first));
        assert.equal(bpf.sys.mapDeleteElem(outer, u32.encode(1)), 0);
        assert.ok(!ids(bpf).includes(third));
        assert.equal(await other.ask(["remove", PATH, 2]), 0);
        assert.ok(!ids(bpf).includes(second));
        assert.equal(await other.ask(["remove", PATH, 2]), -ENOENT);
        assert.deepEqual(heldIn(directory), []);
      }));

    test("keeps its maps by its pin alone, when every process has ended", async () => {
      const directory = newDirectory();
      const other = startCompanion(program.file, directory);
      const outer = await other.ask<number>(["makeOuter", type, PATH, true]);
      const inner = await other.ask<number>(["put", PATH, 1, 5]);
      await other.end();
      const another = startCompanion(program.file, directory);
      assert.equal(await another.ask(["read", PATH, 1]), 5);
      await another.kill();
      using bpf = embedded({ bpffs: directory });
      assert.deepEqual(ids(bpf), [outer, inner].sort());
      bpf.bpffs.unlink(PATH);
      assert.deepEqual(ids(bpf), []);
      assert.deepEqual(readdirSync(join(directory, ".mapiary/held")), []);
      assert.deepEqual(readdirSync(join(directory, ".mapiary/maps")), []);
    });

    test("goes with its maps when the last process that used it is killed", () =>
      withOther(async (bpf, other, directory) => {
        await other.ask(["makeOuter", type, PATH, false]);
        const inner = await other.ask<number>(["put", PATH, 1, 5]);
        const fd = bpf.sys.mapGetFdById(inner);
        await other.ask(["put", PATH, 2, 6]);
        assert.equal(ids(bpf).length, 3);
        await other.kill();
        // What is used here lives on.
        assert.deepEqual(ids(bpf), [inner]);
        assert.deepEqual(readdirSync(join(directory, ".mapiary/held")), []);
        bpf.sys.close(fd);
        assert.deepEqual(ids(bpf), []);
      }));

    test(`is whole after each of ${KILLS} kills amid changes, and holds what is in it and nothing else`, async () => {
      const directory = newDirectory();
      using bpf = embedded({ bpffs: directory });
      const outer = outerOf(bpf, type, made(bpf));
      for (let kill = 0; kill < KILLS; kill++) {
        const other = startCompanion(program.file, directory);
        const theirs = await other.ask<number[]>(["hammer", PATH]);
        await delay(LIFE + kill);
        await other.kill();
        const spare = made(bpf);
        assert.equal(put(bpf, outer, 3, spare), 0);
        const kept = [0, 1, 2].map((key) => lookUp(bpf, outer, key)).filter((id) => id !== -ENOENT);
        assert.ok(kept.every((id) => theirs.includes(id)));
        const held = heldIn(directory).map((name) => Number(/\/(\d+)-/.exec(name)?.[1]));
        assert.deepEqual(held.sort(), [...kept, idOf(bpf, spare)].sort());
        bpf.sys.close(spare);
        for (const id of theirs) assert.equal(ids(bpf).includes(id), kept.includes(id));
        for (const key of [0, 1, 2, 3]) bpf.sys.mapDeleteElem(outer, u32.encode(key));
        assert.deepEqual(heldIn(directory), []);
      }
    });

    // With `--runs` for both types, which do the same.
    for (const [change, [name, ...args], most, amid] of type === "array_of_maps" || IS_LONG ? CHANGES : []) {
      test(`is whole wherever somebody is killed ${change}`, async () => {
        let calls = 0;
        const all = Array.from({ length: most }, (_, index) => index + 1);
        for (const call of IS_LONG ? all : [amid]) {
          for (const isAfter of IS_LONG ? [false, true] : [false]) {
            const directory = newDirectory();
            const other = startCompanion(program.file, directory);
            await other.ask(["makeOuter", type, PATH, true]);
            await other.ask(["put", PATH, 1, 11]);
            await other.ask(["put", PATH, 2, 22]);
            if (name === "close") await other.ask(["unlink", PATH]);
            await other.ask(["dieAt", call, isAfter]);
            const isKilled = await other.ask([name, ...args]).then(
              () => false,
              () => true,
            );
            if (isKilled) calls++;
            else await other.kill();
            // Who comes next tidies up.
            using bpf = embedded({ bpffs: directory });
            const outer = bpf.sys.objGet(PATH);
            assert.equal(outer < 0, name === "close");
            if (outer >= 0) assert.equal(bpf.sys.mapDeleteElem(outer, u32.encode(2)), 0);
            const id = outer < 0 ? -ENOENT : lookUp(bpf, outer, 1);
            const kept = id === -ENOENT ? [] : [id];
            assert.deepEqual(ids(bpf), [...kept, ...(outer < 0 ? [] : [idOf(bpf, outer)])].sort(), `call ${call}`);
            assert.equal(heldIn(directory).length, kept.length, `call ${call}`);
          }
        }
        assert.ok(calls > 0, "nobody was killed at all");
      });
    }

    test("drops what somebody held who died before it was put there, when it is opened", () => {
      const directory = newDirectory();
      using bpf = embedded({ bpffs: directory });
      const outer = outerOf(bpf, type, made(bpf));
      const outerId = idOf(bpf, outer);
      const [inner, lost] = [made(bpf), made(bpf)];
      const lostId = idOf(bpf, lost);
      put(bpf, outer, 1, inner);
      const folder = join(directory, ".mapiary");
      linkSync(join(folder, "maps", String(lostId)), join(folder, "held", String(outerId), `${lostId}-99`));
      for (const fd of [outer, inner, lost]) bpf.sys.close(fd);
      assert.ok(ids(bpf).includes(lostId));
      const file = openSync(join(directory, "outer"), "r+");
      writeSync(file, u32.encode(4_000_000), 0, 4, LOCK);
      closeSync(file);
      const again = bpf.sys.objGet(PATH);
      assert.ok(again >= 0);
      assert.ok(!ids(bpf).includes(lostId));
      assert.notEqual(lookUp(bpf, again, 1), -ENOENT);
      assert.equal(heldIn(directory).length, 1);
    });

    test("drops what somebody left who died taking it away, when the directory is opened", () => {
      const directory = newDirectory();
      const first = embedded({ bpffs: directory });
      const inner = made(first);
      const innerId = idOf(first, inner);
      const folder = join(directory, ".mapiary");
      const outer = outerOf(first, type, inner);
      put(first, outer, 1, inner);
      const outerId = idOf(first, outer);
      first.bpffs.unlink(PATH);
      first.sys.close(inner);
      const names = heldIn(directory);
      // As if the last user had died between the name of the map of maps and those of what it held.
      const kept = join(directory, "kept");
      linkSync(join(folder, "held", names[0] as string), kept);
      first.close();
      assert.ok(!existsSync(join(folder, "maps", String(outerId))));
      const bytes = readFileSync(kept);
      assert.equal(bytes.readUInt32LE(40), innerId);
      using bpf = embedded({ bpffs: directory });
      assert.deepEqual(ids(bpf), [innerId]);
      bpf.bpffs.unlink("/sys/fs/bpf/kept");
      assert.deepEqual(ids(bpf), []);
    });

    test("takes for everyone what has the same special fields as its template, by the BTF that it keeps", () => {
      const { bytes: TYPES, all } = valueTypes();
      const { id, size } = all.find(({ name }) => name === "locked in the middle") as (typeof all)[number];
      const locked = (bpf: Bpf): number => {
        const btfFd = bpf.sys.btfLoad(TYPES);
        const types = { btfFd, btfKeyTypeId: 1, btfValueTypeId: id };
        const fd = made(bpf, { ...INNER, valueSize: size, ...types });
        bpf.sys.close(btfFd);
        return fd;
      };
      const directory = newDirectory();
      const first = embedded({ bpffs: directory });
      outerOf(first, type, locked(first));
      first.close();
      using bpf = embedded({ bpffs: directory });
      const outer = bpf.sys.objGet(PATH);
      assert.equal(put(bpf, outer, 1, locked(bpf)), 0);
      assert.equal(put(bpf, outer, 1, made(bpf, { ...INNER, valueSize: size })), -EINVAL);
      assert.equal(put(bpf, outer, 1, made(bpf)), -EINVAL);
    });
  });
}

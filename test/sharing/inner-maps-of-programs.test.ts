/** Programs that look maps up in maps of maps which others change: what they find, amid a run too, and what stays mapped. */
import assert from "node:assert/strict";
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Assembler, type Bpf, embedded, type MapCreateOptions, type Register, u32 } from "mapiary";
import { newDirectory } from "../kernels.ts";

const OUTER_TYPES = ["array_of_maps", "hash_of_maps"] as const;
const PATH = "/sys/fs/bpf/outer";
const INNER: MapCreateOptions = { type: "array", keySize: 4, valueSize: 4, maxEntries: 2 };
const KEY = 1;
/** Where the slots of an array of maps begin. */
const FIRST_SLOT = 256;

function made({ sys }: Bpf, options: MapCreateOptions): number {
  const fd = sys.mapCreate(options);
  assert.ok(fd >= 0, `${fd}`);
  return fd;
}

/** Puts a new map whose first value is a number into a map of maps, and keeps no fd of it: its id. */
function put(bpf: Bpf, outer: number, value: number, key = KEY): number {
  const { sys } = bpf;
  const fd = made(bpf, INNER);
  sys.mapUpdateElem(fd, u32.encode(0), u32.encode(value), 0);
  assert.equal(sys.mapUpdateElem(outer, u32.encode(key), u32.encode(fd), 0), 0);
  const info = sys.objGetInfoByFd(fd);
  sys.close(fd);
  assert.ok(typeof info !== "number");
  return info.id;
}

/** Looks the map up that has the key, and leaves it in a register; none leads to `none`. */
function findInner(code: Assembler, outer: number, to: Register): Assembler {
  return code
    .store("u32", "r10", -4, KEY)
    .loadMap("r1", outer)
    .mov("r2", "r10")
    .add("r2", -4)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .mov(to, "r0");
}

/** Reads the first value of a map into a register. */
function readFirst(code: Assembler, inner: Register, to: Register): Assembler {
  return code
    .store("u32", "r10", -4, 0)
    .mov("r1", inner)
    .mov("r2", "r10")
    .add("r2", -4)
    .call("bpf_map_lookup_elem")
    .jeq("r0", 0, "none")
    .load("u32", to, "r0", 0);
}

/** A program that answers the first value of the map with the key, 0 when there is none. */
function loadReader(bpf: Bpf, outer: number): () => number {
  const code = new Assembler();
  readFirst(findInner(code, outer, "r6"), "r6", "r0")
    .exit()
    .label("none")
    .mov("r0", 0)
    .exit();
  const program = bpf.loadProgram({ type: "xdp", name: "reader", license: "GPL", instructions: code.assemble() });
  return () => program.run({ data: new Uint8Array(64) }).retval;
}

/** One that prints a line between finding a map and reading it, and then finds and reads again: 256 × the first value + the second. */
function loadPausing(bpf: Bpf, outer: number): () => number {
  const code = new Assembler();
  findInner(code, outer, "r6").store("u32", "r10", -8, 0x78).mov("r1", "r10").add("r1", -8).mov("r2", 4);
  code.call("bpf_trace_printk");
  readFirst(code, "r6", "r7");
  readFirst(findInner(code, outer, "r8"), "r8", "r0")
    .lsh("r7", 8)
    .add("r0", "r7")
    .exit();
  code.label("none").mov("r0", 0).exit();
  const program = bpf.loadProgram({ type: "xdp", name: "pausing", license: "GPL", instructions: code.assemble() });
  return () => program.run({ data: new Uint8Array(64) }).retval;
}

for (const type of OUTER_TYPES) {
  describe(`a program that looks maps up in an ${type}`, () => {
    const scene = (trace: (line: string) => void = () => {}) => {
      const directory = newDirectory();
      const [mine, theirs] = [embedded({ bpffs: directory, trace }), embedded({ bpffs: directory })];
      const innerMapFd = made(theirs, INNER);
      const theirOuter = made(theirs, { type, keySize: 4, valueSize: 4, maxEntries: 4, innerMapFd });
      theirs.sys.close(innerMapFd);
      theirs.sys.objPin(theirOuter, PATH);
      const outer = mine.sys.objGet(PATH);
      const dispose = (): void => {
        mine.close();
        theirs.close();
      };
      return { directory, mine, theirs, outer, theirOuter, [Symbol.dispose]: dispose };
    };

    test("finds those that others have put there, as soon as they have", () => {
      using both = scene();
      const { mine, theirs, outer, theirOuter } = both;
      const run = loadReader(mine, outer);
      assert.equal(run(), 0);
      put(theirs, theirOuter, 5);
      assert.equal(run(), 5);
      put(theirs, theirOuter, 6);
      assert.equal(run(), 6);
      theirs.sys.mapDeleteElem(theirOuter, u32.encode(KEY));
      assert.equal(run(), 0);
    });

    test("does not keep them: they go when they are replaced, and their memory with the next run", () => {
      using both = scene();
      const { directory, mine, theirs, outer, theirOuter } = both;
      const run = loadReader(mine, outer);
      const ids = () => theirs.maps().map(({ id }) => id);
      put(theirs, theirOuter, 1);
      run();
      for (let value = 2; value < 20; value++) {
        const id = put(theirs, theirOuter, value);
        assert.equal(run(), value);
        assert.equal(ids().length, 2);
        assert.ok(ids().includes(id));
      }
      assert.equal(readdirSync(join(directory, ".mapiary/maps")).length, 2);
      // The map of maps twice, and the map that the program has found.
      assert.ok(mappedFiles(directory) <= 3, `${mappedFiles(directory)} files are mapped`);
    });

    test("has the one that it found to the end of its run, and the next one when it looks again", () => {
      let between = (): void => {};
      using both = scene(() => between());
      const { mine, theirs, outer, theirOuter } = both;
      const run = loadPausing(mine, outer);
      const first = put(theirs, theirOuter, 5);
      between = () => {
        put(theirs, theirOuter, 6);
        assert.equal(mine.sys.mapGetFdById(first), -2);
      };
      assert.equal(run(), 5 * 256 + 6);
      between = () => {};
      assert.equal(run(), 6 * 256 + 6);
    });

    test("has it to the end of its run even if user space closes it amid the run", () => {
      let between = (): void => {};
      using both = scene(() => between());
      const { mine, theirs, outer, theirOuter } = both;
      const run = loadPausing(mine, outer);
      const fd = mine.sys.mapGetFdById(put(theirs, theirOuter, 5));
      between = () => {
        mine.sys.mapDeleteElem(outer, u32.encode(KEY));
        mine.sys.close(fd);
        // What takes its place must not be what the program reads.
        const other = made(mine, INNER);
        mine.sys.mapUpdateElem(other, u32.encode(0), u32.encode(99), 0);
        put(theirs, theirOuter, 6);
      };
      assert.equal(run(), 5 * 256 + 6);
    });

    if (type === "hash_of_maps") return;

    test("finds nothing where somebody has forged the id of another map, or of none", () => {
      using both = scene();
      const { directory, mine, theirs, outer, theirOuter } = both;
      const run = loadReader(mine, outer);
      const other = made(theirs, { ...INNER, valueSize: 64 });
      const info = theirs.sys.objGetInfoByFd(other);
      const own = theirs.sys.objGetInfoByFd(theirOuter);
      assert.ok(typeof info !== "number" && typeof own !== "number");
      put(theirs, theirOuter, 5);
      const file = openSync(join(directory, "outer"), "r+");
      for (const id of [info.id, own.id, 4_000_000, 2 ** 32 - 1]) {
        writeSync(file, u32.encode(id), 0, 4, FIRST_SLOT + 8 * KEY);
        assert.equal(run(), 0, `${id}`);
      }
      closeSync(file);
    });
  });
}

/** How many maps of a directory this process has mapped; 0 where the system does not say. */
function mappedFiles(directory: string): number {
  if (!existsSync("/proc/self/maps")) return 0;
  const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
  return lines.filter((line) => line.includes(`${directory}/`) && !line.includes("/control")).length;
}

/**
 * Lookups and updates of shared maps that are called so often that code is made for them: it answers what was answered
 * before, leaves the same bytes, and waits for nobody that the plain commands would not wait for.
 */
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Bpf, BpfError, bytes, embedded, type HashMap, u32 } from "mapiary";
import { HOT_CALLS } from "../../src/kernel/embedded/prepared-elements.ts";
import { newDirectory } from "../kernels.ts";
import { fc } from "../seeded.ts";

const PIN = "/sys/fs/bpf/map";
const MAX_ENTRIES = 6;

type MapType = "hash" | "lru_hash" | "percpu_hash" | "array" | "percpu_array";

/** A map in a directory of its own. */
class Scene {
  readonly directory = newDirectory();
  readonly file = join(this.directory, "map");
  readonly map: HashMap<Uint8Array, Uint8Array>;
  readonly #bpf: Bpf;
  readonly #keySize: number;
  readonly #valueSize: number;

  constructor(isHot: boolean, keySize = 4, valueSize = 8, type: MapType = "hash") {
    this.#bpf = embedded({ bpffs: this.directory, possibleCpus: 1 });
    this.#keySize = keySize;
    this.#valueSize = valueSize;
    const layouts = { key: bytes(keySize), value: bytes(valueSize) };
    const flags = type.endsWith("array") ? [] : ["zero_seed" as const];
    this.map = this.#bpf.createMap({ type: type as "hash", ...layouts, maxEntries: MAX_ENTRIES, flags });
    this.map.pin(PIN);
    if (isHot) this.takeTurns(HOT_CALLS + 100);
  }

  /** Writes and reads an entry a number of times, and deletes it. */
  takeTurns(times: number): void {
    const [key, value] = [this.#key(0), this.#value(0)];
    for (let call = 0; call < times; call++) {
      this.map.set(key, value);
      this.map.get(key);
    }
    this.delete(0);
  }

  /** The bytes of the segment, but for how often something was taken out of it; the entries of an array, which are all there is. */
  withoutVersions(): unknown {
    if (this.isArray) return [...this.map];
    const words = new Int32Array(Uint8Array.from(readFileSync(this.file)).buffer);
    const stored = this.map.type === "lru_hash" ? this.#valueSize + 4 : Math.ceil(this.#valueSize / 4) * 4;
    const even = (count: number): number => count + (count & 1);
    const element = even(even(Math.ceil(this.#keySize / 4)) + stored / 4);
    for (const guard of guardsOf(element)) words[guard + 1] = 0;
    return words.join();
  }

  get(key: number): unknown {
    return this.map.get(this.#key(key));
  }

  set(key: number, value: number): string {
    try {
      this.map.set(this.#key(key), this.#value(value));
      return "set";
    } catch (error) {
      assert(error instanceof BpfError);
      return error.code;
    }
  }

  delete(key: number): boolean {
    return !this.isArray && this.map.delete(this.#key(key));
  }

  /** The map as somebody else has it, whose commands are few. */
  other(): HashMap<number, number> {
    const bpf = embedded({ bpffs: this.directory });
    return bpf.openMap(PIN, { type: "hash", key: u32, value: bytes(this.#valueSize) }) as never;
  }

  word(at: number): number {
    return readFileSync(this.file).readUInt32LE(at * 4);
  }

  poke(at: number, value: number): void {
    const fd = openSync(this.file, "r+");
    writeSync(fd, Uint8Array.from([value, value >>> 8, value >>> 16, value >>> 24]), 0, 4, at * 4);
    closeSync(fd);
  }

  bytes(number: number, size: number): Uint8Array {
    return Uint8Array.from({ length: size }, (_, at) => number * (at + 1));
  }

  get isArray(): boolean {
    return this.map.type.endsWith("array");
  }

  /** Those of an array are small enough to be indexes. */
  #key(number: number): Uint8Array {
    return this.isArray ? Uint8Array.of(number, 0, 0, 0) : this.bytes(number, this.#keySize);
  }

  /** Of a map with a value for each CPU, of which there is one: rounded up to 8 bytes. */
  #value(number: number): Uint8Array {
    const value = this.bytes(number, this.#valueSize);
    return this.map.type.startsWith("percpu") ? ([value] as never) : value;
  }
}

const steps = fc.array(
  fc.record({
    op: fc.constantFrom("get" as const, "set" as const, "set" as const, "delete" as const),
    key: fc.nat(8),
    value: fc.nat(255),
  }),
  { maxLength: 60 },
);

/** Where things lie in the segment of a hash of `MAX_ENTRIES` of 4 + 8 bytes, in words: docs/segment-format.md. */
const BUCKETS = 64;
const FIRST_LINK = BUCKETS + 8;
const FIRST_ELEMENT = BUCKETS + 16;
const [LOCK, SPARE, STAGED] = [0, 2, 2];
const GUARDS = guardsOf(4);
/** The guards of a hash whose elements have so many words. */
function guardsOf(elementWords: number): number[] {
  const first = Math.ceil((FIRST_ELEMENT + (MAX_ENTRIES + 2) * elementWords) / 16) * 16;
  return [first, first + 16];
}

const HEADER = { FREE: 17, FREE_LOCK: 21 };

describe("commands on a shared map that are called often", () => {
  for (const [keySize, valueSize, type] of [
    [4, 8, "hash"],
    [8, 4, "hash"],
    [20, 7, "hash"],
    [64, 12, "hash"],
    [68, 4, "hash"],
    [6, 8, "hash"],
    [4, 300, "hash"],
    [12, 8, "lru_hash"],
    [4, 16, "percpu_hash"],
    [4, 4, "array"],
    [4, 8, "array"],
    [4, 6, "array"],
    [4, 20, "array"],
    [4, 301, "array"],
    [4, 16, "percpu_array"],
  ] as const) {
    const shape = `keys of ${keySize} and values of ${valueSize} bytes in a ${type}`;
    test(`answer what they answered before, and leave the same bytes, with ${shape}`, () => {
      const hot = new Scene(true, keySize, valueSize, type);
      const cold = new Scene(false, keySize, valueSize, type);
      cold.takeTurns(2);
      fc.assert(
        fc.property(steps, (program) => {
          for (const { op, key, value } of program) assert.deepEqual(hot[op](key, value), cold[op](key, value));
          assert.deepEqual(hot.withoutVersions(), cold.withoutVersions());
        }),
        { numRuns: 20 },
      );
    });
  }

  test("see what others write, and are seen", () => {
    const hot = new Scene(true);
    const other = hot.other() as unknown as HashMap<number, Uint8Array>;
    for (let round = 0; round < 50; round++) {
      const key = round % MAX_ENTRIES;
      other.set(new Uint32Array(hot.bytes(key, 4).buffer)[0] as number, hot.bytes(round, 8));
      assert.deepEqual(hot.get(key), hot.bytes(round, 8));
      hot.set(key, round + 1);
      assert.deepEqual(other.get(new Uint32Array(hot.bytes(key, 4).buffer)[0] as number), hot.bytes(round + 1, 8));
      if (round % 3 === 0) hot.delete(key);
    }
  });

  test("see that the map was frozen, and closed", () => {
    const hot = new Scene(true);
    hot.set(1, 1);
    hot.other().freeze();
    assert.equal(hot.set(1, 2), "EPERM");
    assert.deepEqual(hot.get(1), hot.bytes(1, 8));
    hot.map.close();
    assert.throws(() => hot.get(1), { code: "EBADF" });
    assert.equal(hot.set(1, 2), "EBADF");
  });

  test("take over from those who died with a lock in hand", () => {
    const hot = new Scene(true);
    for (const word of [...GUARDS.map((guard) => guard + LOCK), HEADER.FREE_LOCK]) {
      hot.poke(word, 999);
      for (const key of [1, 2, 3, 4]) {
        assert.equal(hot.set(key, key), "set");
        assert.deepEqual(hot.get(key), hot.bytes(key, 8));
        hot.delete(key);
      }
      assert.equal(hot.word(word), 0);
    }
  });

  test("finish what a writer of an array that died had begun", () => {
    const hot = new Scene(true, 4, 16, "array");
    const firstGuard = Math.ceil((BUCKETS + (MAX_ENTRIES * 16) / 4) / 16) * 16;
    const [guards, element] = [4, 4];
    const stage = firstGuard + guards * 16 + element;
    hot.set(1, 1);
    hot.set(5, 5);
    hot.poke(stage, 0x12345678);
    hot.poke(firstGuard + 16 + STAGED, 1 + 1);
    hot.poke(firstGuard + 16 + LOCK, 999);
    const staged = Buffer.from(hot.bytes(5, 16));
    staged.writeUInt32LE(0x12345678);
    assert.deepEqual(hot.get(1), Uint8Array.from(staged), "readers find the new value on the stage");
    assert.deepEqual(hot.get(5), hot.bytes(5, 16));
    hot.set(5, 6);
    assert.deepEqual(hot.get(1), Uint8Array.from(staged), "it has come to its place");
    assert.deepEqual(hot.get(5), hot.bytes(6, 16));
    assert.equal(hot.word(firstGuard + 16 + LOCK), 0);
  });

  test("find a spare element when there is none, and use none that lies outside", () => {
    const hot = new Scene(true, 4, 12);
    const guards = guardsOf(6);
    for (const link of [0, 9, 0x7ffffff0, guards[0] as number, 0x7fffffff, 0xffffffff]) {
      hot.set(1, 1);
      for (const guard of guards) hot.poke(guard + SPARE, link);
      hot.poke(HEADER.FREE, link);
      const before = readFileSync(hot.file).subarray(0, 64);
      assert.match(hot.set(1, 2), /set|ENOMEM/);
      hot.set(2, 2);
      assert.deepEqual(readFileSync(hot.file).subarray(0, 64), before);
      hot.delete(1);
      hot.delete(2);
    }
  });

  test("come to an end in a chain that goes round, and follow no link out of the segment", () => {
    const hot = new Scene(true);
    for (const key of [1, 2, 3]) hot.set(key, key);
    for (const link of [1, 8, 9, 15, 0x7ffffff3, 0x7ffffff0, 0, 0x7fffffff, 0xffffffff]) {
      for (let bucket = 0; bucket < 8; bucket++) hot.poke(BUCKETS + bucket, link);
      for (let element = 0; element < MAX_ENTRIES + 2; element++) hot.poke(FIRST_LINK + element, link);
      assert.equal(hot.get(7), undefined);
      assert.match(hot.set(7, 7), /set|E2BIG/);
    }
  });

  test("lead past the elements of other keys without reading them", () => {
    for (const isHot of [true, false]) {
      const scene = new Scene(isHot);
      const keys = [1, 2, 3, 4, 5, 6];
      for (const key of keys) scene.set(key, key);
      const numberOf = (link: number): number => link % 16;
      const elements = keys.map((_, index) => ({
        keyWord: FIRST_ELEMENT + 4 * index,
        next: numberOf(scene.word(FIRST_LINK + index)),
      }));
      const before = elements.find(({ next }) => next !== 0);
      assert(before !== undefined, "of six keys in eight chains two are in the same one");
      const behind = elements[before.next - 1] as (typeof elements)[number];
      const key = keys.find((key) => Buffer.from(scene.bytes(key, 4)).readUInt32LE() === scene.word(behind.keyWord));
      // Who read it would take it for the key that is looked for.
      scene.poke(before.keyWord, scene.word(behind.keyWord));
      assert.deepEqual(scene.get(key as number), scene.bytes(key as number, 8));
    }
  });

  test("go on as they were where the platform forbids WebAssembly to be made", () => {
    const { Module } = WebAssembly;
    WebAssembly.Module = class {
      constructor() {
        throw new WebAssembly.CompileError("forbidden");
      }
    } as never;
    try {
      const hot = new Scene(true);
      hot.set(1, 1);
      assert.deepEqual(hot.get(1), hot.bytes(1, 8));
    } finally {
      WebAssembly.Module = Module;
    }
  });
});

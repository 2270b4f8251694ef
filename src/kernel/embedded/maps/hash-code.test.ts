import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { fc } from "../../../../test/seeded.ts";
import { MAP_ELEM } from "../../../abi/attr.ts";
import { BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../../../abi/commands.ts";
import { E2BIG, EBADF, ENOENT, EPERM } from "../../../abi/errno.ts";
import { BPF_F_ZERO_SEED } from "../../../abi/flags.ts";
import type { MapTypeName } from "../../../abi/map-types.ts";
import { setCodeGeneration } from "../../../layout/compile.ts";
import type { Address } from "../../../memory/address-space.ts";
import { Sys } from "../../../sys/sys.ts";
import { EmbeddedKernel } from "../embedded-kernel.ts";
import { HOT_CALLS } from "../prepared-elements.ts";

/** More calls than it takes for code to be generated. */
const MANY = HOT_CALLS + 100;

/** A hash of four entries on a kernel of its own, used by commands that were prepared once. */
class PreparedHash {
  readonly sys: Sys;
  readonly fd: number;
  readonly #kernel = new EmbeddedKernel();
  readonly #keySize: number;
  readonly #valueSize: number;
  readonly #key: Address;
  readonly #value: Address;
  readonly #lookup: () => number;
  readonly #update: () => number;

  constructor(
    keySize: number,
    valueSize: number,
    isHot: boolean,
    type: MapTypeName = "hash",
    flags: number = BPF_F_ZERO_SEED,
  ) {
    const kernel = this.#kernel;
    this.sys = new Sys(kernel);
    this.fd = this.sys.mapCreate({ type, keySize, valueSize, maxEntries: 4, flags });
    this.#keySize = keySize;
    this.#valueSize = valueSize;
    this.#key = kernel.memory.allocate(keySize, "a key");
    this.#value = kernel.memory.allocate(valueSize, "a value");
    const lookup = this.#prepare(BPF_MAP_LOOKUP_ELEM);
    const update = this.#prepare(BPF_MAP_UPDATE_ELEM);
    this.#lookup = () => lookup.run();
    this.#update = () => update.run();
    for (let call = 0; isHot && call < MANY; call++) {
      this.set(0, 0);
      this.get(0);
    }
    this.sys.mapDeleteElem(this.fd, this.#bytes(0, keySize));
  }

  get(key: number): readonly [number, Uint8Array] {
    const { u8 } = this.#kernel.memory;
    u8.set(this.#bytes(key, this.#keySize), this.#key);
    u8.fill(0xee, this.#value, this.#value + this.#valueSize);
    return [this.#lookup(), this.#kernel.memory.u8.slice(this.#value, this.#value + this.#valueSize)];
  }

  set(key: number, value: number): number {
    const { u8 } = this.#kernel.memory;
    u8.set(this.#bytes(key, this.#keySize), this.#key);
    u8.set(this.#bytes(value, this.#valueSize), this.#value);
    return this.#update();
  }

  delete(key: number): number {
    return this.sys.mapDeleteElem(this.fd, this.#bytes(key, this.#keySize));
  }

  /** Makes the kernel's memory grow, so that all views of it are new. */
  grow(): void {
    this.#kernel.memory.allocate(2 ** 21, "growth");
  }

  keys(): string[] {
    const keys: string[] = [];
    let key: Uint8Array | null = null;
    for (;;) {
      const next = new Uint8Array(this.#keySize);
      if (this.sys.mapGetNextKey(this.fd, key, next) === -ENOENT) return keys;
      keys.push(next.join());
      key = next;
    }
  }

  #bytes(number: number, size: number): Uint8Array {
    return Uint8Array.from({ length: size }, (_, at) => number * (at + 1));
  }

  #prepare(command: number): { run(): number } {
    const { memory } = this.#kernel;
    const attr = memory.allocate(MAP_ELEM.END, "an attr");
    memory.view.setUint32(attr + MAP_ELEM.MAP_FD, this.fd, true);
    memory.view.setUint32(attr + MAP_ELEM.KEY, this.#key, true);
    memory.view.setUint32(attr + MAP_ELEM.VALUE, this.#value, true);
    return this.#kernel.prepare(command, attr, MAP_ELEM.END);
  }
}

const steps = fc.array(
  fc.record({
    op: fc.constantFrom("get" as const, "set" as const, "delete" as const),
    key: fc.nat(6),
    value: fc.nat(255),
  }),
  { maxLength: 60 },
);

describe("commands on a hash that are called often", () => {
  afterEach(() => setCodeGeneration(undefined));

  for (const [keySize, valueSize] of [
    [4, 8],
    [8, 4],
    [12, 12],
    [16, 64],
    [20, 4],
    [64, 16],
    [6, 8],
    [4, 6],
    [128, 8],
  ] as const) {
    test(`answer what they answered before, with keys of ${keySize} and values of ${valueSize} bytes`, () => {
      fc.assert(
        fc.property(steps, (program) => {
          const hot = new PreparedHash(keySize, valueSize, true);
          const cold = new PreparedHash(keySize, valueSize, false);
          for (const { op, key, value } of program) assert.deepEqual(hot[op](key, value), cold[op](key, value));
          assert.deepEqual(hot.keys(), cold.keys());
        }),
        { numRuns: 8 },
      );
    });
  }

  test("answer what they answered before, on a hash with an order of its own", () => {
    fc.assert(
      fc.property(steps, (program) => {
        const hot = new PreparedHash(4, 8, true, "hash", 0);
        const cold = new PreparedHash(4, 8, false, "hash", 0);
        for (const { op, key, value } of program) assert.deepEqual(hot[op](key, value), cold[op](key, value));
        assert.deepEqual(hot.keys().sort(), cold.keys().sort());
      }),
      { numRuns: 8 },
    );
  });

  for (const type of ["percpu_hash", "lru_hash", "lru_percpu_hash"] as const) {
    test(`answer what they answered before, on a ${type}`, () => {
      fc.assert(
        fc.property(steps, (program) => {
          const hot = new PreparedHash(4, 8, true, type);
          const cold = new PreparedHash(4, 8, false, type);
          for (const { op, key, value } of program) {
            // As many keys as there is room for: what an LRU map evicts depends on what was there before.
            assert.deepEqual(hot[op](key % 4, value), cold[op](key % 4, value));
          }
          assert.deepEqual(hot.keys(), cold.keys());
        }),
        { numRuns: 8 },
      );
    });
  }

  for (const generates of [true, false]) {
    describe(generates ? "with generated code" : "where code cannot be generated", () => {
      const hash = (): PreparedHash => {
        setCodeGeneration(generates);
        return new PreparedHash(4, 8, true);
      };

      test("see that the map was frozen", () => {
        const map = hash();
        map.set(1, 1);
        map.sys.mapFreeze(map.fd);
        assert.equal(map.set(1, 2), -EPERM);
        assert.deepEqual(map.get(1), [0, Uint8Array.from({ length: 8 }, (_, at) => at + 1)]);
      });

      test("see that the fd was closed, also when its number is another map's", () => {
        const map = hash();
        map.sys.close(map.fd);
        assert.equal(map.get(1)[0], -EBADF);
        assert.equal(map.set(1, 1), -EBADF);
        const other = map.sys.mapCreate({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 1 });
        assert.equal(other, map.fd);
        assert.equal(map.get(1)[0], -ENOENT, "the attr names the fd, whatever it is of");
      });

      test("see that the map is full", () => {
        const map = hash();
        for (let key = 1; key <= 4; key++) assert.equal(map.set(key, key), 0);
        assert.equal(map.set(5, 5), -E2BIG);
        assert.equal(map.set(4, 7), 0);
      });

      test("work on when the memory has grown", () => {
        const map = hash();
        map.set(1, 1);
        map.grow();
        assert.equal(map.get(1)[0], 0);
        assert.equal(map.set(2, 2), 0);
        assert.equal(map.keys().length, 2);
      });
    });
  }
});

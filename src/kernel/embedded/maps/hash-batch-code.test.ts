import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { fc } from "../../../../test/seeded.ts";
import { E2BIG, ENOENT, ENOSPC } from "../../../abi/errno.ts";
import { BPF_F_ZERO_SEED } from "../../../abi/flags.ts";
import type { MapTypeName } from "../../../abi/map-types.ts";
import { setCodeGeneration } from "../../../layout/compile.ts";
import { Sys } from "../../../sys/sys.ts";
import { EmbeddedKernel } from "../embedded-kernel.ts";
import { jhashWord } from "../jhash.ts";

/** As many entries as it takes for code to be generated. */
const HOT = 4096;

/** A hash used by batches, on a kernel of its own. */
class BatchedHash {
  readonly #sys = new Sys(new EmbeddedKernel());
  readonly #fd: number;
  readonly #keySize: number;
  readonly #valueSize: number;

  constructor(
    type: MapTypeName,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    flags: number = BPF_F_ZERO_SEED,
  ) {
    this.#keySize = keySize;
    this.#valueSize = valueSize;
    this.#fd = this.#sys.mapCreate({ type, keySize, valueSize, maxEntries, flags });
    assert.ok(this.#fd > 0);
  }

  /** Makes tables of this shape hot. */
  heat(): this {
    const room = this.#buffers(HOT);
    this.#sys.mapLookupBatch(this.#fd, null, new Uint8Array(4), room.keys, room.values, Uint32Array.of(HOT));
    for (let times = 0; times < HOT; times += 64) this.update(Array.from({ length: 64 }, () => 0));
    this.delete(0);
    return this;
  }

  /** What BPF_MAP_UPDATE_BATCH answers for these keys, and the count. */
  update(numbers: readonly number[]): readonly number[] {
    const { keys, values } = this.#buffers(numbers.length);
    numbers.forEach((number, index) => {
      keys.set(this.#bytes(number, this.#keySize), index * this.#keySize);
      values.set(this.#bytes(number + index, this.#valueSize), index * this.#valueSize);
    });
    const count = Uint32Array.of(numbers.length);
    return [this.#sys.mapUpdateBatch(this.#fd, keys, values, count), count[0] as number];
  }

  lookup(number: number): string {
    const value = new Uint8Array(this.#valueSize);
    return `${this.#sys.mapLookupElem(this.#fd, this.#bytes(number, this.#keySize), value)} ${value.join()}`;
  }

  delete(number: number): number {
    return this.#sys.mapDeleteElem(this.#fd, this.#bytes(number, this.#keySize));
  }

  /** All that BPF_MAP_LOOKUP_BATCH answers on a walk in steps of `step`: results, counts, cursors and whole buffers. */
  walk(step: number): unknown[] {
    const answers: unknown[] = [];
    let cursor: Uint8Array | null = null;
    for (let result = 0; result === 0; ) {
      const { keys, values } = this.#buffers(step);
      const next = new Uint8Array(4);
      const count = Uint32Array.of(step);
      result = this.#sys.mapLookupBatch(this.#fd, cursor, next, keys, values, count);
      answers.push([result, count[0], next.join(), keys.join(), values.join()]);
      cursor = next;
    }
    return answers;
  }

  #buffers(entries: number): { keys: Uint8Array; values: Uint8Array } {
    const filled = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0xee);
    return { keys: filled(entries * this.#keySize), values: filled(entries * this.#valueSize) };
  }

  #bytes(number: number, size: number): Uint8Array {
    return Uint8Array.from({ length: size }, (_, at) => number >>> (8 * (at & 3)));
  }
}

/** Programs on two tables of one kind, the second one without generated code, must answer alike. */
function compare(type: MapTypeName, keySize: number, valueSize: number, maxEntries: number, keys: number): void {
  const step = fc.oneof(
    { arbitrary: fc.array(fc.nat(keys), { minLength: 1, maxLength: 300 }), weight: 3 },
    { arbitrary: fc.nat(keys), weight: 1 },
  );
  const program = fc.tuple(
    fc.array(step, { maxLength: 8 }),
    fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 3 }),
  );
  fc.assert(
    fc.property(program, ([steps, walks]) => {
      setCodeGeneration(undefined);
      const hot = new BatchedHash(type, keySize, valueSize, maxEntries).heat();
      const run = (hash: BatchedHash): unknown[] => [
        ...steps.map((one) => (typeof one === "number" ? hash.delete(one) : hash.update(one))),
        ...walks.map((size) => hash.walk(size)),
      ];
      const answers = run(hot);
      setCodeGeneration(false);
      assert.deepEqual(answers, run(new BatchedHash(type, keySize, valueSize, maxEntries).heat()));
    }),
    { numRuns: 25 },
  );
}

/** Tables whose order is their own hold the same after the same batches, the second one without generated code. */
function compareContents(keys: number, maxEntries: number): void {
  const batches = fc.array(fc.array(fc.nat(keys), { minLength: 1, maxLength: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(batches, fc.array(fc.nat(keys), { maxLength: 40 }), (all, deleted) => {
      const run = (generates: boolean | undefined): unknown[] => {
        setCodeGeneration(generates);
        const hash = new BatchedHash("hash", 4, 8, maxEntries, 0).heat();
        const answers: unknown[] = [];
        for (const batch of all) {
          answers.push(hash.update(batch));
          for (const key of deleted) answers.push(hash.delete(key));
        }
        for (let key = 0; key <= keys; key++) answers.push(hash.lookup(key));
        return answers;
      };
      assert.deepEqual(run(undefined), run(false));
    }),
    { numRuns: 15 },
  );
}

/** So many keys of four bytes that all belong into one bucket of `buckets`, when the seed is zero. */
function keysOfOneBucket(count: number, buckets: number): number[] {
  const keys: number[] = [];
  for (let key = 1000; keys.length < count; key++) {
    if ((jhashWord(key, 0) & (buckets - 1)) === 7) keys.push(key);
  }
  return keys;
}

describe("batches on a hash through which much has gone", () => {
  afterEach(() => setCodeGeneration(undefined));

  for (const [keySize, valueSize] of [
    [4, 8],
    [8, 4],
    [16, 12],
    [64, 64],
    [3, 8],
    [4, 5],
    [68, 8],
  ] as const) {
    test(`answer what they answered before, with keys of ${keySize} and values of ${valueSize} bytes`, () => {
      compare("hash", keySize, valueSize, 300, 400);
    });
  }

  for (const type of ["lru_hash", "percpu_hash"] as const) {
    test(`answer what they answered before, on a ${type}`, () => compare(type, 4, 8, 300, 299));
  }

  test("leave what they left before in a table with an order of its own", () => compareContents(400, 300));

  test("answer what they answered before of a chain for which no note has room", () => {
    const keys = keysOfOneBucket(1500, 2048);
    const run = (generates: boolean): unknown[] => {
      setCodeGeneration(generates);
      const hash = new BatchedHash("hash", 4, 8, 2048).heat();
      hash.update([...keys, ...Array.from({ length: 500 }, (_, key) => key)]);
      return [300, 1499, 1600, 4000].map((step) => hash.walk(step));
    };
    assert.deepEqual(run(true), run(false));
  });

  test("end with E2BIG where the table is full, and say how far they came", () => {
    const hash = new BatchedHash("hash", 4, 8, 200).heat();
    assert.deepEqual(hash.update(Array.from({ length: 250 }, (_, key) => key)), [-E2BIG, 200]);
  });

  test("answer ENOSPC when not even one bucket fits, ENOENT at the end", () => {
    const hash = new BatchedHash("hash", 4, 8, 4).heat();
    hash.update([1, 2, 3, 4]);
    const results = [1, 2, 3, 4].map((step) => (hash.walk(step).at(-1) as readonly unknown[])[0]);
    assert.equal(results.at(-1), -ENOENT);
    assert.ok(results.every((result) => result === -ENOENT || result === -ENOSPC));
  });
});

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { onEveryKernel } from "../../../../test/kernels.ts";
import { fc } from "../../../../test/seeded.ts";
import { ENOENT, ENOSPC } from "../../../abi/errno.ts";
import { setCodeGeneration } from "../../../layout/compile.ts";
import { Sys } from "../../../sys/sys.ts";
import { EmbeddedKernel } from "../embedded-kernel.ts";

/** As many entries as it takes for code to be generated. */
const HOT = 4096;
const KEY_SIZE = 4;

/** A hash of numbers whose entries come in the order of its elements. */
class NumberHash {
  readonly #sys = new Sys(new EmbeddedKernel());
  readonly #fd: number;

  constructor(type: "hash" | "lru_hash", maxEntries: number) {
    this.#fd = this.#sys.mapCreate({ type, keySize: KEY_SIZE, valueSize: KEY_SIZE, maxEntries });
    assert.ok(this.#fd > 0);
  }

  set(key: number): number {
    return this.#sys.mapUpdateElem(this.#fd, bytesOf(key), bytesOf(~key));
  }

  delete(key: number): number {
    return this.#sys.mapDeleteElem(this.#fd, bytesOf(key));
  }

  /** At most `count` entries from a cursor on, as keys; and the cursor behind them, `null` at the end. */
  read(count: number, cursor: Uint8Array | null, deleting = false): { keys: number[]; cursor: Uint8Array | null } {
    const [keys, values] = [new Uint8Array(count * KEY_SIZE), new Uint8Array(count * KEY_SIZE)];
    const next = new Uint8Array(4);
    const done = Uint32Array.of(count);
    const result = deleting
      ? this.#sys.mapLookupAndDeleteBatch(this.#fd, cursor, next, keys, values, done)
      : this.#sys.mapLookupBatch(this.#fd, cursor, next, keys, values, done);
    assert.ok(result === 0 || result === -ENOENT || result === -ENOSPC);
    if (result === -ENOSPC) return this.read(count + 1, cursor, deleting);
    const [length] = done as unknown as [number];
    assert.ok(length <= count);
    const found = Array.from(new Uint32Array(keys.buffer, 0, length));
    assert.deepEqual(
      Array.from(new Uint32Array(values.buffer, 0, length)),
      found.map((key) => ~key >>> 0),
    );
    return { keys: found, cursor: result === 0 ? next : null };
  }

  readAll(step: number, deleting = false): number[] {
    const keys: number[] = [];
    let cursor: Uint8Array | null = null;
    do {
      const batch = this.read(step, cursor, deleting);
      keys.push(...batch.keys);
      cursor = batch.cursor;
    } while (cursor !== null);
    return keys;
  }

  keysByNextKey(): number[] {
    const keys: number[] = [];
    const key = new Uint8Array(KEY_SIZE);
    for (let previous: Uint8Array | null = null; this.#sys.mapGetNextKey(this.#fd, previous, key) === 0; ) {
      previous = key.slice();
      keys.push(new Uint32Array(previous.buffer)[0] as number);
    }
    return keys;
  }
}

function bytesOf(number: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(number).buffer);
}

function ascending(keys: Iterable<number>): number[] {
  return [...keys].sort((a, b) => a - b);
}

const SIZE = 200;
const changes = fc.array(fc.record({ isDelete: fc.boolean(), key: fc.nat(SIZE * 2) }), { maxLength: 600 });
const step = fc.integer({ min: 1, max: SIZE + 50 });

/** Makes the changes in a hash and in a set of keys, which then hold the same. */
function change(hash: NumberHash, keys: Set<number>, all: readonly { isDelete: boolean; key: number }[]): void {
  for (const { isDelete, key } of all) {
    if (isDelete) {
      assert.equal(hash.delete(key) === 0, keys.delete(key));
    } else if (hash.set(key) === 0) {
      keys.add(key);
    }
  }
}

for (const isGenerated of [true, false]) {
  describe(`a hash without BPF_F_ZERO_SEED, ${isGenerated ? "by generated" : "by plain"} code`, () => {
    afterEach(() => setCodeGeneration(undefined));

    test("gives every entry exactly once, in steps of any size, and by next keys in the same order", () => {
      setCodeGeneration(isGenerated ? undefined : false);
      fc.assert(
        fc.property(changes, step, fc.integer({ min: 1, max: SIZE }), (all, size, maxEntries) => {
          const hash = new NumberHash("hash", maxEntries);
          const keys = new Set<number>();
          hash.read(HOT, null);
          change(hash, keys, all);
          const found = hash.readAll(size);
          assert.deepEqual(ascending(found), ascending(keys));
          assert.deepEqual(hash.readAll(HOT), found);
          assert.deepEqual(hash.keysByNextKey(), found);
          assert.deepEqual(hash.readAll(size, true), found);
          assert.deepEqual(hash.readAll(HOT), []);
        }),
        { numRuns: 60 },
      );
    });

    test("gives an entry that stays exactly once, whatever comes and goes between two steps", () => {
      setCodeGeneration(isGenerated ? undefined : false);
      fc.assert(
        fc.property(
          changes,
          fc.array(changes, { maxLength: 4 }),
          fc.integer({ min: 1, max: 60 }),
          (before, then, size) => {
            const hash = new NumberHash("hash", SIZE);
            const keys = new Set<number>();
            hash.read(HOT, null);
            change(hash, keys, before);
            const staying = new Set(keys);
            const found: number[] = [];
            let cursor: Uint8Array | null = null;
            for (let round = 0; ; round++) {
              const batch = hash.read(size, cursor);
              found.push(...batch.keys);
              cursor = batch.cursor;
              if (cursor === null) break;
              change(hash, keys, then[round] ?? []);
              for (const key of staying) if (!keys.has(key)) staying.delete(key);
            }
            for (const key of staying) assert.equal(found.filter((one) => one === key).length, 1, `key ${key}`);
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}

test("a hash that evicts gives what is left exactly once", () => {
  const hash = new NumberHash("lru_hash", 100);
  for (let key = 0; key < 1000; key++) hash.set(key % 7 === 0 ? key % 10 : key);
  const found = hash.readAll(9);
  assert.equal(found.length, 100);
  assert.equal(new Set(found).size, 100);
});

test("the order of a hash is not that in which its entries came, and differs from hash to hash", () => {
  const orders = Array.from({ length: 20 }, () => {
    const hash = new NumberHash("hash", 1000);
    for (let key = 0; key < 100; key++) hash.set(key);
    return hash.readAll(HOT).join();
  });
  assert.ok(new Set(orders).size > 1);
});

/** What batches of a count give of a map that is filled with the keys from 0 on: how full each is, and its errno. */
function batchesOf(sys: Sys, fd: number, count: number, entries: number): { full: number; errnos: Set<number> } {
  for (let key = 0; key < entries; key++) assert.equal(sys.mapUpdateElem(fd, bytesOf(key), bytesOf(key)), 0);
  const [keys, values, next] = [new Uint8Array(count * 4), new Uint8Array(count * 4), new Uint8Array(4)];
  const errnos = new Set<number>();
  let full = 0;
  let batches = 0;
  for (let cursor: Uint8Array | null = null; ; cursor = next) {
    const done = Uint32Array.of(count);
    const result = sys.mapLookupBatch(fd, cursor, next, keys, values, done);
    errnos.add(result);
    if (result < 0) break;
    batches++;
    if (done[0] === count) full++;
  }
  return { full: full / batches, errnos };
}

onEveryKernel(({ open }) => {
  describe("a batch of a hash ends at the end of a bucket, whatever the order", () => {
    const ENTRIES = 4096;
    const hash = { type: "hash", keySize: 4, valueSize: 4, maxEntries: ENTRIES } as const;

    test("so many are not full", () => {
      using bpf = open();
      const { full, errnos } = batchesOf(bpf.sys, bpf.sys.mapCreate(hash), 16, ENTRIES);
      assert.ok(full > 0.3 && full < 0.9, `${full} of the batches were full`);
      assert.deepEqual([...errnos], [0, -ENOENT]);
    });

    test("and one that has no room for the next bucket is ENOSPC", () => {
      using bpf = open();
      const { errnos } = batchesOf(bpf.sys, bpf.sys.mapCreate(hash), 1, ENTRIES);
      assert.ok(errnos.has(-ENOSPC) && !errnos.has(-ENOENT));
    });
  });
});

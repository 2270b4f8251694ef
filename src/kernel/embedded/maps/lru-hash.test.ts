import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { embedded, u32 } from "mapiary";
import { fc } from "../../../../test/seeded.ts";

/** The entries of an LRU hash by the plainest second chance there is: a row of places and a hand that goes round. */
class SecondChance {
  readonly entries = new Map<number, number>();
  readonly #places: { key: number | undefined; used: boolean }[] = [];
  readonly #size: number;
  readonly #free: number[] = [];
  #hand = 0;

  constructor(size: number) {
    this.#size = size;
  }

  set(key: number, value: number): void {
    const known = this.#places.find((place) => place.key === key);
    if (known !== undefined) known.used = true;
    else this.#add(key);
    this.entries.set(key, value);
  }

  delete(key: number): boolean {
    const at = this.#places.findIndex((place) => place.key === key);
    if (at < 0) return false;
    this.#places[at] = { key: undefined, used: true };
    this.#free.push(at);
    return this.entries.delete(key);
  }

  #add(key: number): void {
    const at = this.#free.pop();
    if (at !== undefined) this.#places[at] = { key, used: true };
    else if (this.#places.length < this.#size) this.#places.push({ key, used: false });
    else this.#places[this.#evict()] = { key, used: false };
  }

  #evict(): number {
    for (;;) {
      const at = this.#hand;
      const place = this.#places[at];
      this.#hand = (at + 1) % this.#size;
      if (place?.used === false) {
        this.entries.delete(place.key as number);
        return at;
      }
      if (place !== undefined) place.used = false;
    }
  }
}

const key = fc.nat(40);
const commands = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant("set" as const), key }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("setMany" as const), keys: fc.array(key) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constantFrom("delete" as const, "take" as const), key }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant("get" as const), key }) },
  ),
  { maxLength: 200, size: "max" },
);

function sorted<V>(entries: Iterable<[number, V]>): [number, V][] {
  return [...entries].sort(([one], [other]) => one - other);
}

describe("an LRU hash", () => {
  test("evicts by second chance, and loses nothing else", () => {
    using bpf = embedded();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), commands, (maxEntries, program) => {
        using map = bpf.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries });
        const model = new SecondChance(maxEntries);
        program.forEach((command, step) => {
          if (command.op === "set") {
            map.set(command.key, step);
            model.set(command.key, step);
          } else if (command.op === "setMany") {
            map.setMany(command.keys.map((each) => [each, step]));
            for (const each of command.keys) model.set(each, step);
          } else if (command.op === "get") {
            assert.equal(map.get(command.key), model.entries.get(command.key));
          } else {
            const value = model.entries.get(command.key);
            const wasThere = model.delete(command.key);
            if (command.op === "take") assert.equal(map.take(command.key), value);
            else assert.equal(map.delete(command.key), wasThere);
          }
          assert.deepEqual(sorted(map), sorted(model.entries));
        });
      }),
    );
  });

  test("keeps the values of all CPUs together", () => {
    using bpf = embedded({ possibleCpus: 3 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.array(key, { maxLength: 200, size: "max" }),
        (maxEntries, keys) => {
          using map = bpf.createMap({ type: "lru_percpu_hash", key: u32, value: u32, maxEntries });
          const model = new SecondChance(maxEntries);
          keys.forEach((each, step) => {
            map.set(each, [step, each, step + each]);
            model.set(each, step);
          });
          const expected = sorted(model.entries).map(([each, step]) => [each, [step, each, step + each]]);
          const values = sorted(map).map(([each, percpu]) => [each, [...percpu]]);
          assert.deepEqual(values, expected);
        },
      ),
    );
  });
});

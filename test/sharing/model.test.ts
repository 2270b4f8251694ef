/**
 * All orders in which the steps of a few operations on a shared hash table can follow each other, and a death after any step
 * of any of them: the code of the table itself, see `stepped.ts`. After each, the survivors find what they must find.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { importStepped } from "./stepped.ts";

type Step = Generator<undefined, number, undefined>;

/** A table whose operations go step by step. */
interface Table {
  update(key: number, value: number, flags: number): Step;
  copyValue(key: number, value: number): Step;
  delete(key: number): Step;
  lookupAndDelete(key: number, value: number): Step;
  getNextKey(key: number, next: number): Step;
}

/** One who does something to the table: what it does, and what is known of it while it does. */
interface Actor {
  readonly steps: Generator<undefined, unknown, undefined>;
  /** A digest of all that it has read: together with the memory, all that there is to know of it. */
  history: number;
  beforeLock: number;
  isWaiting: boolean;
  state: "going" | "done" | "dead";
  result: unknown;
}

let actors: Actor[] = [];
let current: Actor | undefined;

function note(value: number): void {
  if (current !== undefined) current.history = (Math.imul(current.history ^ value, 0x01000193) + 0x9e3779b9) | 0;
}

function* load(view: Int32Array | Uint32Array, at: number): Step {
  yield;
  const value = view[at] as number;
  note(value);
  return value;
}

function* store(view: Int32Array | Uint32Array, at: number, value: number): Generator<undefined, void, undefined> {
  yield;
  view[at] = value;
  wake();
}

/** What somebody was waiting for may have come. */
function wake(): void {
  for (const actor of actors) actor.isWaiting = false;
}

const atomics = {
  load,
  *store(view: Int32Array, at: number, value: number): Step {
    yield* store(view, at, value);
    return value;
  },
  *compareExchange(view: Int32Array, at: number, expected: number, value: number): Step {
    yield;
    if (current !== undefined) current.beforeLock = current.history;
    const found = Atomics.compareExchange(view, at, expected, value);
    note(found);
    if (found === expected) wake();
    return found;
  },
};

function* copyBytes(
  memory: { i32: Int32Array },
  to: number,
  from: number,
  length: number,
): Generator<undefined, void, undefined> {
  for (let word = 0; word < length; word += 4) {
    const value = yield* load(memory.i32, (from + word) >>> 2);
    yield* store(memory.i32, (to + word) >>> 2, value);
  }
}

Object.assign(globalThis, { $steps: { load, store, atomics, copyBytes } });

/** With `--runs` there are longer programs, of which there are many more orders. */
const IS_LONG = process.env["MAPIARY_RUNS"] !== undefined;

const MAX_ENTRIES = 3;
const [KEYS, VALUES, OUT] = [0x8000, 0x8400, 0x8800];
/** The part of the memory that is the table, in words from its base. */
let segmentWords = 0;

// biome-ignore lint/suspicious/noExplicitAny: what is imported here is made by the test
let stepped: any;

before(async () => {
  stepped = await importStepped();
});

/** A table with some entries, and a table object for each actor. */
class World {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly memory: any;
  readonly tables: Table[] = [];
  readonly base: number;
  readonly #beginning: Uint8Array;

  constructor(count: number, entries: readonly (readonly [key: number, value: number])[]) {
    const { AddressSpace, MapCreateAttr, HASH, SharedHash } = stepped;
    this.memory = new AddressSpace(1 << 20);
    this.memory.allocate(0x20000, "keys and values");
    const attr = this.memory.allocate(256, "attr");
    // A hash with zero seed, so that every world is like every other: keys of 4 bytes, values of 8.
    this.memory.u32.set([1, 4, 8, MAX_ENTRIES, 1 << 6], attr >>> 2);
    const host = { memory: this.memory, possibleCpus: 1 };
    this.base = HASH.alloc(host, new MapCreateAttr(this.memory, attr)).base;
    segmentWords = this.memory.u32[(this.base + 128) >>> 2] / 4;
    const shape = { userValueSize: 8, storedSize: 8, isPercpu: false };
    for (let number = 1; number <= count + 1; number++) {
      const agent = {
        number,
        fence: 0,
        waitFor: (owner: number) => {
          if (actors[owner - 1]?.state === "dead") return true;
          if (current === undefined) throw new Error("a lock is held by nobody who lives");
          current.history = current.beforeLock;
          current.isWaiting = true;
          return false;
        },
      };
      this.tables.push(new SharedHash({ ...host, agent, scratch: 0 }, this.base, shape, number === 1));
    }
    for (let key = 0; key < 64; key++) this.memory.u32[(KEYS >>> 2) + key] = key;
    for (let value = 0; value < 64; value++) this.memory.u32.set([value, value * 1000], (VALUES >>> 2) + 2 * value);
    actors = [];
    for (const [key, value] of entries) run(this.table(count).update(keyAt(key), valueAt(value), 0));
    this.#beginning = this.memory.u8.slice(0, this.base + 4 * segmentWords);
  }

  /** As it was in the beginning. */
  reset(): void {
    this.memory.u8.set(this.#beginning);
  }

  table(actor: number): Table {
    return this.tables[actor] as Table;
  }

  /** What an actor has got: the value, or that it was torn. */
  value(actor: number): number | "torn" {
    const at = outAt(actor) >>> 2;
    const value = this.memory.u32[at];
    return this.memory.u32[at + 1] === value * 1000 ? value : "torn";
  }

  key(actor: number): number {
    return this.memory.u32[outAt(actor) >>> 2];
  }

  digest(): string {
    const words = this.memory.i32.subarray(this.base >>> 2, (this.base >>> 2) + segmentWords);
    const outs = this.memory.i32.subarray(OUT >>> 2, (OUT >>> 2) + 4 * actors.length);
    return `${words.join()}|${outs.join()}|${actors.map(({ history, state, isWaiting }) => `${history}${state}${isWaiting}`).join()}`;
  }
}

const keyAt = (key: number): number => KEYS + 4 * key;
const valueAt = (value: number): number => VALUES + 8 * value;
const outAt = (actor: number): number => OUT + 16 * actor;

function run<T>(steps: Generator<undefined, T, undefined>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

type Program = (world: World, actor: number) => Generator<undefined, unknown, undefined>;

interface Scenario {
  readonly entries: readonly (readonly [number, number])[];
  readonly programs: readonly Program[];
  /** What must be true when all have come to an end; a result is `undefined` for who has died. */
  readonly check: (world: World, results: readonly unknown[]) => void;
}

/** A choice: whose turn it is, or who dies. */
interface Choice {
  readonly actor: number;
  readonly dies: boolean;
}

/** Goes through all orders, with at most one death, and answers how many different situations there were. */
function explore({ entries, programs, check }: Scenario): number {
  const seen = new Set<string>();
  const pending: Choice[][] = [[]];
  const world = new World(programs.length, entries);
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    world.reset();
    actors = programs.map((program, index) => ({
      steps: program(world, index),
      history: 0,
      beforeLock: 0,
      isWaiting: false,
      state: "going",
      result: undefined,
    }));
    for (const choice of path) take(choice);
    for (;;) {
      const digest = world.digest();
      if (seen.has(digest)) break;
      seen.add(digest);
      const going = actors.flatMap((actor, index) => (actor.state === "going" && !actor.isWaiting ? [index] : []));
      if (going.length === 0) {
        assert(
          actors.every(({ state }) => state !== "going"),
          "all who live wait for each other",
        );
        current = undefined;
        check(
          world,
          actors.map(({ result }) => result),
        );
        break;
      }
      const canDie = actors.every(({ state }) => state !== "dead");
      const choices = going.flatMap((actor) => [{ actor, dies: false }, ...(canDie ? [{ actor, dies: true }] : [])]);
      const [first, ...others] = choices as [Choice, ...Choice[]];
      for (const other of others) pending.push([...path, other]);
      path = [...path, first];
      take(first);
    }
  }
  return seen.size;
}

function take({ actor: index, dies }: Choice): void {
  const actor = actors[index] as Actor;
  if (dies) {
    actor.state = "dead";
    wake();
    return;
  }
  current = actor;
  note(1);
  const { done, value } = actor.steps.next();
  current = undefined;
  if (!done) return;
  actor.state = "done";
  actor.result = value;
}

/** What a survivor finds: every key with its value. No key is there twice, and all room is there. */
function contents(world: World): Map<number, number | "torn"> {
  const survivor = actors.length;
  const table = world.table(survivor);
  const found = new Map<number, number | "torn">();
  for (let key = 0; ; ) {
    if (run(table.getNextKey(key, outAt(survivor))) !== 0) break;
    const next = world.key(survivor);
    assert(!found.has(next), `key ${next} comes twice`);
    assert.equal(run(table.copyValue(keyAt(next), outAt(survivor))), 0);
    found.set(next, world.value(survivor));
    key = keyAt(next);
  }
  let added = 0;
  for (let key = 40; run(table.update(keyAt(key), valueAt(1), 0)) === 0; key++) added++;
  assert.equal(found.size + added, MAX_ENTRIES, "room was lost");
  for (const key of found.keys())
    assert.equal(run(table.update(keyAt(key), valueAt(9), 2)), 0, "an entry cannot be written");
  return found;
}

const set =
  (key: number, value: number, flags = 0): Program =>
  (world, actor) =>
    world.table(actor).update(keyAt(key), valueAt(value), flags);

const get = (key: number): Program =>
  function* (world, actor) {
    const result = yield* world.table(actor).copyValue(keyAt(key), outAt(actor));
    return result === 0 ? world.value(actor) : result;
  };

const remove =
  (key: number): Program =>
  (world, actor) =>
    world.table(actor).delete(keyAt(key));

const takeOut = (key: number): Program =>
  function* (world, actor) {
    const result = yield* world.table(actor).lookupAndDelete(keyAt(key), outAt(actor));
    return result === 0 ? world.value(actor) : result;
  };

const both = (first: Program, second: Program): Program =>
  function* (world, actor) {
    return [yield* first(world, actor), yield* second(world, actor)];
  };

const walk: Program = function* (world, actor) {
  const keys: number[] = [];
  for (let key = 0; keys.length < 9; ) {
    if ((yield* world.table(actor).getNextKey(key, outAt(actor))) !== 0) return keys;
    keys.push(world.key(actor));
    key = keyAt(world.key(actor));
  }
  return keys;
};

const ENOENT = -2;
const EEXIST = -17;
const isOneOf = (value: unknown, ...allowed: unknown[]): void =>
  assert(allowed.includes(value), `${value} is not one of ${allowed}`);

describe("in every order of steps, with a death after any of them,", () => {
  const holds = (name: string, scenario: Scenario): void => {
    test(name, (context) => {
      const situations = explore(scenario);
      context.diagnostic(`${situations} situations`);
      assert(situations > 100);
    });
  };

  holds("a value that is overwritten is the old or the new one, and whole", {
    entries: [
      [1, 10],
      [2, 20],
    ],
    programs: [set(1, 11), get(1)],
    check(world, [written, read]) {
      if (read !== undefined) isOneOf(read, 10, 11);
      const found = contents(world);
      isOneOf(found.get(1), ...(written === 0 ? [11] : [10, 11]));
      assert.equal(found.get(2), 20);
    },
  });

  holds("one of two who want to be the first to write a key is", {
    entries: [[2, 20]],
    programs: [set(1, 11, 1), set(1, 12, 1)],
    check(world, [first, second]) {
      if (first !== undefined && second !== undefined && !actors.some(({ state }) => state === "dead")) {
        assert.deepEqual([first, second].sort(), [EEXIST, 0].sort());
      }
      assert(!(first === 0 && second === 0));
      isOneOf(contents(world).get(1), ...(first === 0 ? [11] : second === 0 ? [12] : [undefined, 11, 12]));
    },
  });

  holds("a reader finds what is there throughout while elements around it come and go", {
    entries: [
      [1, 10],
      [2, 20],
      [3, 30],
    ],
    programs: [both(remove(1), set(4, 40)), get(2)],
    check(world, [, read]) {
      if (read !== undefined) assert.equal(read, 20);
      const found = contents(world);
      assert.equal(found.get(2), 20);
      assert.equal(found.get(3), 30);
    },
  });

  holds("iteration meets what is there throughout once, while it is overwritten too", {
    entries: [
      [1, 10],
      [2, 20],
      [3, 30],
    ],
    programs: [IS_LONG ? both(set(1, 11), set(3, 31)) : set(3, 31), walk],
    check(world, [, keys]) {
      if (keys !== undefined) assert.deepEqual((keys as number[]).sort(), [1, 2, 3]);
      assert.deepEqual([...contents(world).keys()].sort(), [1, 2, 3]);
    },
  });

  holds("one of two who take an entry gets it", {
    entries: [
      [1, 10],
      [2, 20],
    ],
    programs: [takeOut(1), takeOut(1)],
    check(world, results) {
      if (!actors.some(({ state }) => state === "dead")) {
        assert.deepEqual([...results].sort(), [ENOENT, 10].sort());
      }
      assert.equal(contents(world).get(2), 20);
    },
  });

  if (IS_LONG)
    holds("two writers and a reader of one key see each other's values whole", {
      entries: [[1, 10]],
      programs: [set(1, 11), set(1, 12), get(1)],
      check(world, [, , read]) {
        if (read !== undefined) isOneOf(read, 10, 11, 12);
        isOneOf(contents(world).get(1), 10, 11, 12);
      },
    });
});

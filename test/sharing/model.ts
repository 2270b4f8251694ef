/**
 * All orders in which the steps of a few operations on a shared map can follow each other, and a death after any step of any of
 * them: the code of the map itself, see `stepped.ts`. After each, the survivors find what they must find.
 */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { importStepped } from "./stepped.ts";

type Steps<T> = Generator<undefined, T, undefined>;

/** A map whose operations go step by step. */
interface SteppedMap {
  update(key: number, value: number, flags: number): Steps<number>;
  copyValue(key: number, value: number, isLocked?: boolean): Steps<number>;
  delete(key: number): Steps<number>;
  lookupAndDelete(key: number, value: number): Steps<number>;
  getNextKey(key: number, next: number): Steps<number>;
  lockValue(lock: number): Steps<void>;
  reserve(size: number): Steps<number>;
  submit(record: number, flags?: number): Steps<void>;
  discard(record: number, flags?: number): Steps<void>;
  output(data: number, size: number, flags?: number): Steps<number>;
  settle(): Steps<void>;
}

/** A kind of map whose keys are small numbers, as the tests see it. */
export interface MapKind {
  readonly type: number;
  readonly valueWords: number;
  readonly maxEntries: number;
  /** The words of the key of a number; none for a map without keys. */
  readonly key: (number: number) => readonly number[];
  /** Which word of a value is a lock; none if there is none. */
  readonly lockWord?: number;
  /** Of a map that has no values of its own: those that are written into it have so many words nevertheless. */
  readonly hasNoValues?: boolean;
  /** Words of the segment, from and to, beside which nothing is written; all of it when not given. */
  readonly parts?: readonly (readonly [from: number, to: number])[];
  /** Makes the map what it is in the beginning. */
  readonly prepare?: (world: World) => void;
  /** The flags that the map is made with. */
  readonly mapFlags?: number;
}

/** One who does something to the map: what it does, and what is known of it while it does. */
interface Actor {
  readonly steps: Steps<unknown>;
  /** A digest of all that it has read: together with the memory, all that there is to know of it. */
  history: number;
  /** What it was before the step that is being taken: who finds a lock taken has learned nothing. */
  beforeStep: number;
  isWaiting: boolean;
  state: "going" | "done" | "dead";
  result: unknown;
}

let actors: Actor[] = [];
let current: Actor | undefined;

function note(value: number): void {
  if (current !== undefined) current.history = (Math.imul(current.history ^ value, 0x01000193) + 0x9e3779b9) | 0;
}

type View = Int32Array | Uint32Array | BigInt64Array | BigUint64Array;

function* load<T extends View>(view: T, at: number): Steps<T[number]> {
  yield;
  const value = view[at] as T[number];
  note(Number(value));
  return value;
}

function* store<T extends View>(view: T, at: number, value: T[number]): Steps<void> {
  yield;
  (view as { [at: number]: T[number] })[at] = value;
  wake();
}

/** What somebody was waiting for may have come. */
function wake(): void {
  for (const actor of actors) actor.isWaiting = false;
}

const atomics = {
  load,
  *store<T extends View>(view: T, at: number, value: T[number]): Steps<T[number]> {
    yield* store(view, at, value);
    return value;
  },
  *add(view: Int32Array, at: number, value: number): Steps<number> {
    yield;
    const found = Atomics.add(view, at, value);
    note(found);
    wake();
    return found;
  },
  *compareExchange(view: Int32Array, at: number, expected: number, value: number): Steps<number> {
    yield;
    const found = Atomics.compareExchange(view, at, expected, value);
    note(found);
    if (found === expected) wake();
    return found;
  },
};

function* copyBytes(memory: { i32: Int32Array }, to: number, from: number, length: number): Steps<void> {
  for (let word = 0; word < length; word += 4) {
    const value = yield* load(memory.i32, (from + word) >>> 2);
    yield* store(memory.i32, (to + word) >>> 2, value);
  }
}

/** What `EmbeddedMap.loadValue` does. */
function* loadValue(
  map: { memory: { i32: Int32Array }; record?: SteppedRecord; userValueSize: number },
  from: number,
  to: number,
): Steps<void> {
  if (map.record === undefined) yield* copyBytes(map.memory, to, from, map.userValueSize);
  else yield* map.record.load(map.memory, from, to);
}

/** What `ValueRecord` does for values of so many words of which one is a lock, in steps. */
class SteppedRecord {
  readonly hasSpinLock = true;
  readonly spinLockOffset: number;
  readonly #words: number;

  constructor(words: number, lockWord: number) {
    this.spinLockOffset = lockWord * 4;
    this.#words = words;
  }

  *store(memory: { i32: Int32Array }, to: number, from: number): Steps<void> {
    for (let at = 0; at < this.#words * 4; at += 4) {
      if (at !== this.spinLockOffset) yield* copyBytes(memory, to + at, from + at, 4);
    }
  }

  *load(memory: { i32: Int32Array }, from: number, to: number): Steps<void> {
    yield* this.store(memory, to, from);
    yield* store(memory.i32, (to + this.spinLockOffset) >>> 2, 0);
  }

  storeNew(memory: { i32: Int32Array }, at: number, value: number): Steps<void> {
    return this.load(memory, value, at);
  }
}

Object.assign(globalThis, { $steps: { load, store, atomics, copyBytes, loadValue } });

/** With `--runs` there are longer programs, of which there are many more orders. */
export const IS_LONG = process.env["MAPIARY_RUNS"] !== undefined;

const [KEYS, VALUES, OUT, SCRATCH] = [0x8000, 0x9000, 0xa000, 0xb000];
const NUMBERS = 64;
const KEY_BYTES = 8;
const OUT_BYTES = 32;
/** As in `struct bpf_attr`'s name and the header of a segment. */
const ZERO_SEED = 1 << 6;

// biome-ignore lint/suspicious/noExplicitAny: what is imported here is made by the test
let stepped: any;

/** A map with some entries, and an object for it for each actor and the one who survives them all. */
export class World {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly memory: any;
  readonly kind: MapKind;
  readonly #maps: SteppedMap[] = [];
  readonly #base: number;
  readonly #words: number;
  readonly #beginning: Uint8Array;

  constructor(kind: MapKind, count: number, entries: readonly (readonly [key: number, value: number])[]) {
    const { AddressSpace, MapCreateAttr, MAP_TYPES, makeShared } = stepped;
    this.kind = kind;
    this.memory = new AddressSpace(1 << 20);
    Object.defineProperty(this.memory, "isShared", { value: true });
    this.memory.allocate(0x20000, "keys and values");
    const { type, valueWords, maxEntries, mapFlags = 0 } = kind;
    const valueBytes = valueWords * 4;
    const valueSize = kind.hasNoValues ? 0 : valueBytes;
    const attr = this.memory.allocate(256, "attr");
    this.memory.u32.set([type, kind.key(0).length * 4, valueSize, maxEntries, mapFlags], attr >>> 2);
    const host = { memory: this.memory, possibleCpus: 1 };
    this.#base = MAP_TYPES.get(type).alloc(host, new MapCreateAttr(this.memory, attr)).base;
    this.#words = this.memory.u32[(this.#base + 128) >>> 2] / 4;
    const shape = { type, valueSize, maxEntries, mapFlags, mapExtra: 0 };
    for (let number = 1; number <= count + 1; number++) {
      const sharing = { ...host, agent: agentOf(number), scratch: SCRATCH + number * 8 };
      const map = makeShared(sharing, this.#base, shape, number === 1);
      if (kind.lockWord !== undefined) map.record = new SteppedRecord(valueWords, kind.lockWord);
      this.#maps.push(map);
    }
    for (let number = 0; number < NUMBERS; number++) {
      this.memory.u32.set(kind.key(number), (KEYS + KEY_BYTES * number) >>> 2);
      this.memory.u32.set(this.wordsOf(number), (VALUES + valueBytes * number) >>> 2);
    }
    actors = [];
    for (const [key, value] of entries) run(this.map(count).update(this.keyAt(key), this.valueAt(value), 0));
    kind.prepare?.(this);
    this.#beginning = this.memory.u8.slice(0, this.#base + 4 * this.#words);
  }

  /** As it was in the beginning. */
  reset(): void {
    this.memory.u8.set(this.#beginning);
  }

  /** The map in the eyes of an actor; the one who survives comes behind the others. */
  map(actor: number): SteppedMap {
    return this.#maps[actor] as SteppedMap;
  }

  get survivor(): number {
    return this.#maps.length - 1;
  }

  /** The key of a number; none for one below 0. */
  keyAt(key: number): number {
    return key < 0 ? 0 : KEYS + KEY_BYTES * key;
  }

  valueAt(value: number): number {
    return VALUES + this.kind.valueWords * 4 * value;
  }

  /** Where in the map a value lies. */
  placeOf(value: number): number {
    const words = this.wordsOf(value);
    for (let at = (this.#base >>> 2) + 64; at < (this.#base >>> 2) + this.#words; at++) {
      if (words.every((word, index) => this.memory.u32[at + index] === word)) return at * 4;
    }
    throw new Error(`${value} lies nowhere`);
  }

  outAt(actor: number): number {
    return OUT + OUT_BYTES * actor;
  }

  /** What an actor has got: the value, or that it was torn. */
  value(actor: number): number | "torn" {
    const at = this.outAt(actor) >>> 2;
    const value: number = this.memory.u32[at];
    return this.wordsOf(value).every((word, index) => this.memory.u32[at + index] === word) ? value : "torn";
  }

  /** The number of the key that an actor has got. */
  key(actor: number): number {
    const at = this.outAt(actor) >>> 2;
    for (let number = 0; number < NUMBERS; number++) {
      if (this.kind.key(number).every((word, index) => this.memory.u32[at + index] === word)) return number;
    }
    throw new Error("a key that nobody has written");
  }

  /** Words by which a value shows that it is whole; a lock that nobody has. */
  wordsOf(value: number): number[] {
    const { valueWords, lockWord } = this.kind;
    return Array.from({ length: valueWords }, (_, word) =>
      word === lockWord ? 0 : (value + word * value * 1000) >>> 0,
    );
  }

  /** The word of the memory that is a word of the segment. */
  wordAt(word: number): number {
    return (this.#base >>> 2) + word;
  }

  digest(): string {
    const parts = this.kind.parts ?? [[0, this.#words]];
    const words = parts.map(([from, to]) => this.memory.i32.subarray(this.wordAt(from), this.wordAt(to)).join());
    const outs = this.memory.i32.subarray(OUT >>> 2, (OUT + OUT_BYTES * actors.length) >>> 2);
    return `${words.join()}|${outs.join()}|${actors.map(({ history, state, isWaiting }) => `${history}${state}${isWaiting}`).join()}`;
  }
}

function agentOf(number: number): object {
  return {
    number,
    fence: 0,
    isDead: (agent: number): boolean => actors[agent - 1]?.state === "dead",
    waitFor(owner: number): boolean {
      if (actors[owner - 1]?.state === "dead") return true;
      if (current === undefined) throw new Error("a lock is held by nobody who lives");
      current.history = current.beforeStep;
      current.isWaiting = true;
      return false;
    },
  };
}

/** Lets somebody come to an end alone. */
export function run<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

export { load, type Steps, store };

export type Program = (world: World, actor: number) => Steps<unknown>;

export interface Scenario {
  readonly entries: readonly (readonly [number, number])[];
  readonly programs: readonly Program[];
  /** What must be true when all have come to an end; a result is `undefined` for who has died. */
  readonly check: (world: World, results: readonly unknown[]) => void;
}

/** Whether somebody has died in the order that is being checked. */
export function somebodyDied(): boolean {
  return actors.some(({ state }) => state === "dead");
}

/** A choice: whose turn it is, or who dies. */
interface Choice {
  readonly actor: number;
  readonly dies: boolean;
}

/** Goes through all orders, with at most one death, and answers how many different situations there were. */
function explore(kind: MapKind, { entries, programs, check }: Scenario): number {
  const seen = new Set<string>();
  const pending: Choice[][] = [[]];
  const world = new World(kind, programs.length, entries);
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    world.reset();
    actors = programs.map((program, index) => ({
      steps: program(world, index),
      history: 0,
      beforeStep: 0,
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
      const canDie = !somebodyDied();
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
  actor.beforeStep = actor.history;
  note(1);
  const { done, value } = actor.steps.next();
  current = undefined;
  if (!done) return;
  actor.state = "done";
  actor.result = value;
}

/** What a survivor finds, every key with its value. No key is there twice. */
export function entriesOf(world: World): Map<number, number | "torn"> {
  const { survivor } = world;
  const map = world.map(survivor);
  const found = new Map<number, number | "torn">();
  for (let key = 0; run(map.getNextKey(key, world.outAt(survivor))) === 0; ) {
    const next = world.key(survivor);
    assert(!found.has(next), `key ${next} comes twice`);
    key = world.keyAt(next);
    assert.equal(run(map.copyValue(key, world.outAt(survivor))), 0);
    found.set(next, world.value(survivor));
  }
  return found;
}

/** What a survivor finds. Every entry can be written, and all room is there: for maps that hold so many entries and not one more. */
export function contents(world: World, newKeys = 40): Map<number, number | "torn"> {
  const found = entriesOf(world);
  const map = world.map(world.survivor);
  let added = 0;
  for (let key = newKeys; run(map.update(world.keyAt(key), world.valueAt(1), 0)) === 0; key++) added++;
  assert.equal(found.size + added, world.kind.maxEntries, "room was lost");
  for (const key of found.keys())
    assert.equal(run(map.update(world.keyAt(key), world.valueAt(9), 2)), 0, "an entry cannot be written");
  return found;
}

export const set =
  (key: number, value: number, flags = 0): Program =>
  (world, actor) =>
    world.map(actor).update(world.keyAt(key), world.valueAt(value), flags);

export const get = (key: number): Program =>
  function* (world, actor) {
    const result = yield* world.map(actor).copyValue(world.keyAt(key), world.outAt(actor));
    return result === 0 ? world.value(actor) : result;
  };

const BPF_F_LOCK = 4;

export const setLocked = (key: number, value: number): Program => set(key, value, BPF_F_LOCK);

export const getLocked = (key: number): Program =>
  function* (world, actor) {
    const result = yield* world.map(actor).copyValue(world.keyAt(key), world.outAt(actor), true);
    return result === 0 ? world.value(actor) : result;
  };

/** What a program does that counts a value up between `bpf_spin_lock` and `bpf_spin_unlock`, word by word: to what. */
export const countUp =
  (place: (world: World) => number): Program =>
  (world, actor) =>
    countUpAt(world, actor, place(world));

function* countUpAt(world: World, actor: number, at: number): Steps<number> {
  const { lockWord = 0 } = world.kind;
  const { i32 } = world.memory;
  const first = lockWord === 0 ? 1 : 0;
  yield* world.map(actor).lockValue(at + lockWord * 4);
  // Of the first word of a value that can be known.
  const before = ((yield* load(i32, (at >>> 2) + first)) >>> 0) / (first === 0 ? 1 : 1001);
  for (const [word, content] of world.wordsOf(before + 1).entries()) {
    if (word !== lockWord) yield* store(i32, (at >>> 2) + word, content);
  }
  yield* store(i32, (at >>> 2) + lockWord, 0);
  return before + 1;
}

export const remove =
  (key: number): Program =>
  (world, actor) =>
    world.map(actor).delete(world.keyAt(key));

export const takeOut = (key: number): Program =>
  function* (world, actor) {
    const result = yield* world.map(actor).lookupAndDelete(world.keyAt(key), world.outAt(actor));
    return result === 0 ? world.value(actor) : result;
  };

export const both = (first: Program, second: Program): Program =>
  function* (world, actor) {
    return [yield* first(world, actor), yield* second(world, actor)];
  };

export const walk: Program = function* (world, actor) {
  const keys: number[] = [];
  for (let key = 0; keys.length < 9; ) {
    if ((yield* world.map(actor).getNextKey(key, world.outAt(actor))) !== 0) return keys;
    keys.push(world.key(actor));
    key = world.keyAt(world.key(actor));
  }
  return keys;
};

export const ENOENT = -2;
export const EEXIST = -17;

export function isOneOf(value: unknown, ...allowed: unknown[]): void {
  assert(allowed.includes(value), `${value} is not one of ${allowed}`);
}

type Holds = (name: string, scenario: Scenario) => void;

/** Declares tests of a kind of map, each of a statement that holds in every order. */
export function inEveryOrder(name: string, kind: MapKind, suite: (holds: Holds) => void): void {
  describe(`in every order of steps on ${name}, with a death after any of them,`, () => {
    before(async () => {
      stepped ??= await importStepped();
    });
    suite((statement, scenario) => {
      test(statement, (context) => {
        const situations = explore(kind, scenario);
        context.diagnostic(`${situations} situations`);
        assert(situations > 100);
      });
    });
  });
}

/** The flag by which hash tables have no seed, so that every world is like every other. */
export { ZERO_SEED };

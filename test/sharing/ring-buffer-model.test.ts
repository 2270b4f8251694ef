import assert from "node:assert/strict";
import {
  both,
  inEveryOrder,
  load,
  type MapKind,
  type Program,
  run,
  type Steps,
  somebodyDied,
  store,
  type World,
} from "./model.ts";

const RINGBUF = 27;
const CAPACITY = 4096;
const RECORD_WORDS = 2;
const RECORD_BYTES = RECORD_WORDS * 4;
/** The words that a record takes in the ring. */
const ROOM = RECORD_WORDS + 2;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;
const NO_WAKEUP = 1;

const PAGE_WORDS = 1024;
const [PENDING, NEWS] = [16, 19];
const [CONSUMER, PRODUCER, DATA] = [PAGE_WORDS, 2 * PAGE_WORDS, 3 * PAGE_WORDS];
/** More than the records of a scenario take, from the first on. */
const USED = 5 * ROOM;

/** A ring buffer whose first record comes at a position, of which only the rest behind it is free. */
function ring(first: number, free = CAPACITY): MapKind {
  const at = DATA + (first % CAPACITY) / 4;
  return {
    type: RINGBUF,
    valueWords: RECORD_WORDS,
    hasNoValues: true,
    maxEntries: CAPACITY,
    key: () => [],
    parts: [PENDING, CONSUMER, PRODUCER]
      .map((word) => [word, word + 5] as const)
      .concat([
        [at, at + USED],
        [DATA, DATA + USED],
      ]),
    prepare(world) {
      for (const [word, position] of [
        [PENDING, first],
        [PRODUCER, first],
        // What has not been read yet takes the rest of the room.
        [CONSUMER, first + free - CAPACITY],
      ] as const)
        world.memory.u64[world.wordAt(word) / 2] = BigInt(position);
    },
  };
}

const PLAIN = ring(0);
/** Where the first record goes beyond the end of the data, and changes the upper half of the positions. */
const BEFORE_CROSSING = 2 ** 32 - 8;
const CROSSING = ring(BEFORE_CROSSING);

/** The words of a u64. */
function* position(world: World, word: number): Steps<number> {
  return Number(yield* load(world.memory.u64 as BigUint64Array, world.wordAt(word) / 2));
}

const output =
  (value: number, flags = 0): Program =>
  (world, actor) =>
    world.map(actor).output(world.valueAt(value), RECORD_BYTES, flags);

const write = (value: number, how: "submit" | "discard" = "submit", flags = 0): Program =>
  function* (world, actor) {
    const map = world.map(actor);
    const record = yield* map.reserve(RECORD_BYTES);
    if (record === 0) return "full";
    for (const [word, content] of world.wordsOf(value).entries()) {
      yield* store(world.memory.u32 as Uint32Array, (record >>> 2) + word, content);
    }
    yield* how === "submit" ? map.submit(record, flags) : map.discard(record, flags);
    return 0;
  };

/** What a consumer got, and how much news there was before it looked for the last time. */
interface Consumed {
  readonly values: (number | "torn")[];
  readonly told: number;
  /** Up to where it has come. */
  readonly at: number;
}

/** Takes all that is there, as a consumer in user space does: see `RingConsumer`. */
function* consumeAll(world: World): Steps<Consumed> {
  const { u32, u64 } = world.memory as { u32: Uint32Array; u64: BigUint64Array };
  const values: (number | "torn")[] = [];
  const told = yield* load(u32, world.wordAt(NEWS));
  for (let at = yield* position(world, CONSUMER); ; ) {
    const end = yield* position(world, PRODUCER);
    if (at >= end) return { values, told, at };
    const header = world.wordAt(DATA) + (at % CAPACITY) / 4;
    const length = yield* load(u32, header);
    if (length >= BUSY) return { values, told, at };
    if (length < DISCARDED) {
      const value = yield* load(u32, header + 2);
      const second = yield* load(u32, header + 3);
      values.push(second === world.wordsOf(value)[1] ? value : "torn");
    }
    at += ROOM * 4;
    yield* store(u64, world.wordAt(CONSUMER) / 2, BigInt(at));
  }
}

const consume: Program = (world) => consumeAll(world);
const settle: Program = (world, actor) => world.map(actor).settle();

/** What a survivor finds who waits for records; then the ring holds as many as it can. */
function rest(world: World): (number | "torn")[] {
  const map = world.map(world.survivor);
  run(map.settle());
  const { values, at } = run(consumeAll(world));
  assert.equal(at, run(position(world, PRODUCER)), "a record that nobody writes any more holds up the consumer");
  let added = 0;
  while (run(map.output(world.valueAt(1), RECORD_BYTES)) === 0) added++;
  assert.equal(added, Math.floor((CAPACITY - 1) / (ROOM * 4)), "room was lost");
  return values;
}

/** Who consumed all and waits is told when there is something to be had. */
function assertTold(world: World, { told, at }: Consumed): void {
  run(world.map(world.survivor).settle());
  const isBehind = run(position(world, PRODUCER)) > at;
  if (isBehind)
    assert.notEqual(run(load(world.memory.u32 as Uint32Array, world.wordAt(NEWS))), told, "nobody was told");
}

/** Each value that was acknowledged is there once, in whatever order, and no other but that of who died, at most once. */
function assertOnce(found: readonly (number | "torn")[], results: readonly unknown[], values: readonly number[]): void {
  assert.equal(new Set(found).size, found.length, `${found}`);
  for (const value of found) assert(values.includes(value as number), `${value} is not one of ${values}`);
  values.forEach((value, index) => {
    if (results[index] === 0) assert(found.includes(value), `${value} is not among ${found}`);
    if (results[index] !== 0 && !somebodyDied()) assert(!found.includes(value));
  });
}

for (const [name, kind] of [
  ["a ring buffer", PLAIN],
  ["a ring buffer at the end of its data and of 32 bits", CROSSING],
] as const) {
  inEveryOrder(name, kind, (holds) => {
    /** A consumer that waited when nothing had been produced yet. */
    const AT_FIRST: Consumed = { values: [], told: 0, at: kind === PLAIN ? 0 : BEFORE_CROSSING };

    holds("what two produce is there once", {
      entries: [],
      programs: [output(11), write(12)],
      check(world, results) {
        assertTold(world, AT_FIRST);
        assertOnce(rest(world), results, [11, 12]);
      },
    });

    holds("who reserved and died holds up nobody", {
      entries: [],
      programs: [write(11), write(12)],
      check(world, results) {
        assertTold(world, AT_FIRST);
        assertOnce(rest(world), results, [11, 12]);
      },
    });

    for (const [what, produce] of [
      ["reserved and submitted", write(11)],
      ["written at once", output(11)],
    ] as const) {
      holds(`a consumer gets a record that is ${what} once and whole, and is told of it`, {
        entries: [],
        programs: [produce, consume],
        check(world, [result, consumed]) {
          // What a consumer that died has got nobody knows.
          const { values } = (consumed ?? { values: [] }) as Consumed;
          if (consumed !== undefined) assertTold(world, consumed as Consumed);
          assertOnce([...values, ...rest(world)], consumed === undefined ? [] : [result], [11]);
        },
      });
    }

    holds("what is discarded is never seen, nor in the way", {
      entries: [],
      programs: [write(11, "discard"), consume],
      check(world, [, consumed]) {
        assert.deepEqual((consumed as Consumed | undefined)?.values ?? [], []);
        assert.deepEqual(rest(world), []);
      },
    });

    holds("there is room while a consumer reads what was written before", {
      entries: [],
      programs: [both(output(11), output(12)), consume],
      check(world, [results, consumed]) {
        if (results !== undefined) assert.deepEqual(results, [0, 0]);
        const { values } = (consumed ?? { values: [] }) as Consumed;
        const all = [...values, ...rest(world)];
        if (!somebodyDied()) assert.deepEqual(all, [11, 12]);
      },
    });

    holds("who waits does not discard what is still being written", {
      entries: [],
      programs: [write(11), settle],
      check: (world, [result]) => assertOnce(rest(world), [result], [11]),
    });
  });
}

inEveryOrder("a ring buffer with room for one record", ring(CAPACITY, 2 * ROOM * 4), (holds) => {
  holds("one of two gets it", {
    entries: [],
    programs: [write(11), output(12)],
    check(world, results) {
      if (!somebodyDied()) assert.equal(results.filter((result) => result === 0).length, 1);
      const { memory } = world;
      // What lay there before was read meanwhile.
      memory.u64[world.wordAt(CONSUMER) / 2] = BigInt(CAPACITY);
      assertOnce(rest(world), results, [11, 12]);
    },
  });
});

inEveryOrder("a ring buffer whose producers wake nobody", PLAIN, (holds) => {
  holds("a consumer is told nothing, unless somebody died", {
    entries: [],
    programs: [write(11, "submit", NO_WAKEUP), consume],
    check(world) {
      if (!somebodyDied()) assert.equal(run(load(world.memory.u32 as Uint32Array, world.wordAt(NEWS))), 0);
    },
  });
});

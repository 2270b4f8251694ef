import assert from "node:assert/strict";
import {
  both,
  contents,
  EEXIST,
  ENOENT,
  entriesOf,
  get,
  IS_LONG,
  inEveryOrder,
  isOneOf,
  type MapKind,
  remove,
  run,
  type Scenario,
  set,
  somebodyDied,
  takeOut,
  type World,
  walk,
  ZERO_SEED,
} from "./model.ts";

const HASH: MapKind = { type: 1, valueWords: 2, maxEntries: 3, key: (number) => [number], mapFlags: ZERO_SEED };
/** Values of up to 8 bytes are overwritten by one store, longer ones in another element. */
const LONG_HASH: MapKind = { ...HASH, valueWords: 3 };
const LRU: MapKind = { ...HASH, type: 9, maxEntries: 2 };

const EXIST = 2;

inEveryOrder("a hash", HASH, holdsForHash);
inEveryOrder("a hash of long values", LONG_HASH, holdsForHash);

function holdsForHash(holds: (name: string, scenario: Scenario) => void): void {
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
      if (!somebodyDied()) assert.deepEqual([first, second].sort(), [EEXIST, 0].sort());
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
      if (!somebodyDied()) assert.deepEqual([...results].sort(), [ENOENT, 10].sort());
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

  holds("who takes an entry while it is overwritten gets the last value, or leaves the new one", {
    entries: [
      [1, 10],
      [2, 20],
    ],
    programs: [set(1, 11), takeOut(1)],
    check(world, [written, taken]) {
      const found = contents(world);
      if (taken !== undefined) isOneOf(taken, 10, 11);
      if (written === 0 && taken === 10) assert.equal(found.get(1), 11);
      if (taken === 11) assert.equal(found.get(1), undefined);
    },
  });

  if (IS_LONG)
    holds("an overwrite meets no element that has another key by then", {
      entries: [
        [1, 10],
        [2, 20],
        [3, 30],
      ],
      programs: [set(1, 11, EXIST), both(remove(1), set(4, 40))],
      check(world, [written, others]) {
        const found = contents(world);
        isOneOf(found.get(4), ...(somebodyDied() ? [undefined, 40] : [40]));
        isOneOf(found.get(1), ...(others === undefined ? [undefined, 10, 11] : [undefined]));
        isOneOf(written, undefined, 0, ENOENT);
        assert.equal(found.get(2), 20);
      },
    });
}

inEveryOrder("a hash that evicts", LRU, (holds) => {
  holds("a new entry takes the place of an old one, and no place is lost", {
    entries: [
      [1, 10],
      [2, 20],
    ],
    programs: [set(3, 30), get(1)],
    check(world, [written, read]) {
      if (read !== undefined) isOneOf(read, 10, ENOENT);
      const found = entriesOf(world);
      if (written === 0) assert.equal(found.get(3), 30);
      for (const [key, value] of found) assert.equal(value, key * 10);
      assert(found.size <= 2);
      fill(world);
    },
  });

  holds("two who add to a full table both find room", {
    entries: [
      [1, 10],
      [2, 20],
    ],
    programs: [set(3, 30), set(4, 40)],
    check(world, results) {
      for (const result of results) isOneOf(result, 0, undefined);
      for (const [key, value] of entriesOf(world)) assert.equal(value, key * 10);
      fill(world);
    },
  });

  /** What somebody lost is found again once the table is full. */
  function fill(world: World): void {
    for (let key = 40; key < 46; key++) assert.equal(run(set(key, key)(world, world.survivor)), 0);
    assert.equal(entriesOf(world).size, 2);
  }
});

import assert from "node:assert/strict";
import {
  both,
  contents,
  EEXIST,
  get,
  IS_LONG,
  inEveryOrder,
  isOneOf,
  type MapKind,
  remove,
  set,
  somebodyDied,
  walk,
} from "./model.ts";

/** Keys by the bits of their prefixes. */
const PREFIXES = ["", "1", "10", "11", "101", "0", "100"] as const;

/** The numbers of `PREFIXES`; those behind are 16 bits that begin with 0. */
const TRIE: MapKind = {
  type: 11,
  valueWords: 2,
  maxEntries: 3,
  mapFlags: 1,
  key(number) {
    const prefix = PREFIXES[number];
    if (prefix === undefined) return [16, number << 8];
    return [prefix.length, prefix === "" ? 0 : Number.parseInt(prefix.padEnd(8, "0"), 2)];
  },
};
const [ONE, TEN, ELEVEN, ONE_O_ONE, ZERO, HUNDRED] = [1, 2, 3, 4, 5, 6] as const;

inEveryOrder("an LPM trie", TRIE, (holds) => {
  holds("a value that is overwritten is the old or the new one, and whole", {
    entries: [
      [ONE, 10],
      [ZERO, 50],
    ],
    programs: [set(ONE, 11), get(ONE_O_ONE)],
    check(world, [written, read]) {
      if (read !== undefined) isOneOf(read, 10, 11);
      const found = contents(world);
      isOneOf(found.get(ONE), ...(written === 0 ? [11] : [10, 11]));
      assert.equal(found.get(ZERO), 50);
    },
  });

  holds("a reader finds what is there throughout while it is parted from a new prefix", {
    entries: [[ONE_O_ONE, 40]],
    programs: [set(HUNDRED, 60), get(ONE_O_ONE)],
    check(world, [written, read]) {
      if (read !== undefined) assert.equal(read, 40);
      const found = contents(world);
      assert.equal(found.get(ONE_O_ONE), 40);
      isOneOf(found.get(HUNDRED), ...(written === 0 ? [60] : [undefined, 60]));
    },
  });

  holds("a reader finds what is there throughout while the prefix beside it goes", {
    entries: [
      [ONE_O_ONE, 40],
      [HUNDRED, 60],
    ],
    programs: [remove(HUNDRED), get(ONE_O_ONE)],
    check(world, [removed, read]) {
      if (read !== undefined) assert.equal(read, 40);
      const found = contents(world);
      assert.equal(found.get(ONE_O_ONE), 40);
      isOneOf(found.get(HUNDRED), ...(removed === 0 ? [undefined] : [undefined, 60]));
    },
  });

  holds("a lookup finds the longer or the shorter prefix while the longer one comes", {
    entries: [[ONE, 10]],
    programs: [set(TEN, 20), get(ONE_O_ONE)],
    check(world, [written, read]) {
      if (read !== undefined) isOneOf(read, 10, 20);
      const found = contents(world);
      assert.equal(found.get(ONE), 10);
      isOneOf(found.get(TEN), ...(written === 0 ? [20] : [undefined, 20]));
    },
  });

  holds("one of two who want to be the first to write a prefix is", {
    entries: [[ONE, 10]],
    programs: [set(TEN, 20, 1), set(TEN, 21, 1)],
    check(world, [first, second]) {
      if (!somebodyDied()) assert.deepEqual([first, second].sort(), [EEXIST, 0].sort());
      assert(!(first === 0 && second === 0));
      isOneOf(contents(world).get(TEN), ...(first === 0 ? [20] : second === 0 ? [21] : [undefined, 20, 21]));
    },
  });

  holds("one who adds and one who removes each do what they do", {
    entries: [
      [ONE_O_ONE, 40],
      [HUNDRED, 60],
    ],
    programs: [remove(HUNDRED), set(ELEVEN, 30)],
    check(world, [removed, written]) {
      const found = contents(world);
      assert.equal(found.get(ONE_O_ONE), 40);
      isOneOf(found.get(HUNDRED), ...(removed === 0 ? [undefined] : [undefined, 60]));
      isOneOf(found.get(ELEVEN), ...(written === 0 ? [30] : [undefined, 30]));
    },
  });

  holds("iteration meets what is there throughout once, while it is overwritten and another prefix comes", {
    entries: [
      [ONE_O_ONE, 40],
      [HUNDRED, 60],
    ],
    programs: [IS_LONG ? both(set(ONE_O_ONE, 41), set(TEN, 20)) : set(ONE_O_ONE, 41), walk],
    check(world, [, keys]) {
      if (keys !== undefined) {
        const met = (keys as number[]).filter((key) => key !== TEN);
        assert.deepEqual(met.sort(), [ONE_O_ONE, HUNDRED]);
      }
      const found = [...contents(world).keys()];
      assert(found.includes(ONE_O_ONE) && found.includes(HUNDRED));
    },
  });

  if (IS_LONG)
    holds("two writers and a reader of one prefix see each other's values whole", {
      entries: [[ONE, 10]],
      programs: [set(ONE, 11), remove(ONE), get(ONE_O_ONE)],
      check(world, [, , read]) {
        if (read !== undefined) isOneOf(read, 10, 11, -2);
        isOneOf(contents(world).get(ONE), undefined, 10, 11);
      },
    });
});

import assert from "node:assert/strict";
import { both, get, IS_LONG, inEveryOrder, isOneOf, type MapKind, run, set, type World } from "./model.ts";

/** Values of more than 8 bytes, which cannot be written in one piece; the first and the last index have one guard. */
const ARRAY: MapKind = { type: 2, valueWords: 3, maxEntries: 3, key: (number) => [number] };

/** What a survivor finds, before and after it writes itself. */
function found(world: World, index: number): number | "torn" {
  const { survivor } = world;
  const value = run(get(index)(world, survivor));
  assert.equal(run(set(index, 33)(world, survivor)), 0);
  assert.equal(run(get(index)(world, survivor)), 33);
  return value as number | "torn";
}

inEveryOrder("an array", ARRAY, (holds) => {
  holds("a value that is overwritten is the old or the new one, and whole", {
    entries: [[0, 10]],
    programs: [set(0, 11), get(0)],
    check(world, [written, read]) {
      if (read !== undefined) isOneOf(read, 10, 11);
      isOneOf(found(world, 0), ...(written === 0 ? [11] : [10, 11]));
    },
  });

  holds("what two write at one index is what one of them wrote", {
    entries: [[0, 10]],
    programs: [set(0, 11), set(0, 12)],
    check(world, [first, second]) {
      const may = [11, 12, ...(first === 0 || second === 0 ? [] : [10])];
      isOneOf(found(world, 0), ...may);
    },
  });

  holds("what two write at two indices of one guard is both there", {
    entries: [
      [0, 10],
      [2, 20],
    ],
    programs: [set(0, 11), set(2, 21)],
    check(world, [first, second]) {
      isOneOf(found(world, 0), ...(first === 0 ? [11] : [10, 11]));
      isOneOf(found(world, 2), ...(second === 0 ? [21] : [20, 21]));
    },
  });

  holds("a reader finds what is there throughout while another value of the guard is overwritten", {
    entries: [
      [0, 10],
      [2, 20],
    ],
    programs: [IS_LONG ? both(set(0, 11), set(0, 12)) : set(0, 11), get(2)],
    check(world, [, read]) {
      if (read !== undefined) assert.equal(read, 20);
      assert.equal(found(world, 2), 20);
      isOneOf(found(world, 0), 10, 11, 12);
    },
  });

  if (IS_LONG)
    holds("who has seen a new value does not see the old one again", {
      entries: [[0, 10]],
      programs: [IS_LONG ? both(set(0, 11), set(0, 12)) : set(0, 11), both(get(0), get(0))],
      check(_world, [, read]) {
        if (read === undefined) return;
        const [first, second] = read as [number, number];
        isOneOf(first, 10, 11, 12);
        isOneOf(second, 10, 11, 12);
        assert(second >= first, `${second} was read after ${first}`);
      },
    });

  if (IS_LONG)
    holds("two writers and a reader of one guard see whole values", {
      entries: [
        [0, 10],
        [2, 20],
      ],
      programs: [set(0, 11), set(2, 21), get(0)],
      check(world, [, , read]) {
        if (read !== undefined) isOneOf(read, 10, 11);
        isOneOf(found(world, 0), 10, 11);
        isOneOf(found(world, 2), 20, 21);
      },
    });
});

import assert from "node:assert/strict";
import {
  both,
  ENOENT,
  get,
  IS_LONG,
  inEveryOrder,
  isOneOf,
  type MapKind,
  run,
  set,
  somebodyDied,
  takeOut,
  type World,
} from "./model.ts";

const QUEUE: MapKind = { type: 22, valueWords: 2, maxEntries: 2, key: () => [] };
const STACK: MapKind = { ...QUEUE, type: 23 };

const BPF_EXIST = 2;
const push = (value: number, flags = 0) => set(0, value, flags);
const peek = get(0);
const pop = takeOut(0);

/** What a survivor takes out, in order; then as many values go in as the map is made for. */
function drained(world: World): unknown[] {
  const { survivor } = world;
  const values: unknown[] = [];
  for (let value = run(pop(world, survivor)); value !== ENOENT; value = run(pop(world, survivor))) values.push(value);
  let added = 0;
  while (run(push(1)(world, survivor)) === 0) added++;
  assert.equal(added, world.kind.maxEntries, "room was lost");
  return values;
}

for (const [name, kind] of [
  ["a queue", QUEUE],
  ["a stack", STACK],
] as const) {
  inEveryOrder(name, kind, (holds) => {
    holds("one of two who take a value gets it", {
      entries: [[0, 10]],
      programs: [pop, pop],
      check(world, results) {
        if (!somebodyDied()) assert.deepEqual([...results].sort(), [ENOENT, 10].sort());
        assert(results.filter((result) => result === 10).length <= 1);
        const left = drained(world);
        assert(left.length === 0 || (left.length === 1 && left[0] === 10 && !results.includes(10)));
      },
    });

    holds("what is pushed while another value is taken is there once", {
      entries: [[0, 10]],
      programs: [push(11), pop],
      check(world, [pushed, popped]) {
        const all = [...drained(world), ...(popped === undefined || popped === ENOENT ? [] : [popped])];
        assert.equal(new Set(all).size, all.length, `${all}`);
        for (const value of all) isOneOf(value, 10, 11);
        if (pushed === 0 && popped !== undefined) assert.deepEqual(all.sort(), [10, 11]);
      },
    });

    holds("two values that are pushed are both there", {
      entries: [],
      programs: [push(11), push(12)],
      check(world, results) {
        const all = drained(world);
        assert.equal(new Set(all).size, all.length);
        results.forEach((result, index) => {
          if (result === 0) assert(all.includes(11 + index));
        });
        for (const value of all) isOneOf(value, 11, 12);
      },
    });

    holds("a full one drops its oldest value as the new one comes, and who looks at the next one sees a whole one", {
      entries: [
        [0, 10],
        [0, 11],
      ],
      programs: [IS_LONG ? both(push(12, BPF_EXIST), push(13, BPF_EXIST)) : push(12, BPF_EXIST), peek],
      check(world, [, seen]) {
        if (seen !== undefined) isOneOf(seen, 10, 11, 12, 13);
        const left = drained(world).sort();
        isOneOf(left.join(), "10,11", "11,12", "12,13");
      },
    });

    holds("who looks at the next value sees a whole one while others are taken and pushed", {
      entries: [
        [0, 10],
        [0, 11],
      ],
      programs: [both(pop, push(12)), peek],
      check(_world, [, seen]) {
        if (seen !== undefined) isOneOf(seen, 10, 11, 12);
      },
    });
  });
}

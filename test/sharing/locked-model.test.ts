/** BPF_F_LOCK and `bpf_spin_lock`, in every order of steps. */
import assert from "node:assert/strict";
import {
  countUp,
  get,
  getLocked,
  IS_LONG,
  inEveryOrder,
  isOneOf,
  type MapKind,
  run,
  set,
  setLocked,
  type World,
  ZERO_SEED,
} from "./model.ts";

const NAMES = { hash: "a hash", array: "an array", piece: "an array of values of one piece" } as const;
const KINDS: Readonly<Record<keyof typeof NAMES, MapKind>> = {
  hash: { type: 1, valueWords: 3, lockWord: 2, maxEntries: 1, key: (number) => [number], mapFlags: ZERO_SEED },
  array: { type: 2, valueWords: 3, lockWord: 2, maxEntries: 2, key: (number) => [number] },
  piece: { type: 2, valueWords: 2, lockWord: 1, maxEntries: 2, key: (number) => [number] },
};

/** What a survivor finds, with the lock and without it, before and after it writes itself. */
function found(world: World): unknown {
  const { survivor } = world;
  const value = run(get(1)(world, survivor));
  assert.equal(run(getLocked(1)(world, survivor)), value);
  assert.equal(run(setLocked(1, 33)(world, survivor)), 0);
  assert.equal(run(getLocked(1)(world, survivor)), 33);
  assert.equal(run(set(1, 34)(world, survivor)), 0);
  assert.equal(run(get(1)(world, survivor)), 34);
  return value;
}

for (const [kind, name] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
  inEveryOrder(`${name} with locks`, KINDS[kind], (holds) => {
    const entries = [[1, 10]] as const;
    const count = countUp((world) => world.placeOf(10));

    holds("with BPF_F_LOCK a value is the old or the new one, and whole", {
      entries,
      programs: [setLocked(1, 11), getLocked(1)],
      check(world, [written, read]) {
        if (read !== undefined) isOneOf(read, 10, 11);
        isOneOf(found(world), ...(written === 0 ? [11] : [10, 11]));
      },
    });

    holds("a value that is overwritten with BPF_F_LOCK is whole for who reads without it too", {
      entries,
      programs: [setLocked(1, 11), get(1)],
      check(world, [written, read]) {
        if (read !== undefined) isOneOf(read, 10, 11);
        isOneOf(found(world), ...(written === 0 ? [11] : [10, 11]));
      },
    });

    holds("of two who write with BPF_F_LOCK one is the last", {
      entries,
      programs: [setLocked(1, 11), setLocked(1, 12)],
      check(world, [first, second]) {
        isOneOf(found(world), 11, 12, ...(first === 0 || second === 0 ? [] : [10]));
      },
    });

    holds("what a program does between its locks is done, or not, for who reads with BPF_F_LOCK", {
      entries,
      programs: [count, getLocked(1)],
      check(world, [counted, read]) {
        // What a program that dies has done so far stays.
        if (counted === undefined) return;
        if (read !== undefined) isOneOf(read, 10, 11);
        assert.equal(found(world), 11);
      },
    });

    holds("what a program does between its locks comes before or after an update with BPF_F_LOCK", {
      entries,
      programs: [count, setLocked(1, 30)],
      check(world, [counted, written]) {
        if (counted === undefined) return;
        isOneOf(counted, 11, 31);
        isOneOf(found(world), ...(counted === 31 ? [31] : written === 0 ? [30] : [11, 30]));
      },
    });

    holds("two programs lose nothing of what they count between their locks", {
      entries,
      programs: [count, count],
      check(world, [first, second]) {
        if (first === undefined || second === undefined) return;
        assert.deepEqual([first, second].sort(), [11, 12]);
        assert.equal(found(world), 12);
      },
    });

    if (IS_LONG)
      holds("a program, a writer and a reader have the value one after another", {
        entries,
        programs: [count, setLocked(1, 30), getLocked(1)],
        check(world, [counted, , read]) {
          if (counted === undefined) return;
          if (read !== undefined) isOneOf(read, 10, 11, 30, 31);
          isOneOf(found(world), ...(counted === 31 ? [31] : [11, 30]));
        },
      });
  });
}

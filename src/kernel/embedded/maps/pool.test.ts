import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressSpace } from "../../../memory/address-space.ts";
import { Pool } from "./pool.ts";

/** A pool of three pieces of two words, behind four words of its segment. */
function createPool(): { pool: () => Pool; word: (index: number) => number } {
  const memory = new AddressSpace();
  const origin = memory.allocate(4096, "a pool") >>> 2;
  const pool = (): Pool => new Pool(memory, { state: origin, origin, first: 4, words: 2, capacity: 3 });
  return { pool, word: (index) => memory.i32[origin + index] as number };
}

test("a pool gives each piece once, and then none", () => {
  const pool = createPool().pool();
  assert.deepEqual([pool.take(), pool.take(), pool.take(), pool.take()], [4, 6, 8, 0]);
});

test("what is given back is taken again, the last first", () => {
  const pool = createPool().pool();
  pool.take();
  pool.take();
  pool.giveBack(4);
  pool.giveBack(6);
  assert.deepEqual([pool.take(), pool.take(), pool.take(), pool.take()], [6, 4, 8, 0]);
});

test("all that a pool knows is in its segment", () => {
  const { pool } = createPool();
  const one = pool();
  one.take();
  one.take();
  one.giveBack(4);
  assert.deepEqual([pool().take(), pool().take(), one.take()], [4, 8, 0]);
});

test("a pool does not touch what it has not given", () => {
  const { pool, word } = createPool();
  assert.equal(pool().take(), 4);
  assert.deepEqual([4, 5, 6, 7, 8, 9].map(word), [0, 0, 0, 0, 0, 0]);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fc } from "../../test/seeded.ts";
import { PAGE_SIZE, PageAllocator, pageAlign } from "./page-allocator.ts";

const P = PAGE_SIZE;

test("bytes are rounded up to whole pages", () => {
  assert.deepEqual([0, 1, P - 1, P, P + 1, 3 * P].map(pageAlign), [0, P, P, P, 2 * P, 3 * P]);
  assert.equal(pageAlign(2 ** 32 - 1), 2 ** 32);
});

describe("a page allocator", () => {
  test("hands out one range behind another, as long as there is room", () => {
    const pages = new PageAllocator(P, 4 * P);
    assert.equal(pages.allocate(1), P);
    assert.equal(pages.allocate(P + 1), 2 * P);
    assert.equal(pages.allocate(1), 0);
    assert.equal(pages.largest, 0);
  });

  test("hands out the smallest free range that is long enough", () => {
    const pages = new PageAllocator(P, 100 * P);
    const [long, , short] = [5, 1, 2, 1].map((length) => pages.allocate(length * P));
    pages.release(long as number, 5 * P);
    pages.release(short as number, 2 * P);
    assert.equal(pages.allocate(2 * P), short);
    assert.equal(pages.allocate(P), long);
    assert.equal(pages.allocate(4 * P), (long as number) + P);
  });

  test("joins what is given back with its neighbours", () => {
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      const pages = new PageAllocator(P, 4 * P);
      const taken = [0, 1, 2].map(() => pages.allocate(P));
      for (const index of order) pages.release(taken[index] as number, P);
      assert.equal(pages.largest, 3 * P);
      assert.equal(pages.allocate(3 * P), P);
    }
  });

  test("counts what is free before its open end to it", () => {
    const pages = new PageAllocator(P, 10 * P);
    const last = pages.allocate(4 * P);
    assert.equal(pages.largest, 5 * P);
    pages.release(last, 4 * P);
    assert.equal(pages.largest, 9 * P);
    assert.equal(pages.allocate(9 * P), P);
  });

  test("says to where memory was handed out before", () => {
    const pages = new PageAllocator(P, 10 * P);
    const first = pages.allocate(3 * P);
    assert.equal(pages.writtenEnd, P);
    pages.release(first, 3 * P);
    pages.allocate(2 * P);
    assert.equal(pages.writtenEnd, 4 * P);
    pages.allocate(2 * P);
    assert.equal(pages.writtenEnd, 4 * P);
    pages.allocate(P);
    assert.equal(pages.writtenEnd, 5 * P);
  });

  test("of 4 GiB reaches to their end", () => {
    const pages = new PageAllocator(P, 2 ** 32);
    assert.equal(pages.largest, 2 ** 32 - P);
    assert.equal(pages.allocate(2 ** 32 - 2 * P), P);
    assert.equal(pages.allocate(P), 2 ** 32 - P);
    assert.equal(pages.allocate(P), 0);
  });

  test("never hands out what is taken, and has all of it again at the end", () => {
    const step = fc.record({ pages: fc.integer({ min: 1, max: 9 }), release: fc.nat({ max: 30 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const limit = 64 * P;
        const pages = new PageAllocator(P, limit);
        const taken: { start: number; length: number }[] = [];
        const owner = new Uint8Array(64);
        for (const { pages: length, release } of steps) {
          const largest = pages.largest;
          const start = pages.allocate(length * P - (release % P));
          assert.equal(start === 0, largest < length * P);
          if (start !== 0) {
            assert.equal(start % P, 0);
            assert.ok(start >= P && start + length * P <= limit);
            assert.ok(owner.subarray(start / P, start / P + length).every((taken) => taken === 0));
            owner.fill(1, start / P, start / P + length);
            taken.push({ start, length });
          }
          const [given] = release < taken.length ? taken.splice(release, 1) : [];
          if (given === undefined) continue;
          pages.release(given.start, given.length * P);
          owner.fill(0, given.start / P, given.start / P + given.length);
        }
        for (const { start, length } of taken) pages.release(start, length * P);
        assert.equal(pages.largest, limit - P);
      }),
    );
  });
});

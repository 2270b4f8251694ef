import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BlockAllocator } from "./block-allocator.ts";
import { PAGE_SIZE, PageAllocator } from "./page-allocator.ts";

function allocator(pages = 64): BlockAllocator {
  return new BlockAllocator(new PageAllocator(PAGE_SIZE, (pages + 1) * PAGE_SIZE));
}

describe("a block allocator", () => {
  test("is for what is at most half a page", () => {
    assert.ok(BlockAllocator.holds(0));
    assert.ok(BlockAllocator.holds(PAGE_SIZE / 2));
    assert.ok(!BlockAllocator.holds(PAGE_SIZE / 2 + 1));
  });

  test("rounds up to a power of two, 16 at least, and aligns a block to its size", () => {
    const blocks = allocator();
    for (const [bytes, size] of [
      [0, 16],
      [1, 16],
      [16, 16],
      [17, 32],
      [100, 128],
      [128, 128],
      [129, 256],
      [1025, 2048],
      [2048, 2048],
    ] as const) {
      for (let i = 0; i < 3; i++) {
        const address = blocks.allocate(bytes);
        assert.equal(blocks.sizeOf(address), size);
        assert.equal(address % size, 0);
        assert.ok(address >= PAGE_SIZE);
      }
    }
  });

  test("hands out as many as fit in its pages, none twice", () => {
    const blocks = allocator(2);
    const addresses: number[] = [];
    for (let address = blocks.allocate(64); address !== 0; address = blocks.allocate(64)) addresses.push(address);
    assert.equal(addresses.length, (2 * PAGE_SIZE) / 64);
    assert.equal(new Set(addresses).size, addresses.length);
    assert.equal(Math.min(...addresses), PAGE_SIZE);
    assert.equal(Math.max(...addresses), 3 * PAGE_SIZE - 64);
  });

  test("hands out again what was given back", () => {
    const blocks = allocator(1);
    const addresses = [blocks.allocate(2000), blocks.allocate(2000)];
    assert.equal(blocks.allocate(2000), 0);
    blocks.release(addresses[0] as number);
    assert.equal(blocks.sizeOf(addresses[0] as number), undefined);
    assert.equal(blocks.allocate(1500), addresses[0]);
    assert.equal(blocks.allocate(2000), 0);
  });

  test("lets a block be given back only once", () => {
    const blocks = allocator(1);
    const address = blocks.allocate(2000);
    blocks.release(address);
    blocks.release(address);
    blocks.release(12_345);
    assert.notEqual(blocks.allocate(2000), blocks.allocate(2000));
  });
});

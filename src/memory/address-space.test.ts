import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AddressSpace, OutOfMemoryError } from "./address-space.ts";

const MIB = 2 ** 20;

describe("an address space", () => {
  test("holds between 1 MiB and 4 GiB", () => {
    for (const limit of [MIB, MIB + 1, 2 ** 32]) assert.ok(new AddressSpace(limit));
    for (const limit of [0, MIB - 1, 2 ** 32 + 1, Number.NaN, -MIB, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new AddressSpace(limit), RangeError);
    }
  });

  test("has a limit of whole pages of WebAssembly", () => {
    assert.equal(new AddressSpace(MIB + 1).limit, MIB + 65_536);
    assert.equal(new AddressSpace().limit, 2 ** 32);
  });

  test("never hands out the first page, where null pointers point", () => {
    const memory = new AddressSpace(MIB);
    for (const bytes of [1, 64, 4096, 10_000]) assert.ok(memory.tryAllocate(bytes) >= 65536);
  });

  test("aligns allocations to 8, those of half a page and more to a page", () => {
    const memory = new AddressSpace();
    for (let bytes = 1; bytes < 10_000; bytes += 13) {
      const address = memory.tryAllocate(bytes);
      assert.equal(address % (bytes > 1024 ? (bytes > 2048 ? 4096 : 2048) : 8), 0);
    }
  });

  test("hands out zeros, also where something was before", () => {
    const memory = new AddressSpace(2 * MIB);
    for (const bytes of [16, 500, 2048, 5000, 300_000]) {
      for (let round = 0; round < 10; round++) {
        const address = memory.allocate(bytes, "a test");
        assert.ok(memory.u8.subarray(address, address + bytes).every((byte) => byte === 0));
        memory.u8.fill(0xff, address, address + bytes);
        if (round % 3 !== 0) memory.release(address);
      }
    }
  });

  test("grows on demand, keeps what it holds and replaces its views", () => {
    const memory = new AddressSpace();
    const { u8, u32, i32, view } = memory;
    const address = memory.allocate(8, "a test");
    memory.view.setUint32(address, 0x12345678, true);
    const large = memory.allocate(10 * MIB, "a test");
    assert.ok(memory.size > 10 * MIB);
    assert.equal(u8.length, 0, "an old view is detached");
    for (const [now, before] of [
      [memory.u8, u8],
      [memory.u32, u32],
      [memory.i32, i32],
      [memory.view, view],
    ]) {
      assert.notEqual(now, before);
    }
    assert.equal(memory.view.getUint32(address, true), 0x12345678);
    assert.equal(memory.u32[address >>> 2], 0x12345678);
    memory.u8[large + 10 * MIB - 1] = 1;
  });

  test("grows to its limit and not beyond", () => {
    const memory = new AddressSpace(2 * MIB);
    const all = memory.largestFree;
    assert.equal(all, 2 * MIB - 65536);
    assert.equal(memory.tryAllocate(all + 1), 0);
    const address = memory.tryAllocate(all);
    assert.equal(address, 65536);
    assert.equal(memory.size, 2 * MIB);
    assert.equal(memory.tryAllocate(1), 0);
    memory.release(address);
    assert.equal(memory.largestFree, all);
    assert.equal(memory.tryAllocate(all), 65536);
  });

  test("can grow to its limit at once", () => {
    const memory = new AddressSpace(4 * MIB);
    assert.equal(memory.growToLimit(), true);
    assert.equal(memory.size, 4 * MIB);
    assert.equal(memory.growToLimit(), true);
    assert.equal(memory.largestFree, 4 * MIB - 65536);
  });

  test("says what it lacked, for what, and what to do", () => {
    const memory = new AddressSpace(MIB);
    assert.throws(
      () => memory.allocate(2 * MIB, "map hits"),
      (error) =>
        error instanceof OutOfMemoryError &&
        error instanceof RangeError &&
        error.name === "OutOfMemoryError" &&
        /^map hits needs 2097152 bytes, but at most 983040 .* 1048576; .*limit$/.test(error.message),
    );
  });

  test("lets an allocation be given back once, and no other address", () => {
    const memory = new AddressSpace(MIB);
    const [page, block] = [memory.allocate(5000, "a test"), memory.allocate(50, "a test")];
    const other = memory.allocate(5000, "a test");
    const { largestFree } = memory;
    for (let i = 0; i < 3; i++) memory.release(page);
    memory.release(block);
    memory.release(block);
    memory.release(0);
    memory.release(page + 4096);
    assert.equal(memory.largestFree, largestFree);
    assert.equal(memory.allocate(5000, "a test"), page);
    assert.notEqual(memory.allocate(5000, "a test"), other);
    assert.notEqual(memory.allocate(50, "a test"), memory.allocate(50, "a test"));
  });
});

/** What compiles and what does not of queues, stacks and bloom filters. See maps.test.ts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type BloomFilter, type BpfMap, embedded, ipv4, type Queue, type Stack, struct, u8, u32, u64 } from "mapiary";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

const exactly =
  <Expected>() =>
  <Actual>(_value: Actual, ..._same: Same<Actual, Expected> extends true ? [] : [expected: Expected]): void => {};

describe("createMap", () => {
  test('of type "queue" is a Queue, of type "stack" a Stack, of the layout\'s type', () => {
    using bpf = embedded();
    exactly<Queue<bigint>>()(bpf.createMap({ type: "queue", value: u64, maxEntries: 4 }));
    exactly<Stack<{ kind: number }>>()(bpf.createMap({ type: "stack", value: struct({ kind: u8 }), maxEntries: 4 }));
  });

  test('of type "bloom_filter" is a BloomFilter, and takes a number of hash functions', () => {
    using bpf = embedded();
    exactly<BloomFilter<string>>()(bpf.createMap({ type: "bloom_filter", value: ipv4, maxEntries: 4, hashes: 3 }));
    exactly<BloomFilter<string>>()(bpf.createMap({ type: "bloom_filter", value: ipv4, maxEntries: 4 }));
  });

  test("takes no keys for them, and hash functions for bloom filters alone", () => {
    using bpf = embedded();
    // @ts-expect-error: a queue has no keys
    assert.throws(() => bpf.createMap({ type: "queue", key: u32, value: u32, maxEntries: 4 }));
    // @ts-expect-error: a stack has no keys
    assert.throws(() => bpf.createMap({ type: "stack", key: u32, value: u32, maxEntries: 4 }));
    // @ts-expect-error: a bloom filter has no keys
    assert.throws(() => bpf.createMap({ type: "bloom_filter", key: u32, value: u32, maxEntries: 4 }));
    // @ts-expect-error: a queue does not hash
    assert.ok(bpf.createMap({ type: "queue", value: u32, maxEntries: 4, hashes: 3 }));
  });
});

describe("a queue and a stack", () => {
  test("give and take their values", () => {
    using bpf = embedded();
    const queue = bpf.createMap({ type: "queue", value: u64, maxEntries: 4 });
    exactly<Queue<bigint>>()(queue.push(1n));
    exactly<Queue<bigint>>()(queue.push(2n, "exist"));
    exactly<bigint | undefined>()(queue.peek());
    exactly<bigint | undefined>()(queue.pop());
    exactly<bigint[]>()(queue.drain());
    const stack = bpf.createMap({ type: "stack", value: u64, maxEntries: 4 });
    exactly<Stack<bigint>>()(stack.push(1n));
    exactly<bigint | undefined>()(stack.pop());
  });

  test("are not each other", () => {
    using bpf = embedded();
    const queue = bpf.createMap({ type: "queue", value: u64, maxEntries: 4 });
    exactly<"queue">()(queue.type);
    // @ts-expect-error: a queue pops the other end
    const stack: Stack<bigint> = queue;
    assert.ok(stack);
  });

  test("do not take another's values, nor another flag", () => {
    using bpf = embedded();
    const queue = bpf.createMap({ type: "queue", value: u64, maxEntries: 4 });
    // @ts-expect-error: a value is a bigint
    assert.throws(() => queue.push(1));
    // @ts-expect-error: a value is missing
    assert.throws(() => queue.push());
    // @ts-expect-error: a value without a key cannot be there already
    assert.throws(() => queue.push(1n, "noexist"));
  });

  test("have no keys and no entries to go through", () => {
    using bpf = embedded();
    const queue = bpf.createMap({ type: "queue", value: u64, maxEntries: 4 });
    // @ts-expect-error: there are no keys
    assert.equal(queue.get, undefined);
    // @ts-expect-error: there are no keys
    assert.equal(queue.set, undefined);
    // @ts-expect-error: there are no keys
    assert.equal(queue.delete, undefined);
    // @ts-expect-error: there are no keys
    assert.equal(queue.key, undefined);
    // @ts-expect-error: nothing goes through a queue but pop
    assert.equal(queue.entries, undefined);
    // @ts-expect-error: nothing goes through a queue but pop
    assert.throws(() => [...queue]);
    exactly<true>()(true as typeof queue extends BpfMap ? true : false);
  });
});

describe("a bloom filter", () => {
  test("takes values and says whether it has them", () => {
    using bpf = embedded();
    const filter = bpf.createMap({ type: "bloom_filter", value: ipv4, maxEntries: 4 });
    exactly<BloomFilter<string>>()(filter.add("10.0.0.1"));
    exactly<boolean>()(filter.has("10.0.0.1"));
    // @ts-expect-error: a value is a string
    assert.throws(() => filter.add(1));
    // @ts-expect-error: a value is a string
    assert.throws(() => filter.has(1));
  });

  test("gives nothing back", () => {
    using bpf = embedded();
    const filter = bpf.createMap({ type: "bloom_filter", value: ipv4, maxEntries: 4 });
    // @ts-expect-error: nothing can be taken out
    assert.equal(filter.delete, undefined);
    // @ts-expect-error: nothing can be taken out
    assert.equal(filter.pop, undefined);
    // @ts-expect-error: nothing can be taken out
    assert.equal(filter.get, undefined);
    // @ts-expect-error: nobody knows what is in
    assert.throws(() => [...filter]);
  });
});

describe("openMap and mapById", () => {
  test("know the class by the type", () => {
    using bpf = embedded();
    using queue = bpf.createMap({ type: "queue", name: "jobs", value: u64, maxEntries: 4 });
    exactly<Queue<bigint>>()(bpf.mapById(queue.id, { type: "queue", value: u64 }));
    exactly<Queue<unknown>>()(bpf.openMap({ name: "jobs" }, { type: "queue" }));
    using stack = bpf.createMap({ type: "stack", name: "ports", value: u64, maxEntries: 4 });
    exactly<Stack<bigint>>()(bpf.mapById(stack.id, { type: "stack", value: u64 }));
    using filter = bpf.createMap({ type: "bloom_filter", name: "seen", value: u64, maxEntries: 4 });
    exactly<BloomFilter<bigint>>()(bpf.mapById(filter.id, { type: "bloom_filter", value: u64 }));
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { array } from "./array.ts";
import { setCodeGeneration } from "./compile.ts";
import type { Value } from "./layout.ts";
import type { Live, LiveMemory, LivePlace } from "./live.ts";
import { liveMaker } from "./live-accessor.ts";
import { named } from "./part.ts";
import { u16, u32 } from "./scalar.ts";
import { struct } from "./struct.ts";
import { structOfParts } from "./struct-of-parts.ts";
import { union } from "./union.ts";
import { u64 } from "./wide.ts";

/** What is so both with generated code and without. A layout's accessors are made once: each has layouts of its own. */
function bothWays(title: string, body: () => void): void {
  test(title, body);
  test(`${title}, without code generation`, () => {
    setCodeGeneration(false);
    try {
      body();
    } finally {
      setCodeGeneration(undefined);
    }
  });
}

class Place implements LivePlace {
  memory: LiveMemory = memoryOf(new ArrayBuffer(64));
  isWritable = true;

  assertWritable(): void {
    if (!this.isWritable) throw new Error("read-only");
  }
}

function memoryOf(buffer: ArrayBuffer): LiveMemory {
  return {
    u8: new Uint8Array(buffer),
    view: new DataView(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    i64: new BigInt64Array(buffer),
    u64: new BigUint64Array(buffer),
  };
}

const flow = () => struct({ port: u16, hits: u64, inner: struct({ a: u32, b: u32 }), list: array(u32, 2) });

bothWays("a field is read and written at its own offset", () => {
  const place = new Place();
  const live = liveMaker(flow())(place, 8);
  live.port = 443;
  live.hits = 5n;
  live.inner.b = 6;
  live.inner.a++;
  live.list.set(1, 7);
  const { view } = place.memory;
  assert.equal(view.getUint16(8, true), 443);
  assert.equal(view.getBigUint64(16, true), 5n);
  assert.deepEqual(
    [24, 28, 32, 36].map((at) => view.getUint32(at, true)),
    [1, 6, 0, 7],
  );
  view.setBigUint64(16, 9n, true);
  assert.equal(live.hits, 9n);
});

bothWays("a value that does not fit is refused by the name of its field, and nothing is written", () => {
  const place = new Place();
  const live = liveMaker(flow())(place, 0);
  assert.throws(() => {
    live.port = 65536;
  }, /field port: u16: 65536 is out of range/);
  assert.throws(() => {
    live.inner = { a: 1, b: -1 };
  }, /field inner.b: u32: -1 is out of range/);
  assert.deepEqual(place.memory.u8, new Uint8Array(64));
});

bothWays("what may not be written is read", () => {
  const place = new Place();
  const live = liveMaker(flow())(place, 0);
  live.port = 80;
  place.isWritable = false;
  assert.throws(() => {
    live.port = 443;
  }, /read-only/);
  assert.throws(() => live.list.set(0, 1), /read-only/);
  assert.equal(live.port, 80);
});

bothWays("memory that is replaced is used from then on", () => {
  const place = new Place();
  const live = liveMaker(flow())(place, 0);
  live.port = 80;
  place.memory = memoryOf(new ArrayBuffer(128));
  assert.equal(live.port, 0);
  live.port = 443;
  assert.equal(place.memory.view.getUint16(0, true), 443);
});

bothWays("a value without parts is a value, and an array has its elements", () => {
  const place = new Place();
  const number = liveMaker(u64)(place, 8);
  number.value = 5n;
  assert.equal(number.value, 5n);
  const grid = liveMaker(array(array(u32, 2), 3))(place, 16);
  grid.at(2).set(1, 8);
  assert.deepEqual(
    [...grid],
    [
      [0, 0],
      [0, 0],
      [0, 8],
    ],
  );
  assert.equal(place.memory.view.getUint32(16 + 20, true), 8);
});

bothWays("Node shows the values", () => {
  const place = new Place();
  const live = liveMaker(struct({ a: u32, inner: struct({ b: u32 }) }))(place, 0);
  live.inner.b = 3;
  assert.equal(inspect(live), "{ a: 0, inner: { b: 3 } }");
  assert.equal(inspect(liveMaker(array(u32, 2))(place, 0)), "[ 0, 3 ]");
});

bothWays("the members of a union share their bytes, and each is written alone", () => {
  const place = new Place();
  const address = union({ v4: u32, parts: struct({ low: u16, high: u16 }) });
  const event = structOfParts(
    "struct event",
    [
      named("pid", u32),
      { names: ["v4", "parts"], isAnonymous: true, offset: 4, layout: address },
      named("peer", address, 8),
    ],
    12,
    4,
  );
  const live = liveMaker(event)(place, 8) as Live<
    { pid: number } & Value<typeof address> & { peer: Value<typeof address> }
  >;
  live.v4 = 0x0002_0001;
  assert.deepEqual([live.parts?.low, live.parts?.high], [1, 2]);
  (live.peer as { v4: number }).v4 = 5;
  live.pid = 9;
  assert.deepEqual([...place.memory.u32.subarray(2, 5)], [9, 0x0002_0001, 5]);
  assert.throws(() => {
    live.v4 = -1;
  }, /field v4: u32: -1 is out of range/);
});

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { MAP_CREATE } from "../../../abi/attr.ts";
import { BPF_MAP_TYPE_RINGBUF, BPF_MAP_TYPE_USER_RINGBUF } from "../../../abi/map-types.ts";
import {
  BPF_RB_AVAIL_DATA,
  BPF_RB_CONS_POS,
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  BPF_RB_PROD_POS,
  BPF_RB_RING_SIZE,
  BPF_RINGBUF_BUSY_BIT,
  BPF_RINGBUF_DISCARD_BIT,
} from "../../../abi/ringbuf.ts";
import { AddressSpace } from "../../../memory/address-space.ts";
import { FileTable } from "../file-table.ts";
import { MapCreateAttr } from "../map-create-attr.ts";
import type { MapHost, MapType } from "../map-ops.ts";
import { RINGBUF, type RingbufMap, ringbufOf } from "./ringbuf.ts";
import { USER_RINGBUF, type UserRingbufMap } from "./user-ringbuf.ts";

const PAGE = 4096;
const EAGAIN = -11;
const EINVAL = -22;

let memory: AddressSpace;

function create(type: MapType, number: number): unknown {
  const attr = memory.allocate(256, "attr");
  memory.view.setUint32(attr + MAP_CREATE.MAP_TYPE, number, true);
  memory.view.setUint32(attr + MAP_CREATE.MAX_ENTRIES, PAGE, true);
  return type.alloc({ memory, possibleCpus: 1, files: new FileTable() } as MapHost, new MapCreateAttr(memory, attr));
}

/** What user space maps of a ring buffer of one page. */
class Mapped {
  readonly consumer: number;
  readonly producer: number;
  readonly data: number;

  constructor(map: RingbufMap | UserRingbufMap) {
    const { address } = map.mappable();
    this.consumer = address;
    this.producer = address + PAGE;
    this.data = address + 2 * PAGE;
  }

  header(position: number): number {
    return memory.view.getUint32(this.data + (position % PAGE), true);
  }

  consume(to: number): void {
    memory.view.setBigUint64(this.consumer, BigInt(to), true);
  }

  produce(to: number): void {
    memory.view.setBigUint64(this.producer, BigInt(to), true);
  }
}

async function wakeups(ring: RingbufMap | UserRingbufMap, act: () => void): Promise<number> {
  let count = 0;
  const off = ring.readiness(ring).whenReady(() => count++);
  act();
  await Promise.resolve();
  off();
  return count;
}

describe("a ringbuf", () => {
  let ring: RingbufMap;
  let mapped: Mapped;

  beforeEach(() => {
    memory = new AddressSpace();
    ring = create(RINGBUF, BPF_MAP_TYPE_RINGBUF) as RingbufMap;
    mapped = new Mapped(ring);
  });

  test("has records behind headers of 8 bytes, aligned to 8, busy until they are submitted", () => {
    const [first, second] = [ring.reserve(5), ring.reserve(8)];
    assert.equal(first, mapped.data + 8);
    assert.equal(second, mapped.data + 16 + 8);
    assert.equal(mapped.header(0), (BPF_RINGBUF_BUSY_BIT | 5) >>> 0);
    ring.submit(first);
    ring.discard(second);
    assert.equal(mapped.header(0), 5);
    assert.equal(mapped.header(16), BPF_RINGBUF_DISCARD_BIT | 8);
    assert.equal(ring.query(BPF_RB_PROD_POS), 32);
  });

  test("says in a header how many pages it is from the first page of its own", () => {
    const record = ring.reserve(8);
    assert.equal(memory.view.getUint32(record - 4, true), 3);
  });

  test("is found by the address of a record, whatever the record's header says", () => {
    const others = [0, 1, 2].map(() => create(RINGBUF, BPF_MAP_TYPE_RINGBUF) as RingbufMap);
    const record = ring.reserve(8);
    memory.view.setUint32(record - 4, 77, true);
    assert.equal(ringbufOf(memory, record), ring);
    for (const other of others) assert.equal(ringbufOf(memory, other.reserve(8)), other);
    others[1]?.free();
    assert.equal(ringbufOf(memory, others[1]?.reserve(8) as number), undefined);
    assert.equal(ringbufOf(memory, others[2]?.reserve(8) as number), others[2]);
  });

  test("is never quite full", () => {
    assert.equal(ring.reserve(PAGE), 0);
    assert.equal(ring.reserve(PAGE - 8), 0);
    assert.notEqual(ring.reserve(PAGE - 16), 0);
    assert.equal(ring.reserve(0), 0);
    assert.equal(ring.output(mapped.data, 1), EAGAIN);
  });

  test("has a record that wraps in one piece", () => {
    const first = ring.reserve(PAGE - 64);
    ring.submit(first);
    mapped.consume(PAGE - 56);
    const record = ring.reserve(200);
    assert.equal(record, mapped.data + PAGE - 56 + 8);
    memory.u8.fill(7, record, record + 200);
    ring.submit(record);
    assert.equal(mapped.header(PAGE - 56), 200);
    mapped.consume(PAGE - 56 + 208);
    const next = ring.reserve(8);
    assert.equal(next, mapped.data + 208 - 56 + 8);
  });

  test("has room again when the consumer has moved on, and no sooner", () => {
    for (let i = 0; i < 31; i++) assert.equal(ring.output(mapped.data, 120), 0);
    assert.equal(ring.output(mapped.data, 120), EAGAIN);
    mapped.consume(128);
    assert.equal(ring.output(mapped.data, 120), 0);
    assert.equal(ring.output(mapped.data, 120), EAGAIN);
  });

  test("gives no room that a record that is being written still has, whatever the consumer says", () => {
    const busy = ring.reserve(120);
    for (let i = 0; i < 30; i++) assert.equal(ring.output(mapped.data, 120), 0);
    mapped.consume(31 * 128);
    assert.equal(ring.output(mapped.data, 120), EAGAIN);
    ring.submit(busy);
    assert.equal(ring.output(mapped.data, 120), 0);
  });

  test("gives no room to a consumer that is ahead of the producer", () => {
    mapped.consume(8);
    assert.equal(ring.reserve(0), 0 + mapped.data + 8);
    memory.view.setBigUint64(mapped.consumer, 2n ** 64n - 8n, true);
    assert.equal(ring.reserve(8), 0);
  });

  test("answers to queries", () => {
    ring.output(mapped.data, 24);
    ring.output(mapped.data, 24);
    mapped.consume(32);
    const answers = [BPF_RB_AVAIL_DATA, BPF_RB_RING_SIZE, BPF_RB_CONS_POS, BPF_RB_PROD_POS, 4].map((what) =>
      ring.query(what),
    );
    assert.deepEqual(answers, [32, PAGE, 32, 64, 0]);
  });

  test("knows no flags but those of waking", () => {
    assert.equal(ring.reserve(8, 1), 0);
    assert.equal(ring.output(mapped.data, 8, 4), EINVAL);
    assert.equal(ring.query(BPF_RB_PROD_POS), 0);
    assert.equal(ring.output(mapped.data, 8, BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP), 0);
  });

  test("wakes a consumer that has come as far as the record, and no other", async () => {
    assert.equal(await wakeups(ring, () => ring.output(mapped.data, 8)), 1);
    assert.equal(await wakeups(ring, () => ring.output(mapped.data, 8)), 0);
    mapped.consume(32);
    assert.equal(await wakeups(ring, () => ring.output(mapped.data, 8)), 1);
  });

  test("wakes for a record that is submitted, not for one that is reserved, and for one that is discarded", async () => {
    let record = 0;
    const reserve = () => {
      record = ring.reserve(8);
    };
    assert.equal(await wakeups(ring, reserve), 0);
    assert.equal(await wakeups(ring, () => ring.discard(record)), 1);
    mapped.consume(16);
    assert.equal(await wakeups(ring, reserve), 0);
    assert.equal(await wakeups(ring, () => ring.submit(record)), 1);
  });

  test("wakes nobody with BPF_RB_NO_WAKEUP, and everybody with BPF_RB_FORCE_WAKEUP", async () => {
    assert.equal(await wakeups(ring, () => ring.output(mapped.data, 8, BPF_RB_NO_WAKEUP)), 0);
    assert.equal(await wakeups(ring, () => ring.output(mapped.data, 8, BPF_RB_FORCE_WAKEUP)), 1);
  });

  test("tells news that nobody waited for to the next who waits, once", async () => {
    const readiness = ring.readiness(ring);
    ring.output(mapped.data, 8);
    let told = 0;
    readiness.whenReady(() => told++);
    await Promise.resolve();
    assert.equal(told, 1);
    readiness.whenReady(() => told++);
    await Promise.resolve();
    assert.equal(told, 1);
  });
});

describe("a user_ringbuf", () => {
  let ring: UserRingbufMap;
  let mapped: Mapped;

  /** Writes a record as user space does, and answers its end. */
  function produce(at: number, length: number, bits = 0): number {
    const header = mapped.data + (at % PAGE);
    memory.view.setUint32(header, (length | bits) >>> 0, true);
    const end = at + Math.ceil((length + 8) / 8) * 8;
    mapped.produce(end);
    return end;
  }

  beforeEach(() => {
    memory = new AddressSpace();
    ring = create(USER_RINGBUF, BPF_MAP_TYPE_USER_RINGBUF) as UserRingbufMap;
    mapped = new Mapped(ring);
  });

  test("gives a program each record, and skips those that were discarded", () => {
    const end = produce(produce(produce(0, 5), 24, BPF_RINGBUF_DISCARD_BIT), 8);
    const samples: [number, number][] = [];
    assert.equal(
      ring.drain((at, size) => samples.push([at - mapped.data, size]) * 0),
      2,
    );
    assert.deepEqual(samples, [
      [8, 5],
      [56, 8],
    ]);
    assert.equal(memory.view.getBigUint64(mapped.consumer, true), BigInt(end));
    assert.equal(
      ring.drain(() => 0),
      0,
    );
  });

  test("stops when a program has had enough, and at a record that is being written", () => {
    produce(produce(produce(0, 8), 8), 8, BPF_RINGBUF_BUSY_BIT);
    assert.equal(
      ring.drain(() => 1),
      1,
    );
    assert.equal(
      ring.drain(() => 0),
      1,
    );
    assert.equal(
      ring.drain(() => 0),
      0,
    );
  });

  test("refuses what is no record", () => {
    mapped.produce(4);
    assert.equal(
      ring.drain(() => 0),
      EINVAL,
    );
    mapped.produce(8);
    memory.view.setUint32(mapped.data, 8, true);
    assert.equal(
      ring.drain(() => 0),
      EINVAL,
    );
    mapped.produce(2 * PAGE);
    memory.view.setUint32(mapped.data, PAGE, true);
    assert.equal(
      ring.drain(() => 0),
      -7,
    );
    assert.equal(
      ring.drain(() => 0, 4),
      EINVAL,
    );
  });

  test("is busy while a program reads it", () => {
    produce(0, 8);
    let inner = 0;
    ring.drain(() => {
      inner = ring.drain(() => 0);
      return 0;
    });
    assert.equal(inner, -16);
  });

  test("wakes a producer that waits for room when records were read", async () => {
    await wakeups(ring, () => {});
    produce(0, 8);
    assert.equal(await wakeups(ring, () => ring.drain(() => 0)), 1);
    assert.equal(await wakeups(ring, () => ring.drain(() => 0)), 0);
    assert.equal(await wakeups(ring, () => ring.drain(() => 0, BPF_RB_FORCE_WAKEUP)), 1);
    produce(16, 8);
    assert.equal(await wakeups(ring, () => ring.drain(() => 0, BPF_RB_NO_WAKEUP)), 0);
  });
});

/** Keys and values of every kind of layout and of many sizes, through a map and back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  array,
  type Bpf,
  bool,
  bytes,
  cstring,
  enumOf,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  ipv4,
  ipv6,
  type Layout,
  mac,
  struct,
  u8,
  u16,
  u16be,
  u32,
  u32be,
  u64,
  u64be,
} from "mapiary";
import { onEveryKernel } from "../kernels.ts";

/** A layout with values of it, all different. */
interface Case<T> {
  readonly layout: Layout<T>;
  readonly values: readonly T[];
}

function of<T>(layout: Layout<T>, ...values: T[]): Case<T> {
  return { layout, values };
}

/** `count` different byte strings of `size` bytes, when there are so many. */
function byteStrings(size: number, count = 5): Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    Uint8Array.from({ length: size }, (_, at) => (at * 31 + i * 101) & 255),
  );
}

const CASES = [
  of(u8, 0, 1, 127, 128, 255),
  of(u16, 0, 1, 65535),
  of(u32, 0, 1, 2 ** 31, 2 ** 32 - 1),
  of(u64, 0n, 1n, 1n << 63n, (1n << 64n) - 1n),
  of(u64.number, 0, 1, 2 ** 32, 2 ** 53 - 1),
  of(i8, 0, -1, 127, -128),
  of(i16, 0, -1, 32767, -32768),
  of(i32, 0, -1, 2 ** 31 - 1, -(2 ** 31)),
  of(i64, 0n, -1n, -(1n << 63n)),
  of(f32, 0, 0.5, -1.25, Number.POSITIVE_INFINITY),
  of(f64, 0, 0.1, -1e300, Number.MIN_VALUE),
  of(u16be, 0, 1, 0x1234),
  of(u32be, 0, 1, 0x12345678),
  of(u64be, 0n, 1n, 0x123456789abcdef0n),
  of(bool, false, true),
  of(cstring(5), "", "a", "abcd"),
  of(cstring(16), "", "eth0", "a name of 15 by", "ümläut"),
  of(ipv4, "0.0.0.0", "10.0.0.1", "255.255.255.255"),
  of(ipv6, "::", "::1", "2001:db8::1", "fe80::1:2:3:4"),
  of(mac, "00:00:00:00:00:00", "de:ad:be:ef:00:01", "ff:ff:ff:ff:ff:ff"),
  of(enumOf({ tcp: 6, udp: 17, icmp: 1 }), "tcp", "udp", "icmp"),
  of(array(u16, 3), [0, 0, 0], [1, 2, 3], [65535, 0, 1]),
  of(struct({ hits: u64, seen: u8 }), { hits: 0n, seen: 0 }, { hits: 1n, seen: 0 }, { hits: 0n, seen: 1 }),
  of(
    struct({ source: ipv4, destination: ipv4, port: u16be, protocol: u8 }),
    { source: "10.0.0.1", destination: "10.0.0.2", port: 80, protocol: 6 },
    { source: "10.0.0.1", destination: "10.0.0.2", port: 80, protocol: 17 },
    { source: "10.0.0.2", destination: "10.0.0.1", port: 80, protocol: 6 },
  ),
  of(
    struct({ name: cstring(7), position: struct({ x: i16, y: i16 }), samples: array(u8, 3) }),
    { name: "a", position: { x: 1, y: -1 }, samples: [1, 2, 3] },
    { name: "b", position: { x: 1, y: -1 }, samples: [1, 2, 3] },
    { name: "a", position: { x: 1, y: -1 }, samples: [1, 2, 4] },
  ),
  ...[1, 2, 3, 5, 6, 7, 9, 12, 13, 15, 16, 17, 31, 33, 64, 100, 255, 512].map((size) =>
    of(bytes(size), ...byteStrings(size)),
  ),
] as unknown as readonly Case<unknown>[];

function asKeys(bpf: Bpf, { layout, values }: Case<unknown>): void {
  using map = bpf.createMap({ type: "hash", key: layout, value: u32, maxEntries: values.length });
  for (const [i, key] of values.entries()) map.set(key, i, "noexist");
  for (const [i, key] of values.entries()) assert.equal(map.get(key), i);
  const found = [...map];
  assert.equal(found.length, values.length);
  for (const [key, i] of found) assert.deepEqual(key, values[i]);
  for (const key of map.keys()) assert.ok(map.has(key));
  for (const key of values) assert.equal(map.delete(key), true);
  assert.equal(map.count(), 0);
}

function asValues(bpf: Bpf, { layout, values }: Case<unknown>): void {
  using hash = bpf.createMap({ type: "hash", key: u32, value: layout, maxEntries: values.length });
  using list = bpf.createMap({ type: "array", value: layout, maxEntries: values.length });
  hash.setMany(values.entries());
  list.setMany(values.entries());
  for (const [i, value] of values.entries()) {
    assert.deepEqual(hash.get(i), value);
    assert.deepEqual(list.get(i), value);
  }
  assert.deepEqual([...list.values()], values);
  for (const [i, value] of hash.drain()) assert.deepEqual(value, values[i]);
}

onEveryKernel((kernel) => {
  describe("keys", () => {
    for (const each of CASES) {
      test(`of ${each.layout.name} are found again`, () => {
        using bpf = kernel.open();
        asKeys(bpf, each);
      });
    }

    test("of every size from 1 to 80 bytes are told apart by their last bit", () => {
      using bpf = kernel.open();
      for (let size = 1; size <= 80; size++) {
        using map = bpf.createMap({ type: "hash", key: bytes(size), value: u32, maxEntries: 2 });
        const one = new Uint8Array(size).fill(0xff);
        const two = one.with(size - 1, 0x7f);
        map.set(one, 1).set(two, 2);
        assert.equal(map.get(one), 1);
        assert.equal(map.get(two), 2);
        assert.equal(map.take(one), 1);
        assert.deepEqual([...map], [[two, 2]]);
      }
    });

    test("of different sizes do not mix when they are used in turn", () => {
      using bpf = kernel.open();
      const maps = [7, 3, 6, 1, 5, 2, 13, 9].map((size) =>
        bpf.createMap({ type: "hash", key: bytes(size), value: u32, maxEntries: 4 }),
      );
      for (const map of maps) map.set(new Uint8Array(map.keySize).fill(0xff), map.keySize);
      for (const map of maps.toReversed()) map.setMany([[new Uint8Array(map.keySize).fill(0xee), map.keySize]]);
      for (const map of [...maps, ...maps.toReversed()]) {
        assert.equal(map.get(new Uint8Array(map.keySize).fill(0xff)), map.keySize);
        assert.equal(map.get(new Uint8Array(map.keySize).fill(0xee)), map.keySize);
        assert.equal(map.count(), 2);
      }
    });

    test("are equal when their bytes are, padding included", () => {
      using bpf = kernel.open();
      const key = struct({ kind: u8, number: u32 });
      using map = bpf.createMap({ type: "hash", key, value: u32, maxEntries: 4 });
      map.set({ kind: 1, number: 2 }, 3);
      assert.equal(map.get({ number: 2, kind: 1 }), 3);
      assert.equal(map.count(), 1);
    });
  });

  describe("values", () => {
    for (const each of CASES) {
      test(`of ${each.layout.name} come back`, () => {
        using bpf = kernel.open();
        asValues(bpf, each);
      });
    }

    test("of 1 byte to 64 KiB come back, and stay apart", () => {
      using bpf = kernel.open();
      for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 4095, 4096, 4097, 32768, 65535, 65536]) {
        asValues(bpf, of(bytes(size), ...byteStrings(size)) as unknown as Case<unknown>);
      }
    });
  });
});

/** Maps carry the types of their keys and values, and whoever opens them reads them so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  array,
  BtfBuilder,
  bool,
  bytes,
  cidr,
  cstring,
  enumOf,
  f64,
  i16,
  ipv4,
  type Layout,
  mac,
  openEnum,
  struct,
  u16be,
  u32,
  u64,
  union,
} from "mapiary";
import { onEveryKernel } from "../kernels.ts";

const bytesOf = (length: number): Uint8Array => new Uint8Array(length);

const inner = struct({ low: u32, high: i16 }, { name: "inner" });
const flow = struct(
  {
    comm: cstring(16),
    port: u16be,
    isOpen: bool,
    seen: u64,
    rates: array(f64, 2),
    inner,
    peers: array(inner, 2),
    verdict: enumOf({ PASS: 0, DROP: 1 }),
    digest: bytes(3),
  },
  { name: "flow" },
);
const FLOW = {
  comm: "nginx",
  port: 443,
  isOpen: true,
  seen: 7n,
  rates: [0.5, 2],
  inner: { low: 1, high: -2 },
  peers: [
    { low: 3, high: 4 },
    { low: 5, high: 6 },
  ],
  verdict: "DROP" as const,
  digest: Uint8Array.of(1, 2, 3),
};

/** The BTF of a section with three variables, and its id. */
function section(name: string): { readonly bytes: Uint8Array; readonly id: number } {
  const builder = new BtfBuilder();
  const long = builder.add({ kind: "int", name: "unsigned long long", size: 8 });
  const int = builder.add({ kind: "int", name: "int", size: 4, isSigned: true });
  const char = builder.add({ kind: "int", name: "char", size: 1, isSigned: true });
  const text = builder.add({ kind: "array", type: char, indexType: int, length: 8 });
  const variable = (name: string, type: number, offset: number, size: number) => {
    return { type: builder.add({ kind: "var", name, type, linkage: "global" }), offset, size };
  };
  const variables = [variable("seen", long, 0, 8), variable("limit", int, 8, 4), variable("device", text, 12, 8)];
  return { id: builder.add({ kind: "datasec", name, size: 24, variables }), bytes: builder.encode() };
}

onEveryKernel(({ open, bpffs }) => {
  describe("the map of a section of an object file", () => {
    for (const name of [".data", ".bss", ".rodata"]) {
      test(`${name} is an object of its variables, by its path and by its id`, () => {
        using bpf = open();
        const { sys } = bpf;
        const { bytes, id } = section(name);
        const types = { btfFd: sys.btfLoad(bytes), btfKeyTypeId: 0, btfValueTypeId: id };
        const fd = sys.mapCreate({ type: "array", name, keySize: 4, valueSize: 24, maxEntries: 1, ...types });
        const path = `${bpffs}/${name.slice(1)}`;
        assert.equal(sys.objPin(fd, path), 0);
        const raw = Uint8Array.of(
          7,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0xfd,
          0xff,
          0xff,
          0xff,
          0x65,
          0x74,
          0x68,
          0x30,
          ...bytesOf(8),
        );
        assert.equal(sys.mapUpdateElem(fd, bytesOf(4), raw), 0);
        const info = sys.objGetInfoByFd(fd);
        assert.ok(typeof info === "object");
        for (const open of [() => bpf.openMap(path), () => bpf.mapById(info.id)]) {
          using map = open();
          assert.deepEqual(map.get(0), { seen: 7n, limit: -3, device: "eth0" });
          map.set(0, { seen: 8n, limit: 5, device: "lo" });
          assert.deepEqual(map.get(0), { seen: 8n, limit: 5, device: "lo" });
          assert.equal(sys.mapUpdateElem(fd, bytesOf(4), raw), 0);
        }
        assert.equal(bpf.bpffs.unlink(path), undefined);
      });
    }
  });

  describe("a map that is made from layouts", () => {
    test("carries BTF, by which it is read without them", () => {
      using bpf = open();
      using map = bpf.createMap({ type: "hash", name: "flows", key: u32, value: flow, maxEntries: 4 });
      const info = map.info();
      assert.ok(info.btfId > 0 && info.btfKeyTypeId > 0 && info.btfValueTypeId > 0);
      map.set(5, FLOW);
      using opened = bpf.mapById(map.id);
      // What is in network order is an integer to BTF.
      assert.deepEqual(opened.get(5), { ...FLOW, port: (443 >> 8) | ((443 & 0xff) << 8) });
      assert.equal(opened.value.name, "struct flow");
    });

    test("says unions and enums of numbers without a name, of 64 bits too, and texts that fill their place", () => {
      using bpf = open();
      const fields = {
        action: openEnum({ DROP: 1, PASS: 2 }),
        change: openEnum({ BACK: -1, NONE: 0 }, i16),
        mark: openEnum({ FIRST: 1n << 40n }, u64),
        peer: union({ v4: u32, half: struct({ low: i16, high: i16 }) }, { name: "peer" }),
        device: cstring(4, { terminated: false }),
      };
      const value = struct(fields, { name: "event" });
      using map = bpf.createMap({ type: "hash", name: "events", key: u32, value, maxEntries: 4 });
      assert.ok(map.info().btfId > 0);
      map.set(1, { action: "PASS", change: "BACK", mark: "FIRST", peer: { v4: 0x0002_0001 }, device: "eth0" });
      map.set(2, { action: 77, change: -2, mark: 5n, peer: { half: { low: -1, high: 0 } }, device: "lo" });
      using opened = bpf.mapById(map.id);
      for (const key of [1, 2]) {
        const read = opened.get(key);
        assert.deepEqual(read, map.get(key));
        opened.set(key, read);
        assert.deepEqual(map.get(key), read);
      }
      assert.deepEqual(opened.get(2), {
        action: 77,
        change: -2,
        mark: 5n,
        peer: { v4: 0xffff, half: { low: -1, high: 0 } },
        device: "lo",
      });
      bpf.mapById(map.id, { value }).close();
      const other = struct({ ...fields, peer: union({ v4: u32, halves: array(i16, 1) }) });
      assert.throws(() => bpf.mapById(map.id, { value: other }), /field peer\.halves: there is none of that name/);
    });

    test("of every type that takes BTF has it", () => {
      using bpf = open();
      const value = struct({ n: u64 });
      const common = { value, maxEntries: 1 };
      const maps = [
        bpf.createMap({ type: "array", ...common }),
        bpf.createMap({ type: "percpu_array", ...common }),
        bpf.createMap({ type: "percpu_hash", key: u32, ...common }),
        bpf.createMap({ type: "lru_hash", key: u32, ...common }),
        bpf.createMap({ type: "lru_percpu_hash", key: u32, ...common }),
        bpf.createMap({ type: "lpm_trie", key: cidr, ...common }),
        bpf.createMap({ type: "bloom_filter", ...common }),
      ];
      for (const map of maps) assert.ok(map.info().btfId > 0, map.type);
      using array = bpf.createMap({ type: "array", key: enumOf({ A: 0, B: 1 }), value, maxEntries: 2 });
      assert.ok(array.info().btfId > 0);
    });

    test("of a type without BTF has none, and is made all the same", () => {
      using bpf = open();
      using queue = bpf.createMap({ type: "queue", value: u64, maxEntries: 1 });
      assert.equal(queue.info().btfId, 0);
    });

    test("from layouts that BTF cannot say has none, and is made all the same", () => {
      using bpf = open();
      const odd = struct({ "a field": u32 });
      using map = bpf.createMap({ type: "hash", key: u32, value: odd, maxEntries: 1 });
      assert.equal(map.info().btfId, 0);
      const own: Layout<number> = { ...u32, name: "mine" };
      using other = bpf.createMap({ type: "hash", key: own, value: u32, maxEntries: 1 });
      assert.equal(other.info().btfId, 0);
    });

    test("shares its BTF with those that are made from the same layouts", () => {
      using bpf = open();
      const spec = { type: "hash", key: ipv4, value: flow, maxEntries: 1 } as const;
      using first = bpf.createMap(spec);
      using second = bpf.createMap(spec);
      assert.equal(first.info().btfId, second.info().btfId);
      first.close();
      second.close();
      using third = bpf.createMap(spec);
      assert.ok(third.info().btfId > 0);
    });
  });

  describe("layouts that are given for a map with BTF", () => {
    test("are checked against it: a mismatch names the field", () => {
      using bpf = open();
      const value = struct({ packets: u32, seen: u64, name: cstring(8) });
      using map = bpf.createMap({ type: "hash", name: "checked", key: u32, value, maxEntries: 1 });
      const moved = struct({ packets: u32, name: cstring(8), seen: u64, more: u32 }, { packed: true });
      assert.throws(() => bpf.mapById(map.id, { key: u32, value: moved }), {
        name: "TypeError",
        message: "map checked, value: field name: at offset 4 with 8 bytes, but in BTF at offset 16 with 8",
      });
      const wide = struct({ packets: u64, seen: u64, name: cstring(8) });
      assert.throws(() => bpf.mapById(map.id, { value: wide }), /field packets: at offset 0 with 8 bytes, but in BTF/);
      const renamed = struct({ count: u32, lastSeen: u64, label: bytes(8) });
      bpf.mapById(map.id, { value: renamed }).close();
      bpf.mapById(map.id, { value: bytes(24) }).close();
    });

    test("say the length of arrays and the parts of structs inside", () => {
      using bpf = open();
      const value = struct({ ports: array(u32, 4), at: struct({ x: u32, y: u32 }) });
      using map = bpf.createMap({ type: "hash", name: "checked", key: mac, value, maxEntries: 1 });
      const other = struct({ ports: array(u64, 2), at: struct({ x: u32, y: u32 }) });
      assert.throws(() => bpf.mapById(map.id, { value: other }), /field ports has 2 elements, but in BTF it has 4/);
      const inside = struct({ ports: array(u32, 4), at: struct({ y: u32, x: u32 }) });
      assert.throws(() => bpf.mapById(map.id, { value: inside }), /field at.y: at offset 0 .* in BTF at offset 4/);
    });
  });
});

/** The memory of mmapable arrays, read and written where it lies. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, test } from "node:test";
import { array, type Bpf, bytes, cstring, enumOf, i32, i64, struct, u16, u32, u64, u64be } from "mapiary";
import { onEveryKernel, onLinux } from "../kernels.ts";
import { collectGarbage } from "./lifetime.ts";

const flags = ["mmapable"] as const;
const flow = struct({
  packets: u32,
  bytes: u64,
  rx: struct({ drops: i32, since: i64 }),
  ports: array(u16, 3),
  levels: array(u32, 2),
  comm: cstring(8),
});
const NOTHING = { packets: 0, bytes: 0n, rx: { drops: 0, since: 0n }, ports: [0, 0, 0], levels: [0, 0], comm: "" };

onEveryKernel((kernel) => {
  const counters = (bpf: Bpf, maxEntries = 4) =>
    bpf.createMap({ type: "array", name: "counters", value: u64, maxEntries, flags });
  const flows = (bpf: Bpf) => bpf.createMap({ type: "array", name: "flows", value: flow, maxEntries: 3, flags });

  describe("the memory of an array", () => {
    test("is a typed array of its u64 or i64 values, whose elements are the map's own", () => {
      using bpf = kernel.open();
      const map = counters(bpf).set(1, 7n);
      const { memory } = map;
      assert.ok(memory instanceof BigUint64Array);
      assert.deepEqual([...memory], [0n, 7n, 0n, 0n]);
      memory[3] = 2n ** 64n - 1n;
      assert.equal(map.get(3), 2n ** 64n - 1n);
      map.set(0, 5n);
      assert.equal(memory[0], 5n);
      assert.equal(map.memory, memory);
      const signed = bpf.createMap({ type: "array", value: i64, maxEntries: 2, flags });
      signed.memory[1] = -5n;
      assert.equal(signed.get(1), -5n);
    });

    test("is for Atomics too", () => {
      using bpf = kernel.open();
      const map = counters(bpf).set(2, 40n);
      assert.equal(Atomics.add(map.memory, 2, 2n), 40n);
      assert.equal(map.get(2), 42n);
    });

    test("of other values is an array of them, 8 bytes and more apart", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "array", value: u32, maxEntries: 3, flags }).set(1, 7);
      const { memory } = map;
      assert.deepEqual([...memory], [0, 7, 0]);
      assert.equal(memory.length, 3);
      memory.set(2, 9).set(0, 2 ** 32 - 1);
      assert.deepEqual([...map.values()], [2 ** 32 - 1, 7, 9]);
      memory.at(1).value++;
      assert.equal(map.get(1), 8);
      assert.equal(memory.get(3), undefined);
      assert.throws(() => memory.set(3, 1), RangeError);
      assert.throws(() => memory.set(0, -1), /u32: -1 is out of range/);
      assert.equal(map.get(0), 2 ** 32 - 1);
    });

    test("is every byte of a map whose values have no layout", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "array", value: bytes(5), maxEntries: 2, flags });
      map.memory.set(1, Uint8Array.of(1, 2, 3, 4, 5));
      assert.deepEqual(map.get(1), Uint8Array.of(1, 2, 3, 4, 5));
    });

    test("is no typed array of big-endian values, which at reads", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "array", value: u64be, maxEntries: 1, flags });
      map.at(0).value = 258n;
      assert.equal(map.get(0), 258n);
      assert.throws(() => map.memory, /no typed array of u64be: use at/);
    });

    test("stays what it is while other maps make the address space grow", () => {
      using bpf = kernel.open();
      const map = counters(bpf);
      const [whole, one, other] = [map.memory, map.at(1), flows(bpf).at(2)];
      for (let i = 0; i < 4; i++) bpf.createMap({ type: "array", value: bytes(1 << 20), maxEntries: 4 });
      whole[1] = 9n;
      other.packets = 3;
      assert.deepEqual([one.value, map.get(1), other.packets], [9n, 9n, 3]);
    });

    test("needs the flag mmapable", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "array", name: "plain", value: u64, maxEntries: 1 });
      assert.throws(() => map.memory, { code: "EINVAL", message: /map plain was made without the flag mmapable/ });
      assert.throws(() => map.at(0), { code: "EINVAL" });
    });

    test("needs to be opened for reading and writing", () => {
      using bpf = kernel.open();
      const map = counters(bpf);
      for (const access of ["read", "write"] as const) {
        const opened = bpf.mapById(map.id, { type: "array", value: u64, access });
        assert.throws(() => opened.memory, { code: "EACCES" });
      }
    });
  });

  describe("a value where it lies", () => {
    test("has the fields of a struct, of the structs in it, and the elements of its arrays", () => {
      using bpf = kernel.open();
      const map = flows(bpf);
      const live = map.at(1);
      live.packets = 5;
      live.bytes += 1500n;
      live.rx.since = -1n;
      live.ports.set(2, 443);
      live.comm = "nginx";
      const expected = { packets: 5, bytes: 1500n, rx: { drops: 0, since: -1n }, ports: [0, 0, 443] };
      assert.deepEqual(map.get(1), { ...NOTHING, ...expected, comm: "nginx" });
      assert.deepEqual([map.get(0), map.get(2)], [NOTHING, NOTHING]);
      map.set(1, { ...NOTHING, packets: 6, ports: [80, 0, 0] });
      assert.deepEqual([live.packets, live.bytes, live.ports.get(0), live.comm], [6, 0n, 80, ""]);
    });

    test("takes a whole struct or array in a field, and checks it before a byte is written", () => {
      using bpf = kernel.open();
      const map = flows(bpf);
      const live = map.at(0);
      live.rx = { drops: 7, since: 8n };
      assert.deepEqual(map.get(0)?.rx, { drops: 7, since: 8n });
      assert.throws(() => {
        live.rx = { drops: 9, since: 2n ** 63n };
      }, /field rx.since: i64: 9223372036854775808 is out of range/);
      assert.throws(() => {
        live.packets = -1;
      }, /field packets: u32: -1 is out of range/);
      assert.deepEqual(map.get(0), { ...NOTHING, rx: { drops: 7, since: 8n } });
    });

    test("is found by the layout of the map's keys", () => {
      using bpf = kernel.open();
      const verdict = enumOf({ pass: 0, drop: 1 });
      const map = bpf.createMap({ type: "array", key: verdict, value: u64, maxEntries: 2, flags });
      map.at("drop").value = 5n;
      map.atomic("drop").add(1n);
      assert.equal(map.get("drop"), 6n);
    });

    test("is a RangeError past the end", () => {
      using bpf = kernel.open();
      const map = counters(bpf, 2);
      assert.throws(() => map.at(2), RangeError);
      assert.throws(() => map.atomic(2), RangeError);
      assert.throws(() => map.at(-1), RangeError);
    });

    test("may be named as its fields wish", () => {
      using bpf = kernel.open();
      const value = struct({ constructor: u32, toString: u32, "a-b": u32 });
      const map = bpf.createMap({ type: "array", value, maxEntries: 1, flags });
      const live = map.at(0);
      live.constructor = 1;
      live.toString = 2;
      live["a-b"] = 3;
      assert.deepEqual({ ...map.get(0) }, { constructor: 1, toString: 2, "a-b": 3 });
    });
  });

  describe("atomic operations", () => {
    test("answer what was there, and wrap around", () => {
      using bpf = kernel.open();
      const map = counters(bpf);
      const counter = map.atomic(1);
      assert.equal(counter.add(5n), 0n);
      assert.equal(counter.sub(6n), 5n);
      assert.equal(map.get(1), 2n ** 64n - 1n);
      assert.equal(counter.and(0xffn), 2n ** 64n - 1n);
      assert.equal(counter.or(0x100n), 0xffn);
      assert.equal(counter.xor(1n), 0x1ffn);
      assert.equal(counter.exchange(7n), 0x1fen);
      assert.equal(counter.compareExchange(8n, 9n), 7n);
      assert.equal(counter.compareExchange(7n, 9n), 7n);
      assert.equal(counter.load(), 9n);
      counter.store(1n);
      assert.equal(map.get(1), 1n);
    });

    test("are there for signed and unsigned integers of 32 and 64 bits, alone, in structs and in arrays", () => {
      using bpf = kernel.open();
      const map = flows(bpf);
      const live = map.atomic(2);
      assert.equal(live.packets.add(-1), 0);
      assert.equal(live.rx.drops.sub(1), 0);
      assert.equal(live.rx.since.compareExchange(0n, -(2n ** 63n)), 0n);
      assert.equal(live.levels.at(1).exchange(5), 0);
      const { packets, rx, levels } = map.get(2) ?? NOTHING;
      assert.deepEqual([packets, rx, levels], [2 ** 32 - 1, { drops: -1, since: -(2n ** 63n) }, [0, 5]]);
      assert.throws(() => live.levels.at(2), RangeError);
    });

    test("are numbers of 64 bits where the layout is", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "array", value: u64.number, maxEntries: 1, flags });
      assert.equal(map.atomic(0).add(5), 0);
      assert.equal(map.atomic(0).add(-3), 5);
      assert.equal(map.get(0), 2);
      map.atomic(0).sub(3);
      assert.throws(() => map.atomic(0).load(), /18446744073709551615 is beyond 2\^53/);
    });

    test("refuse what is no integer of theirs, and write nothing", () => {
      using bpf = kernel.open();
      const map = flows(bpf);
      const { packets, bytes } = map.atomic(0);
      assert.throws(() => packets.add(0.5), RangeError);
      assert.throws(() => packets.add(1n as never), TypeError);
      assert.throws(() => packets.store(-1), RangeError);
      assert.throws(() => packets.compareExchange(0, 2 ** 32), RangeError);
      assert.throws(() => bytes.add(1 as never), TypeError);
      assert.throws(() => bytes.exchange(-1n), RangeError);
      assert.deepEqual(map.get(0), NOTHING);
    });

    test("are not there for other values", () => {
      using bpf = kernel.open();
      const map = flows(bpf);
      assert.throws(() => map.atomic(0).ports.at(0), /u16 has no atomic operations/);
      assert.throws(() => map.atomic(0).comm, TypeError);
      const packed = bpf.createMap({
        type: "array",
        value: struct({ tag: u16, count: u32 }, { packed: true }),
        maxEntries: 1,
        flags,
      });
      assert.throws(() => packed.atomic(0).count, /does not lie at a multiple of its size/);
    });
  });

  describe("an array that is mapped", () => {
    test("cannot be frozen", () => {
      using bpf = kernel.open();
      const map = counters(bpf);
      map.at(0).value = 1n;
      assert.throws(() => map.freeze(), { code: "EBUSY", message: /close what maps it/ });
      assert.equal(map.set(0, 2n).get(0), 2n);
    });

    test("can be frozen once the map that mapped it is closed", () => {
      using bpf = kernel.open();
      const map = counters(bpf);
      const other = bpf.mapById(map.id, { type: "array", value: u64 });
      other.at(0).value = 5n;
      other.close();
      map.freeze();
      assert.equal(map.get(0), 5n);
    });

    test("ends with close: what stands for its values throws", () => {
      using bpf = kernel.open();
      const map = flows(bpf);
      const [live, atomic, memory] = [map.at(0), map.atomic(0).packets, map.memory];
      const { rx } = live;
      map.close();
      for (const use of [
        () => live.packets,
        () => rx.drops,
        () => atomic.add(1),
        () => memory.get(0),
        () => memory.set(0, NOTHING),
        () => {
          live.packets = 1;
        },
      ]) {
        assert.throws(use, { code: "EBADF", message: /map flows is closed/ });
      }
      assert.throws(() => map.at(0), { code: "EBADF" });
      assert.throws(() => map.memory, { code: "EBADF" });
      assert.ok(!bpf.maps().some(({ id }) => id === map.id));
    });

    test("ends with the kernel, and leaves typed arrays empty", () => {
      const bpf = kernel.open();
      const map = counters(bpf);
      const { memory } = map;
      const part = memory.subarray(1);
      const live = map.at(0);
      bpf.close();
      assert.deepEqual([memory.length, part.length], kernel.leavesArrays === true ? [4, 3] : [0, 0]);
      assert.throws(() => live.value, { code: "EBADF" });
    });

    test("lives on with a typed array of it, and goes when that is collected", async () => {
      using bpf = kernel.open();
      const { id } = counters(bpf);
      const lives = () => bpf.maps().some((map) => map.id === id);
      await (async () => {
        const map = bpf.mapById(id, { type: "array", value: u64 });
        const part = map.memory.subarray(1).subarray(1);
        map.close();
        await collectGarbage();
        bpf.createMap({ type: "array", value: bytes(8192), maxEntries: 1, flags }).at(0).value = new Uint8Array(
          8192,
        ).fill(9);
        assert.equal(part[0], 0n);
        part[0] = 6n;
        const again = bpf.mapById(id, { type: "array", value: u64 });
        assert.equal(again.get(2), 6n);
        again.close();
      })();
      for (let tries = 0; tries < 100 && lives(); tries++) await collectGarbage();
      assert.ok(!lives());
    });
  });

  describe("an array that cannot be written", () => {
    test("is read where it lies when it is frozen", () => {
      using bpf = kernel.open();
      const map = flows(bpf).set(0, { ...NOTHING, packets: 4 });
      map.freeze();
      const live = map.at(0);
      assert.equal(live.packets, 4);
      assert.equal(map.memory.get(0)?.packets, 4);
      assert.equal(map.atomic(0).packets.load(), 4);
      const error = { code: "EPERM", message: /map flows is frozen/ };
      assert.throws(() => {
        live.packets = 5;
      }, error);
      assert.throws(() => map.memory.set(0, NOTHING), error);
      assert.throws(() => map.atomic(0).packets.add(1), error);
      assert.equal(map.get(0)?.packets, 4);
    });

    test("is no typed array, which anybody could write, when it is frozen", () => {
      using bpf = kernel.open();
      const map = counters(bpf).set(0, 4n);
      map.freeze();
      assert.equal(map.at(0).value, 4n);
      assert.throws(() => map.memory, { code: "EPERM" });
    });

    test("is read where it lies when programs may only read it", () => {
      using bpf = kernel.open();
      const map = bpf.createMap({ type: "array", value: u64, maxEntries: 1, flags: ["mmapable", "rdonly_prog"] });
      map.set(0, 4n);
      assert.equal(map.at(0).value, 4n);
      assert.throws(() => map.atomic(0).add(1n), { code: "EACCES", message: /rdonly_prog/ });
    });
  });
});

onLinux(({ open, bpffs }) => {
  test("two processes add to one integer of a mapped array at once, and lose nothing", async () => {
    using bpf = open();
    const path = `${bpffs}/shared`;
    const value = struct({ hits: u64, errors: u32 });
    const map = bpf.createMap({ type: "array", name: "shared", value, maxEntries: 1, flags });
    map.pin(path);
    const child = fork(join(import.meta.dirname, "adding-process.ts"), [path], { execArgv: ["--import", "tsx"] });
    await once(child, "message");
    child.send("go");
    const { hits, errors } = map.atomic(0);
    for (let i = 0; i < 300_000; i++) {
      hits.add(1n);
      errors.add(1);
    }
    const [code] = await once(child, "exit");
    assert.equal(code, 0);
    assert.deepEqual(map.get(0), { hits: 600_000n, errors: 600_000 });
  });
});

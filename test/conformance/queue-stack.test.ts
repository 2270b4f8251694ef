/** Queues and stacks: every method of their typed face, and every command on what lies below it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, type Bpf, bytes, type QueueStackMap, struct, u8, u32, u64 } from "mapiary";
import { MAP_ELEM } from "../../src/abi/attr.ts";
import { BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM } from "../../src/abi/commands.ts";
import { E2BIG, EFAULT, EINVAL, ENOENT, ENOTSUPP, EPERM } from "../../src/abi/errno.ts";
import { BPF_F_LOCK, BPF_F_NO_PREALLOC, BPF_F_NUMA_NODE, BPF_F_ZERO_SEED } from "../../src/abi/flags.ts";
import { onEveryKernel } from "../kernels.ts";
import { NOWHERE, Seam } from "./seam.ts";

type Type = "queue" | "stack";

function create(bpf: Bpf, type: Type, maxEntries = 3): QueueStackMap<number> {
  // The overloads take one type each.
  return type === "queue"
    ? bpf.createMap({ type, name: "values", value: u32, maxEntries })
    : bpf.createMap({ type, name: "values", value: u32, maxEntries });
}

function refused(code: string, command: string): Record<string, unknown> {
  return { name: "BpfError", code, command, syscall: "bpf", map: "values" };
}

onEveryKernel((kernel) => {
  test("a queue pops what was pushed first", () => {
    using bpf = kernel.open();
    const queue = create(bpf, "queue");
    queue.push(1).push(2).push(3);
    assert.equal(queue.peek(), 1);
    assert.equal(queue.pop(), 1);
    assert.equal(queue.peek(), 2);
    queue.push(4);
    assert.deepEqual([queue.pop(), queue.pop(), queue.pop(), queue.pop()], [2, 3, 4, undefined]);
  });

  test("a stack pops what was pushed last", () => {
    using bpf = kernel.open();
    const stack = create(bpf, "stack");
    stack.push(1).push(2).push(3);
    assert.equal(stack.peek(), 3);
    assert.equal(stack.pop(), 3);
    assert.equal(stack.peek(), 2);
    stack.push(4);
    assert.deepEqual([stack.pop(), stack.pop(), stack.pop(), stack.pop()], [4, 2, 1, undefined]);
  });

  test('a push with "exist" drops the oldest of a full queue, and of a full stack too', () => {
    using bpf = kernel.open();
    const queue = create(bpf, "queue");
    queue.push(1).push(2).push(3).push(4, "exist").push(5, "exist");
    assert.deepEqual(queue.drain(), [3, 4, 5]);
    const stack = create(bpf, "stack");
    stack.push(1).push(2).push(3).push(4, "exist").push(5, "exist");
    assert.deepEqual(stack.drain(), [5, 4, 3]);
  });

  for (const type of ["queue", "stack"] as const) describe(`a ${type}`, () => behaves(type));

  function behaves(type: Type): void {
    test("that is empty gives undefined and no values", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      assert.equal(map.pop(), undefined);
      assert.equal(map.peek(), undefined);
      assert.deepEqual(map.drain(), []);
    });

    test("holds maxEntries values, and one more is E2BIG", () => {
      using bpf = kernel.open();
      for (const maxEntries of [1, 2, 7]) {
        const map = create(bpf, type, maxEntries);
        for (let value = 0; value < maxEntries; value++) map.push(value);
        assert.throws(() => map.push(99), refused("E2BIG", "BPF_MAP_UPDATE_ELEM"));
        assert.equal(map.drain().length, maxEntries);
      }
    });

    test('takes a push with "exist" while there is room, and drops nothing', () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      map.push(1, "exist").push(2, "any").push(3, "exist");
      assert.deepEqual(map.drain().sort(), [1, 2, 3]);
    });

    test("answers itself to a push, so that pushes chain", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      assert.equal(map.push(1), map);
    });

    test("is as a list would be, for thousands of pushes, pops and peeks around its ring", () => {
      using bpf = kernel.open();
      const map = create(bpf, type, 5);
      const list: number[] = [];
      for (let step = 0; step < 3000; step++) {
        // Every mixture of fuller and emptier, without chance.
        const turn = (step * 2654435761) >>> 28;
        if (turn < 5 && list.length < 5) {
          map.push(step);
          list.push(step);
        } else if (turn < 9) {
          map.push(step, "exist");
          if (list.length === 5) list.shift();
          list.push(step);
        } else if (turn < 13) {
          assert.equal(map.pop(), type === "queue" ? list.shift() : list.pop());
        } else {
          assert.equal(map.peek(), type === "queue" ? list[0] : list.at(-1));
        }
      }
      assert.deepEqual(map.drain(), type === "queue" ? list : list.reverse());
    });

    test("keeps every byte of its values, whatever their size", () => {
      using bpf = kernel.open();
      for (const size of [1, 2, 3, 5, 8, 13, 255, 256, 257, 4096, 5000]) {
        using map = bpf.createMap({ type: type as "queue", value: bytes(size), maxEntries: 2 });
        const first = Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) & 255);
        const second = first.map((byte) => byte ^ 255);
        map.push(first).push(second);
        assert.deepEqual(map.drain(), type === "queue" ? [first, second] : [second, first]);
      }
    });

    test("holds values of any layout", () => {
      using bpf = kernel.open();
      const job = struct({ kind: u8, size: u64 });
      using map = bpf.createMap({ type: type as "queue", value: job, maxEntries: 2 });
      map.push({ kind: 3, size: 1n << 40n });
      assert.deepEqual(map.peek(), { kind: 3, size: 1n << 40n });
    });

    test("takes nothing of a value that does not fit its layout", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      assert.throws(() => map.push(-1), RangeError);
      assert.throws(() => map.push(2 ** 32), RangeError);
      assert.equal(map.peek(), undefined);
    });

    test("takes no other flag than any and exist", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      assert.throws(() => map.push(1, "noexist" as "any"), /a push is "any" or "exist", not "noexist"/);
      assert.throws(() => map.push(1, 2 as never), TypeError);
      assert.throws(() => map.push(1, "toString" as "any"), TypeError);
      assert.equal(map.peek(), undefined);
    });

    test("that is frozen can be peeked into, and EPERM for whatever changes it", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      map.push(1);
      map.freeze();
      assert.equal(map.peek(), 1);
      assert.throws(() => map.push(2), refused("EPERM", "BPF_MAP_UPDATE_ELEM"));
      assert.throws(() => map.push(2, "exist"), refused("EPERM", "BPF_MAP_UPDATE_ELEM"));
      assert.throws(() => map.pop(), refused("EPERM", "BPF_MAP_LOOKUP_AND_DELETE_ELEM"));
      assert.throws(() => map.drain(), refused("EPERM", "BPF_MAP_LOOKUP_AND_DELETE_ELEM"));
    });

    test("that is closed is EBADF", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      map.close();
      assert.throws(() => map.push(1), refused("EBADF", "BPF_MAP_UPDATE_ELEM"));
      assert.throws(() => map.pop(), refused("EBADF", "BPF_MAP_LOOKUP_AND_DELETE_ELEM"));
      assert.throws(() => map.peek(), refused("EBADF", "BPF_MAP_LOOKUP_ELEM"));
    });

    test("is opened by its id with a layout for its values, bytes without one, and none for keys", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      map.push(0x01020304);
      using opened = bpf.mapById(map.id, { type, value: u32 });
      assert.equal(opened.peek(), 0x01020304);
      using plain = bpf.mapById(map.id, { type });
      assert.deepEqual(plain.pop(), Uint8Array.of(4, 3, 2, 1));
      assert.throws(() => bpf.mapById(map.id, { type, key: u32 }), /which has no keys/);
      assert.throws(() => bpf.mapById(map.id, { type, value: u64 }), /has a value of 4 bytes, but u64 has 8/);
      assert.throws(() => bpf.mapById(map.id, { type: "hash", key: u32, value: u32 }), TypeError);
    });

    test("has no keys, no entries to go through, and no methods for either", () => {
      using bpf = kernel.open();
      const map = create(bpf, type);
      for (const name of ["get", "set", "has", "delete", "take", "keys", "entries", "nextKey", "count"]) {
        assert.ok(!(name in map), name);
      }
      assert.ok(!(Symbol.iterator in map));
    });

    test("is made of a value and entries alone", () => {
      using bpf = kernel.open();
      const make = (options: object): number => {
        const fd = bpf.sys.mapCreate({ type, valueSize: 4, maxEntries: 4, ...options });
        return fd < 0 ? fd : bpf.sys.close(fd);
      };
      assert.equal(make({}), 0);
      assert.equal(make({ flags: BPF_F_NUMA_NODE }), 0);
      assert.equal(make({ keySize: 4 }), -EINVAL);
      assert.equal(make({ valueSize: 0 }), -EINVAL);
      assert.equal(make({ maxEntries: 0 }), -EINVAL);
      assert.equal(make({ flags: BPF_F_NO_PREALLOC }), -EINVAL);
      assert.equal(make({ flags: BPF_F_ZERO_SEED }), -EINVAL);
      assert.equal(make({ mapExtra: 1 }), -EINVAL);
      assert.equal(make({ valueSize: 2 ** 22, maxEntries: 1 }), 0);
      assert.equal(make({ valueSize: 2 ** 22 + 1, maxEntries: 1 }), -E2BIG);
      assert.equal(make({ valueSize: 2 ** 22 + 1, maxEntries: 1, keySize: 1 }), -EINVAL);
    });

    test("takes BPF_ANY and BPF_EXIST in a push, and no flags in a pop or a peek", () => {
      using bpf = kernel.open();
      const { fd } = create(bpf, type);
      const value = new Uint8Array(4);
      assert.equal(bpf.sys.mapUpdateElem(fd, null, value, BPF_ANY), 0);
      assert.equal(bpf.sys.mapUpdateElem(fd, null, value, BPF_EXIST), 0);
      for (const flags of [BPF_NOEXIST, 3, BPF_F_LOCK, 6, 8, 2 ** 32, 2 ** 32 + 2]) {
        assert.equal(bpf.sys.mapUpdateElem(fd, null, value, flags), -EINVAL, `push ${flags}`);
        assert.equal(bpf.sys.mapLookupElem(fd, null, value, flags), -EINVAL, `peek ${flags}`);
        assert.equal(bpf.sys.mapLookupAndDeleteElem(fd, null, value, flags), -EINVAL, `pop ${flags}`);
      }
    });

    test("answers EINVAL to whatever names a key, and ENOTSUPP to batches", () => {
      using bpf = kernel.open();
      const { fd } = create(bpf, type).push(1);
      const { sys } = bpf;
      const key = new Uint8Array(4);
      const value = new Uint8Array(4);
      assert.equal(sys.mapUpdateElem(fd, key, value, BPF_ANY), -EINVAL);
      assert.equal(sys.mapLookupElem(fd, key, value), -EINVAL);
      assert.equal(sys.mapLookupAndDeleteElem(fd, key, value), -EINVAL);
      assert.equal(sys.mapDeleteElem(fd, null), -EINVAL);
      assert.equal(sys.mapDeleteElem(fd, key), -EINVAL);
      assert.equal(sys.mapGetNextKey(fd, null, key), -EINVAL);
      assert.equal(sys.mapGetNextKey(fd, key, key), -EINVAL);
      const count = Uint32Array.of(1);
      assert.equal(sys.mapLookupBatch(fd, null, key, key, value, count), -ENOTSUPP);
      assert.equal(sys.mapLookupAndDeleteBatch(fd, null, key, key, value, count), -ENOTSUPP);
      assert.equal(sys.mapUpdateBatch(fd, key, value, count), -ENOTSUPP);
      assert.equal(sys.mapDeleteBatch(fd, key, count), -ENOTSUPP);
      assert.equal(count[0], 1);
    });

    test("loses a value that is popped to nowhere, and leaves the caller's bytes when it is empty", () => {
      using seam = new Seam(kernel);
      const { fd } = create(seam.bpf, type).push(1).push(2);
      const value = seam.put(Uint8Array.of(9, 9, 9, 9));
      const call = (command: number, at: number, flags = 0): number =>
        seam.call(command, { [MAP_ELEM.MAP_FD]: fd, [MAP_ELEM.VALUE]: at, [MAP_ELEM.FLAGS]: flags }, MAP_ELEM.END);
      assert.equal(call(BPF_MAP_LOOKUP_ELEM, NOWHERE), -EFAULT);
      assert.equal(call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, NOWHERE), -EFAULT);
      assert.equal(call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, NOWHERE), -EFAULT);
      assert.equal(call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, NOWHERE), -ENOENT);
      assert.equal(call(BPF_MAP_LOOKUP_ELEM, NOWHERE), -ENOENT);
      assert.equal(call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, value), -ENOENT);
      assert.deepEqual(seam.bytes(value, 4), Uint8Array.of(9, 9, 9, 9));
      assert.equal(call(BPF_MAP_UPDATE_ELEM, NOWHERE, BPF_NOEXIST), -EFAULT);
    });

    test("cannot be mapped into memory", () => {
      using seam = new Seam(kernel);
      const { fd } = create(seam.bpf, type);
      assert.equal(seam.kernel.mmap(fd, 4096, 3, 0), -ENOTSUPP);
    });

    test("that was opened read-only or write-only does half of its work", () => {
      using bpf = kernel.open();
      const map = create(bpf, type).push(1);
      const { sys } = bpf;
      using reader = bpf.mapById(map.id, { type, access: "read" });
      using writer = bpf.mapById(map.id, { type, access: "write" });
      const value = new Uint8Array(4);
      assert.equal(sys.mapLookupElem(reader.fd, null, value), 0);
      assert.equal(sys.mapUpdateElem(reader.fd, null, value, BPF_ANY), -EPERM);
      assert.equal(sys.mapLookupAndDeleteElem(reader.fd, null, value), -EPERM);
      assert.equal(sys.mapLookupElem(writer.fd, null, value), -EPERM);
      assert.equal(sys.mapUpdateElem(writer.fd, null, value, BPF_ANY), 0);
      assert.equal(sys.mapLookupAndDeleteElem(writer.fd, null, value), -EPERM);
    });
  }
});

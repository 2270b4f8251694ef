/** The buffers given to `sys`: one that is too short is EFAULT, and nothing beyond one is ever read or written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sys, u32 } from "mapiary";
import { EFAULT, ENOENT } from "../../src/abi/errno.ts";
import { onEveryKernel } from "../kernels.ts";

type Type = "hash" | "array";

const KEY = 4;
const VALUE = 12;
const GUARD = 0xa5;

/** A map with values of 12 bytes, in which 1 is 7, 7, 7 … */
function createMap(sys: Sys, type: Type): number {
  const fd = sys.mapCreate({ type, keySize: KEY, valueSize: VALUE, maxEntries: 4 });
  assert.equal(sys.mapUpdateElem(fd, u32.encode(1), new Uint8Array(VALUE).fill(7)), 0);
  return fd;
}

/** `size` bytes in the midst of guarded ones. */
function guarded(size: number, content: Uint8Array = new Uint8Array(size)): Uint8Array {
  const bytes = new Uint8Array(size + 64).fill(GUARD).subarray(32, 32 + size);
  bytes.set(content.subarray(0, size));
  return bytes;
}

function assertGuarded(bytes: Uint8Array): void {
  const around = new Uint8Array(bytes.buffer);
  for (let at = 0; at < around.length; at++) {
    const isInside = at >= bytes.byteOffset && at < bytes.byteOffset + bytes.length;
    assert.ok(isInside || around[at] === GUARD, `a byte at ${at - bytes.byteOffset} of ${bytes.length} was written`);
  }
}

onEveryKernel((kernel) => {
  for (const type of ["hash", "array"] as const) {
    describe(`a buffer for a map of type ${type}`, () => {
      test("that is too short for the key is EFAULT", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        for (let size = 0; size < KEY; size++) {
          const key = guarded(size, u32.encode(1));
          const value = guarded(VALUE);
          assert.equal(sys.mapLookupElem(fd, key, value), -EFAULT);
          assert.equal(sys.mapUpdateElem(fd, key, value), -EFAULT);
          assert.equal(sys.mapGetNextKey(fd, key, guarded(KEY)), -EFAULT);
          if (type === "hash") {
            assert.equal(sys.mapDeleteElem(fd, key), -EFAULT);
            assert.equal(sys.mapLookupAndDeleteElem(fd, key, value), -EFAULT);
          }
          assert.deepEqual(value, new Uint8Array(VALUE));
        }
      });

      test("that is too short for the value is EFAULT, and stays as it was", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        for (let size = 0; size < VALUE; size++) {
          const value = guarded(size);
          assert.equal(sys.mapLookupElem(fd, u32.encode(1), value), -EFAULT);
          assert.equal(sys.mapUpdateElem(fd, u32.encode(1), value), -EFAULT);
          assert.deepEqual(value, new Uint8Array(size));
          assertGuarded(value);
        }
        const whole = new Uint8Array(VALUE);
        assert.equal(sys.mapLookupElem(fd, u32.encode(1), whole), 0);
        assert.deepEqual(whole, new Uint8Array(VALUE).fill(7));
      });

      test("that is too short for the next key is EFAULT, and stays as it was", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        for (let size = 0; size < KEY; size++) {
          const next = guarded(size);
          assert.equal(sys.mapGetNextKey(fd, null, next), -EFAULT);
          assert.deepEqual(next, new Uint8Array(size));
          assertGuarded(next);
        }
      });

      test("that is too long is used as far as the map needs it", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const key = guarded(KEY + 9, u32.encode(1));
        const value = guarded(VALUE + 9);
        assert.equal(sys.mapLookupElem(fd, key, value), 0);
        assert.deepEqual(
          value,
          Uint8Array.from({ length: VALUE + 9 }, (_, at) => (at < VALUE ? 7 : 0)),
        );
        assertGuarded(value);
        const next = guarded(KEY + 9);
        assert.equal(sys.mapGetNextKey(fd, null, next), 0);
        assert.deepEqual(next.subarray(KEY), new Uint8Array(9));
        assertGuarded(next);
        value.fill(8);
        assert.equal(sys.mapUpdateElem(fd, key, value), 0);
        const found = new Uint8Array(VALUE);
        assert.equal(sys.mapLookupElem(fd, u32.encode(1), found), 0);
        assert.deepEqual(found, new Uint8Array(VALUE).fill(8));
      });

      test("of exactly the map's size is filled, and nothing around it", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const value = guarded(VALUE);
        assert.equal(sys.mapLookupElem(fd, guarded(KEY, u32.encode(1)), value), 0);
        assert.deepEqual(value, new Uint8Array(VALUE).fill(7));
        assertGuarded(value);
      });

      test("stays as it was when the key is not there", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const value = guarded(VALUE).fill(9);
        assert.equal(sys.mapLookupElem(fd, u32.encode(1000), value), -ENOENT);
        assert.deepEqual(value, new Uint8Array(VALUE).fill(9));
      });

      test("of a lookup batch that is too short is EFAULT, and stays as it was", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const read = (cursor: Uint8Array, keys: Uint8Array, values: Uint8Array, inBatch: Uint8Array | null = null) => {
          const count = Uint32Array.of(8);
          const result = sys.mapLookupBatch(fd, inBatch, cursor, keys, values, count);
          for (const bytes of [cursor, keys, values]) assertGuarded(bytes);
          return result;
        };
        const [cursor, keys, values] = [() => guarded(4), () => guarded(8 * KEY), () => guarded(8 * VALUE)];
        assert.equal(read(cursor(), keys(), values()), -ENOENT);
        assert.equal(read(guarded(3), keys(), values()), -EFAULT);
        assert.equal(read(cursor(), guarded(8 * KEY - 1), values()), -EFAULT);
        assert.equal(read(cursor(), keys(), guarded(8 * VALUE - 1)), -EFAULT);
        assert.equal(read(cursor(), keys(), values(), guarded(3)), -EFAULT);
      });

      test("of an update batch that is too short is EFAULT", () => {
        using bpf = kernel.open();
        const { sys } = bpf;
        const fd = createMap(sys, type);
        const count = () => Uint32Array.of(2);
        assert.equal(sys.mapUpdateBatch(fd, guarded(2 * KEY - 1), guarded(2 * VALUE), count()), -EFAULT);
        assert.equal(sys.mapUpdateBatch(fd, guarded(2 * KEY), guarded(2 * VALUE - 1), count()), -EFAULT);
        const found = new Uint8Array(VALUE);
        assert.equal(sys.mapLookupElem(fd, u32.encode(1), found), 0);
        assert.deepEqual(found, new Uint8Array(VALUE).fill(7));
      });
    });
  }

  test("keys of a delete batch that are too few are EFAULT, and nothing is deleted", () => {
    using bpf = kernel.open();
    const { sys } = bpf;
    const fd = createMap(sys, "hash");
    const count = Uint32Array.of(2);
    assert.equal(sys.mapDeleteBatch(fd, guarded(2 * KEY - 1, u32.encode(1)), count), -EFAULT);
    assert.equal(sys.mapLookupElem(fd, u32.encode(1), new Uint8Array(VALUE)), 0);
  });

  test("buffers may be views of one memory, and of one that is shared", () => {
    using bpf = kernel.open();
    const { sys } = bpf;
    const fd = createMap(sys, "hash");
    const shared = new Uint8Array(new SharedArrayBuffer(64)).subarray(5, 5 + VALUE);
    assert.equal(sys.mapLookupElem(fd, u32.encode(1), shared), 0);
    assert.deepEqual([...shared], new Array(VALUE).fill(7));
    const one = new Uint8Array(64);
    one[0] = 1;
    assert.equal(sys.mapLookupElem(fd, one.subarray(0, 4), one.subarray(0, VALUE)), 0);
    assert.deepEqual(one.subarray(0, VALUE), new Uint8Array(VALUE).fill(7));
    assert.equal(sys.mapLookupElem(fd, Buffer.from(u32.encode(1)), Buffer.alloc(VALUE)), 0);
  });
});

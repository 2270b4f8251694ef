import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ipv4 } from "./address.ts";
import { array } from "./array.ts";
import { bytes } from "./bytes.ts";
import { setCodeGeneration } from "./compile.ts";
import type { Value } from "./layout.ts";
import { u8, u16, u32 } from "./scalar.ts";
import { struct } from "./struct.ts";
import { u64 } from "./wide.ts";

for (const path of ["as the platform has it", "composed of closures"]) {
  describe(`an array, ${path}`, () => {
    before(() => setCodeGeneration(path === "composed of closures" ? false : undefined));
    after(() => setCodeGeneration(undefined));

    test("is its elements one behind the other", () => {
      const ports = array(u16, 3);
      assert.deepEqual([ports.name, ports.size, ports.align], ["array(u16, 3)", 6, 2]);
      assert.deepEqual([ports.of, ports.length], [u16, 3]);
      assert.deepEqual(ports.encode([1, 2, 0x0304]), Uint8Array.of(1, 0, 2, 0, 4, 3));
      assert.deepEqual(ports.decode(Uint8Array.of(1, 0, 2, 0, 4, 3)), [1, 2, 0x0304]);
    });

    test("comes back, short or long, of scalars, bytes, arrays or structs", () => {
      const count = (length: number) => Array.from({ length }, (_, i) => i);
      for (const length of [0, 1, 8, 16, 17, 100]) {
        const numbers = count(length);
        checkRoundTrip(array(u8, length), numbers);
        checkRoundTrip(array(u64, length), numbers.map(BigInt));
        checkRoundTrip(array(u64.number, length), numbers);
        checkRoundTrip(
          array(bytes(3), length),
          numbers.map((i) => Uint8Array.of(i, i, i)),
        );
        checkRoundTrip(
          array(ipv4, length),
          numbers.map((i) => `10.0.0.${i}`),
        );
        checkRoundTrip(
          array(array(u16, 5), length),
          numbers.map(() => count(5)),
        );
        checkRoundTrip(
          array(array(u16, 50), length),
          numbers.map(() => count(50)),
        );
        checkRoundTrip(
          array(struct({ hits: u64, at: u8 }), length),
          numbers.map((i) => ({ hits: BigInt(i), at: i })),
        );
      }
    });

    test("of another length is refused", () => {
      for (const length of [4, 40]) {
        const layout = array(u32, length);
        for (const got of [0, length - 1, length + 1]) {
          const message = `array(u32, ${length}): expected ${length} elements, got ${got}`;
          assert.throws(() => layout.encode(new Array(got).fill(0)), { name: "RangeError", message });
          assert.throws(() => layout.check(new Array(got).fill(0)), { name: "RangeError", message });
        }
      }
    });

    test("is a JavaScript array and nothing else", () => {
      for (const value of [Uint32Array.of(1, 2), "ab", { length: 2, 0: 1, 1: 2 }, null, undefined, 5]) {
        assert.throws(() => array(u32, 2).encode(value as never), { name: "TypeError" });
        assert.throws(() => array(u32, 2).check(value as never), { name: "TypeError" });
      }
      assert.throws(() => array(u32, 2).encode(null as never), {
        message: "array(u32, 2): expected an array of 2, got null",
      });
    });

    test("says which element is wrong", () => {
      assert.throws(() => array(u8, 3).encode([1, 2, 256]), {
        name: "RangeError",
        message: "array(u8, 3): element [2]: u8: 256 is out of range, 0 to 255",
      });
      const values = new Array<number>(40).fill(0).with(33, -1);
      assert.throws(() => array(u8, 40).check(values), /element \[33\]: u8: -1 is out of range/);
      assert.throws(() => array(array(u8, 2), 2).encode([[0, 0], [0]]), {
        message: "array(array(u8, 2), 2): element [1]: array(u8, 2): expected 2 elements, got 1",
      });
    });

    test("with a hole is refused", () => {
      for (const length of [2, 40]) {
        assert.throws(() => array(u8, length).encode(new Array(length)), /element \[0\]: u8: expected a number/);
      }
    });

    test("says which element cannot be read", () => {
      const layout = array(u64.number, 3);
      const bytes = array(u64, 3).encode([1n, 2n ** 60n, 0n]);
      assert.throws(
        () => layout.decode(bytes),
        /^RangeError: array\(u64\.number, 3\): element \[1\]: u64\.number: 115/,
      );
    });
  });
}

test("an array is made of a layout and a length", () => {
  assert.throws(() => array(undefined as never, 3), { message: "array: expected a layout, got undefined" });
  assert.throws(() => array(u8, -1), {
    name: "RangeError",
    message: "array: the length must be an integer from 0 to 4294967295, not -1",
  });
  assert.throws(() => array(u64, 2 ** 29), /from 0 to 536870911, not 536870912/);
  assert.throws(() => array(struct({}), 2 ** 40), RangeError);
});

test("the type of values is known at compile time", () => {
  const layout = array(u64, 2);
  const value: Value<typeof layout> = [1n, 2n];
  const back: bigint[] = layout.decode(layout.encode(value));
  assert.deepEqual(back, value);
  // @ts-expect-error numbers are no u64
  assert.throws(() => layout.encode([1, 2]), TypeError);
  // @ts-expect-error a bigint is no array
  assert.throws(() => layout.encode(1n), TypeError);
});

function checkRoundTrip<T>(layout: ReturnType<typeof array<T>>, value: T[]): void {
  layout.check(value);
  assert.deepEqual(layout.decode(layout.encode(value)), value);
}

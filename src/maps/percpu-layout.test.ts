import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setCodeGeneration } from "../layout/compile.ts";
import type { Layout } from "../layout/layout.ts";
import { u8, u32 } from "../layout/scalar.ts";
import { struct } from "../layout/struct.ts";
import { cstring } from "../layout/text.ts";
import { u64 } from "../layout/wide.ts";
import { percpu } from "./percpu-layout.ts";

/** What is so both with generated code and without. */
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

function writtenOverJunk<T>(layout: Layout<T>, value: T): Uint8Array {
  const u8 = new Uint8Array(layout.size).fill(0xee);
  layout.write({ u8, view: new DataView(u8.buffer) }, 0, value);
  return u8;
}

describe("the values of all CPUs", () => {
  bothWays("lie in slots of 8 bytes, with zeros behind each", () => {
    const layout = percpu(u8, 3);
    assert.equal(layout.size, 24);
    assert.deepEqual(
      [...writtenOverJunk(layout, [1, 2, 255])],
      [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0],
    );
    assert.deepEqual(layout.decode(layout.encode([1, 2, 255])), [1, 2, 255]);
  });

  bothWays("of 8 bytes lie one behind the other", () => {
    const layout = percpu(u64, 2);
    assert.equal(layout.size, 16);
    assert.deepEqual([...layout.encode([1n, 258n])], [1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0]);
  });

  bothWays("of more than 8 bytes take as many slots as they need", () => {
    const layout = percpu(struct({ name: cstring(9), id: u32 }), 2);
    assert.equal(layout.size, 32);
    const values = [
      { name: "eth0", id: 1 },
      { name: "", id: 2 },
    ];
    assert.deepEqual(layout.decode(writtenOverJunk(layout, values)), values);
  });

  bothWays("are exactly as many as there are CPUs", () => {
    const layout = percpu(u32, 2);
    for (const values of [[], [1], [1, 2, 3]]) {
      assert.throws(() => layout.encode(values), {
        name: "RangeError",
        message: `percpu(u32, 2): expected 2 values, one for each possible CPU, got ${values.length}`,
      });
      assert.throws(() => layout.check(values), RangeError);
    }
  });

  bothWays("are an array", () => {
    const layout = percpu(u32, 2);
    for (const values of [1, undefined, "12", new Uint32Array(2)]) {
      assert.throws(() => layout.encode(values as never), {
        name: "TypeError",
        message: /^percpu\(u32, 2\): expected an array of 2, a value for each possible CPU, got /,
      });
    }
  });

  bothWays("are named one by one when they do not fit", () => {
    const layout = percpu(u32, 2);
    assert.throws(() => layout.encode([1, 2 ** 32]), {
      name: "RangeError",
      message: "percpu(u32, 2): element [1]: u32: 4294967296 is out of range, 0 to 4294967295",
    });
  });
});

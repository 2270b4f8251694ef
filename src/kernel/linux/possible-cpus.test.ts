import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { countCpus } from "./possible-cpus.ts";

describe("possible CPUs", () => {
  test("a range counts both its ends", () => assert.equal(countCpus("0-3\n"), 4));
  test("one CPU is a range of its own", () => assert.equal(countCpus("0\n"), 1));
  test("CPUs that cannot be are not counted, though numbers run over them", () => {
    assert.equal(countCpus("0-3,8-11"), 8);
    assert.equal(countCpus("0,2,4-5"), 4);
  });
  test("what is no list of CPUs is refused with the text", () => {
    for (const list of ["", "x", "3-1", "0-", "0,,2"]) assert.throws(() => countCpus(list), RangeError, list);
  });
});

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { linux } from "mapiary/linux";
import { shuffledKeys } from "./key-sequence.ts";
import { MEASURE_NAMES } from "./measures.ts";
import type { Result } from "./result.ts";
import { ratioOf, spreadOf } from "./statistics.ts";

describe("statistics", () => {
  test("the median of an even number of samples lies between the middle two", () => {
    assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, low: 1.75, high: 3.25 });
  });

  test("one sample is its own median and quartiles", () => {
    assert.deepEqual(spreadOf([7]), { median: 7, low: 7, high: 7 });
  });

  test("a ratio is taken round by round, so drift of both cancels out", () => {
    assert.equal(ratioOf([20, 40, 60], [10, 20, 30]).median, 2);
  });
});

test("a sequence of keys is a permutation that its seed decides", () => {
  const keys = shuffledKeys(100, 50, 7);
  assert.deepEqual(
    [...keys].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => 100 + index),
  );
  assert.deepEqual(keys, shuffledKeys(100, 50, 7));
  assert.notDeepEqual(keys, shuffledKeys(100, 50, 8));
});

describe("npm run bench -- --quick --json", () => {
  let result: Result & { goals: { title: string; found: number; isMet: boolean }[] };

  before(() => {
    const sizes = ["--entries", "500", "--rounds", "2", "--milliseconds", "1"];
    const args = ["--import", "tsx", join(import.meta.dirname, "bench.ts"), "--quick", "--json", ...sizes];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, "");
    result = JSON.parse(stdout);
  });

  test("every peer that is present gave a time for every measure that it has", () => {
    for (const peer of result.peers.filter((one) => one.absent === undefined)) {
      const lacking = MEASURE_NAMES.filter((name) => peer.cells[name] === undefined);
      assert.deepEqual(lacking, peer.name.startsWith("map-") ? ["batch"] : [], peer.title);
      for (const cell of Object.values(peer.cells)) assertSpread(cell.nanoseconds);
    }
  });

  test("every peer that is absent is named with the reason", () => {
    for (const peer of result.peers.filter((one) => one.absent !== undefined)) {
      assert.notEqual(peer.absent, "");
      assert.deepEqual(peer.cells, {}, peer.title);
    }
  });

  test("JavaScript's Map and the embedded kernel are always there", () => {
    const present = result.peers.filter((one) => one.absent === undefined).map((one) => one.name);
    for (const name of ["map-number", "map-bigint", "embedded-number", "embedded-mixed", "embedded-bigint"]) {
      assert.ok(present.includes(name), name);
    }
  });

  test("mapiary is measured on Linux wherever Linux can be used", () => {
    const peer = result.peers.find((one) => one.name === "linux-number");
    assert.equal(peer?.absent, linux.unavailableReason());
  });

  test("the baseline's ratio to itself is 1", () => {
    for (const name of Object.values(result.baselines)) {
      const baseline = result.peers.find((peer) => peer.name === name);
      assert.deepEqual(baseline?.cells["get-hit"]?.ratio, { median: 1, low: 1, high: 1 });
    }
  });

  test("memory, import and the machine are told", () => {
    assert.ok(result.memory.embedded >= 12);
    assert.ok(result.memory.mapOfNumbers > 0);
    assertSpread(result.importCost.emptyScript);
    assert.match(result.machine.node, /^v\d/);
    assert.equal(result.machine.packages["mapiary"] !== undefined, true);
    assert.ok(result.goals.length >= 4);
  });
});

function assertSpread({ median, low, high }: { median: number; low: number; high: number }): void {
  assert.ok(low > 0 && low <= median && median <= high, `${low} ${median} ${high}`);
}

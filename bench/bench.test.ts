import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { cidr, embedded } from "mapiary";
import { linux } from "mapiary/linux";
import { shuffledKeys } from "./key-sequence.ts";
import { MEASURED_TYPES } from "./map-types/measured-types.ts";
import { prefixBytes, prefixText, randomPrefixes } from "./map-types/prefixes.ts";
import { TYPE_MEASURES } from "./map-types/type-measures.ts";
import { TypeWorkload } from "./map-types/type-workload.ts";
import { MEASURE_NAMES } from "./measures.ts";
import type { Result } from "./result.ts";
import { ratioOf, type Spread, spreadOf } from "./statistics.ts";

/** Each type is two processes more to be started. */
const TYPES = ["lpm_trie_struct", "queue"];

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

describe("random prefixes", () => {
  const { prefixes, addresses } = randomPrefixes(300, 7);

  test("are all different, and what their seed decides", () => {
    assert.equal(new Set(prefixes.map(prefixText)).size, 300);
    assert.deepEqual(prefixes, randomPrefixes(300, 7).prefixes);
  });

  test("hold the addresses that are looked up", () => {
    prefixes.forEach(({ length, address }, index) => {
      assert.equal(((addresses[index]?.address as number) & (-1 << (32 - length))) >>> 0, address);
    });
  });

  test("are the same as text and as bytes", () => {
    for (const prefix of prefixes) assert.deepEqual(cidr.encode(prefixText(prefix)), prefixBytes(prefix));
  });
});

describe("the loops over each map type leave it as it was", () => {
  for (const [name, type] of Object.entries(MEASURED_TYPES)) {
    test(name, () => {
      using bpf = embedded({ possibleCpus: 2 });
      const workload = new TypeWorkload(type.make(bpf, 100, 7));
      for (const measure of TYPE_MEASURES) {
        const timing = workload.time(measure, 250);
        assert.equal(timing !== undefined, type[measure] !== undefined, measure);
      }
      workload.verify();
    });
  }
});

describe("npm run bench -- --quick --json", () => {
  let result: Result & { goals: { title: string; found: number; isMet: boolean }[] };

  before(() => {
    const sizes = ["--entries", "500", "--rounds", "2", "--milliseconds", "1", "--growth", "1000"];
    const types = ["--types", TYPES.join(",")];
    const args = ["--import", "tsx", join(import.meta.dirname, "bench.ts"), "--quick", "--json", ...sizes, ...types];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, "");
    result = JSON.parse(stdout);
  });

  test("every peer that is present gave a time for every measure that it has", () => {
    for (const peer of result.peers.filter((one) => one.absent === undefined)) {
      const lacking = MEASURE_NAMES.filter((name) => peer.cells[name] === undefined);
      const isHelper = peer.place === "helper";
      const expected = isHelper
        ? MEASURE_NAMES.filter((name) => name !== "get-hit" && name !== "overwrite")
        : ["batch"];
      const hasAll = /^(embedded|linux|npm|c)-|^shared-embedded$/.test(peer.name);
      assert.deepEqual(lacking, hasAll ? [] : expected, peer.title);
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

  test("map types are measured on both kernels, as far as they are there", () => {
    assert.deepEqual(
      result.types.map((type) => type.name),
      TYPES,
    );
    for (const { cells, bytesPerEntry, absent } of result.types) {
      assert.deepEqual(Object.keys(cells), [...TYPE_MEASURES]);
      for (const { embedded: own, linux: others, times } of Object.values(cells)) {
        assertSpread(own as Spread);
        if (linux.available()) for (const spread of [others, times]) assertSpread(spread as Spread);
      }
      assert.ok(bytesPerEntry.embedded >= 8);
      assert.equal((bytesPerEntry.linux ?? 0) > 0, linux.available());
      assert.equal(absent.length, linux.available() ? 0 : 1);
    }
  });

  test("programs calculate on both kernels, and are loaded", () => {
    const { calculations, loading, absent } = result.programs;
    assert.equal(calculations.length, 2);
    for (const { embedded: own, times } of calculations) {
      assertSpread(own);
      if (linux.available()) assertSpread(times as Spread);
    }
    assert.equal(absent.length, linux.available() ? 0 : 1);
    assert.equal(loading.instructions, 1000);
    for (const { worked, elapsed } of [loading.first, loading.tenth])
      for (const time of [worked, elapsed]) assertSpread(time);
  });

  test("threads share a map, and another process sees updates", () => {
    const { scaling, delays } = result.sharing;
    assert.equal(scaling.length, 6);
    for (const { worked, elapsed } of scaling) {
      assertSpread(worked);
      assertSpread(elapsed);
    }
    assert.deepEqual(
      delays.map(({ kernel }) => kernel),
      linux.available() ? ["embedded", "linux"] : ["embedded"],
    );
    for (const { p50, p90, p99, most } of delays) assert.ok(p50 > 0 && p50 <= p90 && p90 <= p99 && p99 <= most);
  });

  test("no record of a ring buffer is lost", () => {
    const { consumers, absent } = result.rings;
    assert.equal(consumers.length, absent === undefined ? 3 : 0);
    for (const { rate, cost } of consumers) for (const spread of [rate, cost]) assertSpread(spread);
  });

  test("types and values are read", () => {
    const { vmlinux, struct, liveMemory } = result.values;
    assertSpread(struct);
    assert.equal(Object.keys(liveMemory).length, linux.available() ? 2 : 0);
    for (const times of Object.values(liveMemory)) assertSpread(times);
    for (const { time, memory } of vmlinux.readers) for (const spread of [time, memory]) assertSpread(spread);
    assert.ok(vmlinux.absent !== undefined || vmlinux.readers.length >= 3);
  });

  test("growth and pauses are told", () => {
    for (const { kinds } of result.growth) for (const sizing of Object.values(kinds)) assert.ok(sizing.get > 0);
    for (const pause of Object.values(result.pauses.longest)) assert.ok(pause > 0);
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

function assertSpread({ median, low, high }: Spread): void {
  assert.ok(low > 0 && low <= median && median <= high, `${low} ${median} ${high}`);
}

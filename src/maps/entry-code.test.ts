import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import {
  type Bpf,
  bytes,
  cstring,
  embedded,
  type HashMap,
  ipv4,
  type Layout,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "mapiary";
import { setCodeGeneration } from "../layout/compile.ts";
import { HOT_ENTRIES } from "./entry-code.ts";
import { HOT_CALLS } from "./keyed-map.ts";

/** As many entries as it takes for code to be generated for them. */
const MANY = HOT_ENTRIES;

afterEach(() => setCodeGeneration(undefined));

/** What is so with generated code and without. */
function bothWays(title: string, body: (bpf: Bpf) => void): void {
  for (const generates of [true, false]) {
    test(generates ? title : `${title}, without code generation`, () => {
      setCodeGeneration(generates ? undefined : false);
      using bpf = embedded();
      body(bpf);
    });
  }
}

function many<K, V>(
  bpf: Bpf,
  key: Layout<K>,
  value: Layout<V>,
  keyOf: (n: number) => K,
  heldOf: (n: number) => V,
): HashMap<K, V> {
  const map = bpf.createMap({ type: "hash", key, value, maxEntries: MANY, flags: ["zero_seed"] });
  for (let n = 0; n < MANY; n++) map.set(keyOf(n), heldOf(n));
  const [key0, held0] = [keyOf(0), heldOf(0)];
  for (let call = 0; call < HOT_CALLS; call++) {
    map.set(key0, held0);
    map.get(key0);
  }
  return map;
}

/** A map gives back what was put in, by every way in and every way out. */
function gives<K, V>(
  bpf: Bpf,
  key: Layout<K>,
  value: Layout<V>,
  keyOf: (n: number) => K,
  heldOf: (n: number) => V,
): void {
  const all = Array.from({ length: MANY }, (_, n): [K, V] => [keyOf(n), heldOf(n)]);
  const sorted = (entries: readonly [K, V][]): string[] => entries.map((entry) => JSON.stringify(entry, text)).sort();
  const expected = sorted(all);
  const one = many(bpf, key, value, keyOf, heldOf);
  for (const [each, held] of all) assert.deepEqual(one.get(each), held);
  const other = bpf.createMap({ type: "hash", key, value, maxEntries: MANY });
  assert.equal(other.setMany(all), MANY);
  for (const map of [one, other]) {
    assert.deepEqual(sorted([...map]), expected);
    assert.deepEqual(sorted([...map]), expected, "a second time");
    const [keys, values] = [[...map.keys()], [...map.values()]];
    assert.deepEqual(sorted(keys.map((each, n): [K, V] => [each, values[n] as V])), expected);
    assert.deepEqual(sorted(map.drain()), expected);
  }
}

function text(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? [...value] : value;
}

describe("maps that are much used", () => {
  bothWays("give back numbers", (bpf) =>
    gives(
      bpf,
      u32,
      u64.number,
      (n) => n * 0x9e37,
      (n) => n * 2 ** 40,
    ),
  );
  bothWays("give back bigints", (bpf) =>
    gives(
      bpf,
      u64,
      u64,
      (n) => BigInt(n) << 50n,
      (n) => BigInt(n),
    ),
  );
  bothWays("give back texts and bytes", (bpf) =>
    gives(bpf, cstring(12), bytes(3), String, (n) => Uint8Array.of(n, n >> 8, 7)),
  );
  bothWays("give back structs", (bpf) => {
    const flow = struct({ address: ipv4, port: u16, kind: u8 });
    const keyOf = (n: number) => ({ address: `10.0.${n >> 8}.${n & 255}`, port: n, kind: n & 255 });
    gives(bpf, flow, struct({ packets: u64, label: cstring(8) }), keyOf, (n) => ({
      packets: BigInt(n),
      label: `#${n}`,
    }));
  });
  bothWays("give back what a layout of one's own reads and writes", (bpf) => {
    const halves: Layout<number> = {
      ...u32,
      name: "halves",
      read: (memory, address) => u32.read(memory, address) / 2,
      write: (memory, address, value) => u32.write(memory, address, value * 2),
    };
    gives(
      bpf,
      halves,
      u32,
      (n) => n / 2,
      (n) => n,
    );
  });

  bothWays("refuse what does not fit, and write nothing", (bpf) => {
    const map = many(
      bpf,
      u32,
      struct({ port: u16 }),
      (n) => n,
      (n) => ({ port: n }),
    );
    const before = [...map];
    const wrong = [
      [() => map.set(-1, { port: 1 }), /u32: -1 is out of range/],
      [() => map.set(1, { port: 65536 }), /field port: u16: 65536 is out of range/],
      [() => map.set(1, undefined as never), TypeError],
      [() => map.get("1" as never), /u32: expected a number/],
      [
        () =>
          map.setMany([
            [1, { port: 5 }],
            [2, { port: -5 }],
          ]),
        /field port: u16: -5 is out of range/,
      ],
      [() => map.setMany([...before, [3, null as never]]), TypeError],
    ] as const;
    for (const [attempt, error] of wrong) assert.throws(attempt, error as RegExp);
    assert.deepEqual([...map], before);
  });

  bothWays("say what a kernel refused", (bpf) => {
    const map = many(
      bpf,
      u32,
      u32,
      (n) => n,
      (n) => n,
    );
    assert.throws(() => map.set(MANY, 1), { code: "E2BIG" });
    map.freeze();
    assert.throws(() => map.set(1, 1), { code: "EPERM", message: /frozen/ });
    assert.equal(map.get(1), 1);
    map.close();
    assert.throws(() => map.get(1), { code: "EBADF" });
    assert.throws(() => map.set(1, 1), { code: "EBADF" });
    assert.throws(() => map.keys(), { code: "EBADF" });
  });

  bothWays("say which value is beyond a number, where they stand", (bpf) => {
    const map = many(
      bpf,
      u32,
      u64.number,
      (n) => n,
      (n) => n,
    );
    const wide = bpf.mapById(map.id, { key: u32, value: u64 }) as HashMap<number, bigint>;
    wide.set(7, 2n ** 60n);
    assert.throws(() => map.get(7), /^RangeError: u64.number: 1152921504606846976 is beyond/);
    assert.throws(() => [...map.values()], /1152921504606846976 is beyond/);
    assert.equal(map.get(8), 8);
  });

  bothWays("can be left in the middle of an iteration, and changed in it", (bpf) => {
    const map = many(
      bpf,
      u32,
      u32,
      (n) => n,
      (n) => n,
    );
    const seen: number[] = [];
    for (const key of map.keys()) {
      map.set(key, 1);
      map.get(0);
      seen.push(key);
      if (seen.length === 700) break;
    }
    assert.equal(new Set(seen).size, 700);
    const iterator = map.entries();
    iterator.next();
    iterator.return?.();
    assert.deepEqual(iterator.next(), { done: true, value: undefined });
  });
});

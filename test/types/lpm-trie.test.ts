/** What compiles of an LPM trie and what does not, and that what does not fails in JavaScript as well. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cidr, embedded, type HashMap, type KeyedMap, type LpmTrie, struct, u8, u32, u64 } from "mapiary";

test('createMap of type "lpm_trie" is an LpmTrie of the layouts\' types', () => {
  using bpf = embedded();
  const routes: LpmTrie<string, bigint> = bpf.createMap({ type: "lpm_trie", key: cidr, value: u64, maxEntries: 4 });
  const own: LpmTrie<{ bits: number; tag: number }, number> = bpf.createMap({
    type: "lpm_trie",
    key: struct({ bits: u32, tag: u8 }),
    value: u32,
    maxEntries: 4,
  });
  const keyed: KeyedMap<string, bigint> = routes;
  assert.ok(keyed && own);
});

test("an LPM trie gives and takes its keys and values", () => {
  using bpf = embedded();
  const routes = bpf.createMap({ type: "lpm_trie", key: cidr, value: u64, maxEntries: 4 });
  const value: bigint | undefined = routes.set("10.0.0.0/8", 1n).get("10.0.0.1");
  const there: boolean = routes.has("10.0.0.1");
  const next: string | undefined = routes.nextKey();
  const entries: [string, bigint][] = [...routes];
  const many: number = routes.setMany([["10.0.0.0/8", 1n]]) + routes.deleteMany(["10.0.0.0/8"]);
  const deleted: boolean = routes.delete("10.0.0.0/8");
  const cleared: undefined = routes.clear() as undefined;
  assert.deepEqual([value, there, next, entries, many, deleted, cleared].length, 7);
  // @ts-expect-error: a key is a string
  assert.throws(() => routes.get(10));
  // @ts-expect-error: a value is a bigint
  assert.throws(() => routes.set("10.0.0.0/8", 1));
});

test("an LPM trie has no methods that look up and delete in one step", () => {
  using bpf = embedded();
  const routes = bpf.createMap({ type: "lpm_trie", key: cidr, value: u64, maxEntries: 4 });
  // @ts-expect-error: Linux cannot
  assert.equal(routes.take, undefined);
  // @ts-expect-error: Linux cannot
  assert.equal(routes.drain, undefined);
  // @ts-expect-error: a trie is no hash
  const hash: HashMap<string, bigint> = routes;
  assert.ok(hash);
});

test("an LPM trie needs a key", () => {
  using bpf = embedded();
  // @ts-expect-error: key is missing
  assert.throws(() => bpf.createMap({ type: "lpm_trie", value: u64, maxEntries: 4 }));
});

test("mapById with the type gives an LpmTrie", () => {
  using bpf = embedded();
  using routes = bpf.createMap({ type: "lpm_trie", key: cidr, value: u64, maxEntries: 4 });
  const opened: LpmTrie<string, bigint> = bpf.mapById(routes.id, { type: "lpm_trie", key: cidr, value: u64 });
  opened.close();
});

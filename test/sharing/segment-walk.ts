/** What must be true of the bytes of a segment whenever nobody is writing it, read from its file as `docs/segment-format.md` has it. */
import assert from "node:assert/strict";
import { jhash } from "../../src/kernel/embedded/jhash.ts";
import { LOCK_WORD } from "./locked-values.ts";
import { GUARD_WORDS, hashPlace, lockWords, Segment, TYPES, triePlace } from "./segment-geometry.ts";

const SPARE = 2;

/** Asserts that a segment is in order. With `hasLost: false`, also that no piece of it is in nobody's hands. */
export function assertWhole(path: string, { hasLost = true }: { hasLost?: boolean } = {}): void {
  const segment = new Segment(path);
  if (segment.type === TYPES.HASH || segment.type === TYPES.LRU_HASH) assertHash(segment, hasLost);
  if (segment.type === TYPES.LPM_TRIE) assertTrie(segment, hasLost);
  if (segment.type === TYPES.QUEUE || segment.type === TYPES.STACK) assertRing(segment);
}

/**
 * Asserts that nobody has a lock or a share of one, after those who live have gone on: what was in the hands of somebody who
 * died was taken over.
 */
export function assertReleased(path: string): void {
  const segment = new Segment(path);
  for (const { word, kind } of lockWords(segment)) {
    // What lies in an element that is in no chain is nobody's lock: see `assertHash` for the others.
    if (kind === "value" && segment.type === TYPES.HASH) continue;
    assert.equal(segment.word(word), 0, `in ${path} somebody who died still has a ${kind}, word ${word}`);
  }
}

function assertHash(segment: Segment, hasLost: boolean): void {
  const { maxEntries } = segment;
  const place = hashPlace(segment);
  const { buckets, guards, elements, keyWords, elementWords, firstBucket, firstLink, firstElement, firstGuard } = place;
  const owner = new Map<number, string>();
  const numberOf = (link: number): number => (link >>> 0) % 2 ** place.numberBits;
  const linkOf = (number: number): number => segment.word(firstLink + number - 1);
  const claim = (link: number, who: string): number => {
    const number = numberOf(link);
    assert(number >= 1 && number <= elements, `${who} links to ${link}, which is no element`);
    assert(!owner.has(number), `element ${number} is claimed by ${owner.get(number)} and by ${who}`);
    owner.set(number, who);
    return number;
  };
  const seed = segment.header(0);
  const keys = new Set<string>();
  for (let bucket = 0; bucket < buckets; bucket++) {
    for (let link = segment.word(firstBucket + bucket); link !== 0; ) {
      const number = claim(link, `bucket ${bucket}`);
      const keyAt = firstElement + (number - 1) * elementWords;
      const key = Array.from({ length: keyWords }, (_, word) => segment.word(keyAt + word)).join();
      assert(!keys.has(key), `key ${key} is there twice`);
      keys.add(key);
      const hash = jhash(segment.words, keyAt, segment.keySize, seed);
      assert.equal(hash & (buckets - 1), bucket, `key ${key} is in the wrong chain`);
      assert.equal(link >>> place.numberBits, hash >>> place.numberBits, `the link to key ${key} has another hash`);
      if (!hasLost && segment.hasLocks)
        assert.equal(segment.word(keyAt + 2 + LOCK_WORD), 0, `key ${key} is still locked`);
      link = linkOf(number);
    }
  }
  const live = owner.size;
  assert(live <= maxEntries, `${live} entries in a table for ${maxEntries}`);
  for (let link = segment.header(1); link !== 0; ) link = linkOf(claim(link, "the free list"));
  for (let guard = 0; guard < guards; guard++) {
    const spare = segment.word(firstGuard + guard * GUARD_WORDS + SPARE);
    if (spare !== 0) claim(spare, `guard ${guard}`);
  }
  const unused = maxEntries - Math.min(segment.header(2), maxEntries);
  const lost = elements - owner.size - unused;
  assert(lost >= 0, "more elements than there are");
  if (!hasLost && segment.type === TYPES.HASH) assert.equal(lost, 0, `${lost} elements are in nobody's hands`);
}

function assertTrie(segment: Segment, hasLost: boolean): void {
  const { maxEntries } = segment;
  const { dataWords, nodeWords, nodes, firstNode, firstValue, valueWords, firstGuard } = triePlace(segment);
  const claims = { node: new Set<number>(), value: new Set<number>() };
  const claim = (kind: "node" | "value", link: number): void => {
    const index = kind === "node" ? (link - firstNode) / nodeWords : (link - firstValue) / valueWords;
    const count = kind === "node" ? nodes : maxEntries + 1;
    assert(Number.isInteger(index) && index >= 0 && index < count, `${link} is no ${kind}`);
    assert(!claims[kind].has(index), `${kind} ${index} is claimed twice`);
    claims[kind].add(index);
  };
  const bitsOf = (node: number): string =>
    Array.from({ length: dataWords }, (_, word) => (segment.word(node + 4 + word) >>> 0).toString(2).padStart(32, "0"))
      .join("")
      .slice(0, segment.word(node + 2));
  const visit = (node: number, above: string, isRoot: boolean): void => {
    claim("node", node);
    const bits = bitsOf(node);
    assert(
      bits.startsWith(above) && (isRoot || bits.length >= above.length),
      "a node is below a prefix that it has not",
    );
    const value = segment.word(node + 3);
    const children = [segment.word(node), segment.word(node + 1)];
    if (value !== 0) claim("value", value);
    else
      assert(
        children.every((child) => child !== 0),
        "an intermediate node parts nothing",
      );
    children.forEach((child, bit) => {
      if (child !== 0) visit(child, bits + bit, false);
    });
  };
  const root = segment.header(0);
  if (root !== 0) visit(root, "", true);
  assert(claims.value.size <= maxEntries);
  const free = (kind: "node" | "value", state: number): void => {
    for (let link = segment.header(state); link !== 0; link = segment.word(link)) claim(kind, link);
  };
  free("node", 1);
  free("value", 3);
  const spares = [segment.word(firstGuard + 2), segment.word(firstGuard + 3)] as const;
  if (spares[0] !== 0) claim("node", spares[0]);
  if (spares[1] !== 0) claim("value", spares[1]);
  if (hasLost) return;
  assert.equal(claims.node.size + (nodes - 1 - segment.header(2)), nodes, "nodes are in nobody's hands");
  assert.equal(claims.value.size + (maxEntries - segment.header(4)), maxEntries + 1, "values are in nobody's hands");
}

function assertRing(segment: Segment): void {
  const slots = segment.maxEntries + 1;
  assert(segment.header(0) >= 0 && segment.header(0) < slots);
  assert(segment.header(1) >= 0 && segment.header(1) < slots);
}

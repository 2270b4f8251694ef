import { array, type Bpf, cstring, type HashMap, ipv4, type MapFlagName, struct, u32, u64 } from "mapiary";
import { type Step, step } from "./tour-step.ts";

function hashOf(
  bpf: Bpf,
  maxEntries: number,
  keys: readonly number[] = [],
  flags: readonly MapFlagName[] = [],
): HashMap<number, bigint> {
  const hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries, flags });
  hits.setMany(keys.map((key) => [key, BigInt(key) * 10n] as const));
  return hits;
}

/** The flag of a map whose order is the same everywhere: the keys of any other are scattered by a random number. */
const SAME_ORDER = ["zero_seed"] as const;

const FLOW = struct({ comm: cstring(6), ports: array(u32, 2) });

const THREE_HITS = "hits holds 10 → 100n, 20 → 200n and 30 → 300n";

/** The twelve commands on maps, in the order in which one meets them. */
export const STEPS: readonly Step[] = [
  step({
    command: "BPF_MAP_CREATE",
    does: "Makes a map: its type, how keys and values lie in bytes, and how many entries it has room for.",
    given: "const bpf = embedded(), or linux()",
    begin: (bpf) => ({ bpf, flow: FLOW }),
    calls: [
      {
        code: 'const hits = bpf.createMap({\n  type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024\n});\n[...hits]',
        answer: "[]",
        run: ({ bpf }) => {
          const hits = bpf.createMap({ type: "hash", name: "hits", key: u32, value: u64, maxEntries: 1024 });
          return [...hits];
        },
      },
      {
        comment: "an array's values are all there from the beginning, and zero",
        code: 'const counters = bpf.createMap({ type: "array", value: u64, maxEntries: 4 });\n[...counters.values()]',
        answer: "[ 0n, 0n, 0n, 0n ]",
        run: ({ bpf }) => {
          const counters = bpf.createMap({ type: "array", value: u64, maxEntries: 4 });
          return [...counters.values()];
        },
      },
      {
        comment: "flow is struct({ comm: cstring(6), ports: array(u32, 2) }), padded as in C",
        code: 'bpf.createMap({ type: "hash", key: flow, value: u64, maxEntries: 1 }).keySize',
        answer: "16",
        run: ({ bpf, flow }) => bpf.createMap({ type: "hash", key: flow, value: u64, maxEntries: 1 }).keySize,
      },
      {
        comment: "no map has room for nothing",
        code: 'bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 0 })',
        answer: "throws EINVAL",
        run: ({ bpf }) => bpf.createMap({ type: "hash", key: u32, value: u64, maxEntries: 0 }),
      },
    ],
  }),

  step({
    command: "BPF_MAP_UPDATE_ELEM",
    does: "Gives a key a value: always, only if the key is new, or only if it is there.",
    given: "hits is empty and has room for 2 entries",
    begin: (bpf) => ({ hits: hashOf(bpf, 2) }),
    calls: [
      { code: "hits.set(5, 100n)", run: ({ hits }) => hits.set(5, 100n) },
      { code: 'hits.set(5, 200n, "exist")', run: ({ hits }) => hits.set(5, 200n, "exist") },
      {
        code: 'hits.set(5, 300n, "noexist")',
        answer: "throws EEXIST",
        run: ({ hits }) => hits.set(5, 300n, "noexist"),
      },
      {
        code: 'hits.set(4, 300n, "exist")',
        answer: "throws ENOENT",
        run: ({ hits }) => hits.set(4, 300n, "exist"),
      },
      {
        comment: "no u32: it throws before anything is written",
        code: "hits.set(2 ** 32, 300n)",
        answer: "throws RangeError",
        run: ({ hits }) => hits.set(2 ** 32, 300n),
      },
      { code: "hits.set(4, 300n)", run: ({ hits }) => hits.set(4, 300n) },
      {
        comment: "the third of two",
        code: "hits.set(6, 600n)",
        answer: "throws E2BIG",
        run: ({ hits }) => hits.set(6, 600n),
      },
    ],
  }),

  step({
    command: "BPF_MAP_LOOKUP_ELEM",
    does: "Copies the value of a key out of the map.",
    given: `${THREE_HITS}; counters is an array of 4; hosts counts packets by address`,
    begin: (bpf) => ({
      sys: bpf.sys,
      hits: hashOf(bpf, 4, [10, 20, 30]),
      counters: bpf.createMap({ type: "array", value: u64, maxEntries: 4 }),
      hosts: bpf
        .createMap({ type: "hash", key: ipv4, value: struct({ packets: u32, bytes: u64 }), maxEntries: 4 })
        .set("10.0.0.1", { packets: 3, bytes: 180n }),
    }),
    calls: [
      { code: "hits.get(10)", answer: "100n", run: ({ hits }) => hits.get(10) },
      { comment: "a miss is no error", code: "hits.get(11)", answer: "undefined", run: ({ hits }) => hits.get(11) },
      { code: "hits.has(11)", answer: "false", run: ({ hits }) => hits.has(11) },
      { comment: "past the end", code: "counters.get(4)", answer: "undefined", run: ({ counters }) => counters.get(4) },
      {
        code: 'hosts.get("10.0.0.1")',
        answer: "{ packets: 3, bytes: 180n }",
        run: ({ hosts }) => hosts.get("10.0.0.1"),
      },
      {
        comment: "as libbpf has it: bytes, and −ENOENT",
        code: "sys.mapLookupElem(hits.fd, u32.encode(11), new Uint8Array(8))",
        answer: "-2",
        run: ({ sys, hits }) => sys.mapLookupElem(hits.fd, u32.encode(11), new Uint8Array(8)),
      },
    ],
  }),

  step({
    command: "BPF_MAP_DELETE_ELEM",
    does: "Deletes a key and its value.",
    given: `${THREE_HITS}; counters is an array`,
    begin: (bpf) => ({
      sys: bpf.sys,
      hits: hashOf(bpf, 4, [10, 20, 30]),
      counters: bpf.createMap({ type: "array", value: u64, maxEntries: 4 }),
    }),
    calls: [
      { code: "hits.delete(20)", answer: "true", run: ({ hits }) => hits.delete(20) },
      { comment: "it is gone already", code: "hits.delete(20)", answer: "false", run: ({ hits }) => hits.delete(20) },
      { code: "hits.count()", answer: "2", run: ({ hits }) => hits.count() },
      {
        comment: "an array keeps all its elements: it has no delete(), and the kernel says −EINVAL",
        code: "sys.mapDeleteElem(counters.fd, u32.encode(0))",
        answer: "-22",
        run: ({ sys, counters }) => sys.mapDeleteElem(counters.fd, u32.encode(0)),
      },
    ],
  }),

  step({
    command: "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
    does: "Takes a value out: looks a key up and deletes it in one step, so that no other can come between.",
    given: THREE_HITS,
    begin: (bpf) => ({ hits: hashOf(bpf, 4, [10, 20, 30]) }),
    calls: [
      { code: "hits.take(10)", answer: "100n", run: ({ hits }) => hits.take(10) },
      { code: "hits.take(10)", answer: "undefined", run: ({ hits }) => hits.take(10) },
      { code: "hits.has(10)", answer: "false", run: ({ hits }) => hits.has(10) },
    ],
  }),

  step({
    command: "BPF_MAP_GET_NEXT_KEY",
    does: "Answers the key after a key, in the map's own order: that of the buckets, not of the numbers.",
    given: `${THREE_HITS}; its flag zero_seed makes the order the same everywhere`,
    begin: (bpf) => ({ hits: hashOf(bpf, 4, [10, 20, 30], SAME_ORDER) }),
    calls: [
      { comment: "the first one", code: "hits.nextKey()", answer: "20", run: ({ hits }) => hits.nextKey() },
      { code: "hits.nextKey(20)", answer: "10", run: ({ hits }) => hits.nextKey(20) },
      { code: "hits.nextKey(10)", answer: "30", run: ({ hits }) => hits.nextKey(10) },
      { comment: "the end", code: "hits.nextKey(30)", answer: "undefined", run: ({ hits }) => hits.nextKey(30) },
      {
        comment: "a key that is not there is followed by the first: a loop that deletes begins again",
        code: "hits.nextKey(99)",
        answer: "20",
        run: ({ hits }) => hits.nextKey(99),
      },
    ],
  }),

  step({
    command: "BPF_MAP_LOOKUP_BATCH",
    does: "Copies many entries out at once, and says where the next batch begins.",
    given:
      "hits (with zero_seed) holds nine entries, fd is its fd; count is Uint32Array.of(2); keys, values and at are bytes",
    begin: (bpf) => {
      const hits = hashOf(bpf, 1024, [10, 20, 30, 40, 50, 60, 70, 80, 90], SAME_ORDER);
      const [keys, values, at] = [new Uint8Array(2 * 4), new Uint8Array(2 * 8), new Uint8Array(4)];
      return { sys: bpf.sys, hits, fd: hits.fd, keys, values, at, count: Uint32Array.of(2) };
    },
    calls: [
      {
        code: "hits.lookupBatch(2).entries",
        answer: "[ [ 80, 800n ], [ 50, 500n ] ]",
        run: ({ hits }) => hits.lookupBatch(2).entries,
      },
      {
        comment: "the trap: the last batch comes with −ENOENT, and a loop that stops there loses it",
        code: [
          "let seen = 0;",
          "while (",
          "  sys.mapLookupBatch(fd, seen ? at : null, at, keys, values, count) === 0",
          ") {",
          "  seen += count[0] ?? 0;",
          "}",
          "seen",
        ].join("\n"),
        answer: "8",
        run: ({ sys, fd, at, keys, values, count }) => {
          let seen = 0;
          while (sys.mapLookupBatch(fd, seen ? at : null, at, keys, values, count) === 0) {
            seen += count[0] ?? 0;
          }
          return seen;
        },
      },
      {
        comment: "iteration reads in batches too, and returns them all",
        code: "[...hits].length",
        answer: "9",
        run: ({ hits }) => [...hits].length,
      },
    ],
  }),

  step({
    command: "BPF_MAP_UPDATE_BATCH",
    does: "Gives many keys their values at once.",
    given: "hits is empty and has room for 4 entries",
    begin: (bpf) => ({ hits: hashOf(bpf, 4) }),
    calls: [
      {
        code: "hits.setMany([[40, 400n], [50, 500n], [60, 600n]])",
        answer: "3",
        run: ({ hits }) =>
          hits.setMany([
            [40, 400n],
            [50, 500n],
            [60, 600n],
          ]),
      },
      {
        comment: "one that does not fit stops them all before anything is written",
        code: "hits.setMany([[40, 1n], [50, -1n]])",
        answer: "throws RangeError",
        run: ({ hits }) =>
          hits.setMany([
            [40, 1n],
            [50, -1n],
          ]),
      },
      { code: "hits.get(40)", answer: "400n", run: ({ hits }) => hits.get(40) },
      {
        comment: "one that the kernel refuses stops those behind it: there was room for one more",
        code: "hits.setMany([[70, 700n], [80, 800n]])",
        answer: "throws E2BIG",
        run: ({ hits }) =>
          hits.setMany([
            [70, 700n],
            [80, 800n],
          ]),
      },
      { code: "hits.has(70)", answer: "true", run: ({ hits }) => hits.has(70) },
    ],
  }),

  step({
    command: "BPF_MAP_DELETE_BATCH",
    does: "Deletes many keys at once.",
    given: "hits holds 10, 20, 30, 40, 50 and 60; keys are the bytes of 10, 99 and 20; count is Uint32Array.of(3)",
    begin: (bpf) => ({
      sys: bpf.sys,
      hits: hashOf(bpf, 8, [10, 20, 30, 40, 50, 60]),
      keys: array(u32, 3).encode([10, 99, 20]),
      count: Uint32Array.of(3),
    }),
    calls: [
      {
        comment: "the command stops at a key that is not there, with −ENOENT …",
        code: "sys.mapDeleteBatch(hits.fd, keys, count)",
        answer: "-2",
        run: ({ sys, hits, keys, count }) => sys.mapDeleteBatch(hits.fd, keys, count),
      },
      { comment: "… behind the first key", code: "count[0]", answer: "1", run: ({ count }) => count[0] },
      {
        comment: "this goes on behind it, and answers how many were there",
        code: "hits.deleteMany([40, 99, 60])",
        answer: "2",
        run: ({ hits }) => hits.deleteMany([40, 99, 60]),
      },
      {
        comment: "takes out what is left, in the order of the kernel",
        code: "hits.drain().sort()",
        answer: "[ [ 20, 200n ], [ 30, 300n ], [ 50, 500n ] ]",
        run: ({ hits }) => hits.drain().sort(),
      },
    ],
  }),

  step({
    command: "BPF_MAP_FREEZE",
    does: "Makes a map read-only for user space, for good. Programs may still write it.",
    given: THREE_HITS,
    begin: (bpf) => ({ hits: hashOf(bpf, 4, [10, 20, 30]) }),
    calls: [
      { code: "hits.freeze()", run: ({ hits }) => hits.freeze() },
      { code: "hits.get(10)", answer: "100n", run: ({ hits }) => hits.get(10) },
      { code: "hits.set(10, 1n)", answer: "throws EPERM", run: ({ hits }) => hits.set(10, 1n) },
      { code: "hits.delete(10)", answer: "throws EPERM", run: ({ hits }) => hits.delete(10) },
      { code: "hits.take(10)", answer: "throws EPERM", run: ({ hits }) => hits.take(10) },
      {
        comment: "to freeze is to write",
        code: "hits.freeze()",
        answer: "throws EPERM",
        run: ({ hits }) => hits.freeze(),
      },
    ],
  }),

  step({
    command: "BPF_OBJ_PIN",
    does: "Gives a map a name in the BPF filesystem, which keeps it alive when nothing else does.",
    given: `${THREE_HITS}; path is "hits" in a directory of a BPF filesystem, dotted is "hits.old" there`,
    pins: true,
    begin: (bpf, directory) => ({
      bpf,
      directory,
      path: `${directory}/hits`,
      dotted: `${directory}/hits.old`,
      hits: hashOf(bpf, 4, [10, 20, 30]),
    }),
    calls: [
      { code: "hits.pin(path)", run: ({ hits, path }) => hits.pin(path) },
      {
        comment: "the name is taken",
        code: "hits.pin(path)",
        answer: "throws EEXIST",
        run: ({ hits, path }) => hits.pin(path),
      },
      {
        comment: "names there have no dot",
        code: "hits.pin(dotted)",
        answer: "throws EPERM",
        run: ({ hits, dotted }) => hits.pin(dotted),
      },
      {
        comment: "no BPF filesystem",
        code: 'hits.pin("/hits")',
        answer: "throws EPERM",
        run: ({ hits }) => hits.pin("/hits"),
      },
      { code: "hits.close()", run: ({ hits }) => hits.close() },
      {
        comment: "it is there all the same",
        code: "bpf.bpffs.readdir(directory)",
        answer: "[ 'hits' ]",
        run: ({ bpf, directory }) => bpf.bpffs.readdir(directory),
      },
    ],
  }),

  step({
    command: "BPF_OBJ_GET",
    does: "Opens what is pinned: another process would do the same.",
    given: `${THREE_HITS}; it is pinned at path`,
    pins: true,
    begin: (bpf, directory) => {
      const hits = hashOf(bpf, 4, [10, 20, 30]);
      const path = `${directory}/hits`;
      hits.pin(path);
      return { bpf, hits, path };
    },
    calls: [
      {
        code: "bpf.openMap(path, { key: u32, value: u64 }).get(10)",
        answer: "100n",
        run: ({ bpf, path }) => bpf.openMap(path, { key: u32, value: u64 }).get(10),
      },
      {
        comment: "a layout of another size than the map's",
        code: "bpf.openMap(path, { key: u32, value: u32 })",
        answer: "throws TypeError",
        run: ({ bpf, path }) => bpf.openMap(path, { key: u32, value: u32 }),
      },
      {
        code: 'bpf.openMap(path, { key: u32, value: u64, access: "read" }).set(10, 1n)',
        answer: "throws EPERM",
        run: ({ bpf, path }) => bpf.openMap(path, { key: u32, value: u64, access: "read" }).set(10, 1n),
      },
      { code: "hits.unpin()", run: ({ hits }) => hits.unpin() },
      { code: "bpf.openMap(path)", answer: "throws ENOENT", run: ({ bpf, path }) => bpf.openMap(path) },
    ],
  }),
];

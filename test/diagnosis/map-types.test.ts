/**
 * The map types one by one: what `map-type-facts.ts` says of them is what a kernel takes, and what it does not take is
 * named.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { MapCreateOptions, MapTypeName } from "mapiary";
import { EBADF, EINVAL } from "../../src/abi/errno.ts";
import { mapFlagBits } from "../../src/abi/flag-names.ts";
import { HASH_TABLE_TYPES, MAP_TYPE_NAMES, mapTypeNumber } from "../../src/abi/map-types.ts";
import { type MapTypeFacts, mapTypeFacts, PERCPU_MOST } from "../../src/sys/diagnosis/map-type-facts.ts";
import { onEveryKernel } from "../kernels.ts";
import { isNamed, type Mistake, Scene } from "./scene.ts";

const U32_MAX = 2 ** 32 - 1;
/** Larger maps than this are not made to find out that they can be. */
const MODEST = 2 ** 24;

interface KnownType {
  readonly type: MapTypeName;
  readonly facts: MapTypeFacts;
}

const KNOWN: readonly KnownType[] = MAP_TYPE_NAMES.flatMap((type) => {
  const facts = mapTypeFacts(type);
  return facts === undefined ? [] : [{ type, facts }];
});

/** What a kernel answers to a map of a type: 0 or `−errno`. */
function answer({ bpf }: Scene, { type, facts }: KnownType, options: Partial<MapCreateOptions> = {}): number {
  const inner = bpf.sys.mapCreate({ type: "array", keySize: 4, valueSize: 4, maxEntries: 1 });
  const fd = bpf.sys.mapCreate({
    type,
    keySize: facts.keySize[0],
    valueSize: facts.valueSize[0],
    maxEntries: facts.maxEntries[0],
    flags: facts.needs,
    innerMapFd: inner,
    ...options,
  });
  bpf.sys.close(inner);
  if (fd >= 0) bpf.sys.close(fd);
  return Math.min(fd, 0);
}

function bits(flags: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0).filter((bit) => (flags & bit) !== 0);
}

onEveryKernel((kernel) => {
  describe("what is known of the map types", () => {
    for (const known of KNOWN) test(`of ${known.type} is what the kernel takes`, () => isTrue(known));
  });

  function isTrue(known: KnownType): void {
    using scene = new Scene(kernel);
    const { type, facts } = known;
    const smallest = answer(scene, known);
    // A kernel that has no such type has nothing to say about it.
    if (smallest === -EINVAL && kernel.name === "embedded") return;
    assert.equal(smallest, 0, "the smallest map");
    if (facts.needs !== 0) assert.equal(answer(scene, known, { flags: 0 }), -EINVAL, "without what it needs");
    for (const bit of bits(U32_MAX)) {
      const isTaken = (facts.flags & bit) !== 0;
      // A stack of build ids has values of its own length.
      if (bit === mapFlagBits(["stack_build_id"]) && isTaken) continue;
      const result = answer(scene, known, { flags: facts.needs | bit });
      if (bit === mapFlagBits(["token_fd"])) assert.ok([-EBADF, -EINVAL].includes(result));
      else assert.equal(result === 0, isTaken, `flag 0x${bit.toString(16)}`);
    }
    for (const field of ["keySize", "valueSize", "maxEntries"] as const) {
      const [least, most] = facts[field];
      if (least > 0) assert.equal(answer(scene, known, { [field]: least - 1 }), -EINVAL, `${field} ${least - 1}`);
      // What a trie keeps beside a value was more before 6.18.
      const isExact = most < MODEST && !(type === "lpm_trie" && field === "valueSize");
      if (isExact) assert.equal(answer(scene, known, { [field]: most }), 0, `${field} ${most}`);
      if (most < U32_MAX) assert.ok(answer(scene, known, { [field]: most + 1 }) < 0, `${field} ${most + 1}`);
    }
    const others = HASH_TABLE_TYPES.has(mapTypeNumber(type) ?? 0) ? facts.keySize[0] : 0;
    const largest = Math.min(facts.mostBytes - others, facts.isPerCpu ? PERCPU_MOST : U32_MAX, facts.valueSize[1]);
    if (largest < MODEST && type !== "lpm_trie")
      assert.equal(answer(scene, known, { valueSize: largest }), 0, `valueSize ${largest}`);
    if (largest < U32_MAX) assert.ok(answer(scene, known, { valueSize: largest + 1 }) < 0, `valueSize ${largest + 1}`);
  }
});

/** A mistake of a type: what is said where the kernel has the type. */
interface TypeMistake extends Omit<Mistake, "make"> {
  readonly type: MapTypeName;
  readonly options: Partial<MapCreateOptions>;
}

const MISTAKES: readonly TypeMistake[] = [
  {
    mistake: "a device of half a program",
    type: "devmap",
    options: { valueSize: 6 },
    code: "EINVAL",
    says: ["a devmap's value is 4 or 8 bytes, not 6"],
  },
  {
    mistake: "a key that no program has room for",
    type: "sockhash",
    options: { keySize: 513 },
    code: "E2BIG",
    says: ["a sockhash's key is at most 512 bytes, not 513"],
  },
  {
    mistake: "room in a storage that has none of its own",
    type: "cgroup_storage",
    options: { keySize: 8, valueSize: 8, maxEntries: 4 },
    code: "EINVAL",
    says: ["which makes maxEntries 0, not 4: leave it out"],
  },
  {
    mistake: "an arena across 4 GiB",
    type: "arena",
    options: { keySize: 0, valueSize: 0, maxEntries: 2, flags: mapFlagBits(["mmapable"]), mapExtra: 2 ** 32 - 4096 },
    code: "ERANGE",
    says: ["mapExtra is 4294963200", "cross a boundary of 4 GiB"],
  },
  {
    mistake: "an arena in the middle of a page",
    type: "arena",
    options: { keySize: 0, valueSize: 0, maxEntries: 2, flags: mapFlagBits(["mmapable"]), mapExtra: 5 },
    code: "EINVAL",
    says: ["mapExtra is 5, and for an arena it is the address of a page, or 0"],
  },
  {
    mistake: "an arena that cannot be mapped",
    type: "arena",
    options: { keySize: 0, valueSize: 0, maxEntries: 2 },
    code: "EINVAL",
    says: ["an arena is made with BPF_F_MMAPABLE only: add it to flags"],
  },
  {
    mistake: "a value that is too large for each CPU",
    type: "percpu_hash",
    options: { valueSize: 40000 },
    code: "E2BIG",
    says: ["a percpu_hash's value is at most 32768 bytes for each CPU, not 40000"],
  },
  {
    mistake: "an array for each CPU on one node",
    type: "percpu_array",
    options: { flags: mapFlagBits(["numa_node"]) },
    code: "EINVAL",
    says: ["a percpu_array does not take BPF_F_NUMA_NODE"],
  },
  {
    mistake: "an LRU that is not preallocated",
    type: "lru_hash",
    options: { flags: mapFlagBits(["no_prealloc"]) },
    code: "ENOTSUPP",
    says: ["an lru_hash is always preallocated: leave out BPF_F_NO_PREALLOC"],
  },
  {
    mistake: "a trie that is preallocated",
    type: "lpm_trie",
    options: { keySize: 8 },
    code: "EINVAL",
    says: ["an lpm_trie is made with BPF_F_NO_PREALLOC only: add it to flags"],
  },
  {
    mistake: "a trie without room for a prefix",
    type: "lpm_trie",
    options: { keySize: 4, flags: mapFlagBits(["no_prealloc"]) },
    code: "EINVAL",
    says: ["an lpm_trie's key is 5 to 260 bytes, not 4: 4 for the prefix length"],
  },
  {
    mistake: "a queue with keys",
    type: "queue",
    options: {},
    code: "EINVAL",
    says: ["a queue has no keys, which makes keySize 0, not 4: leave out key"],
  },
  {
    mistake: "a value of a queue that is too large",
    type: "queue",
    options: { keySize: 0, valueSize: 4194305 },
    code: "E2BIG",
    says: ["a queue's value is at most 4194304 bytes, not 4194305"],
  },
  {
    mistake: "a ring buffer that is no power of two",
    type: "ringbuf",
    options: { keySize: 0, valueSize: 0, maxEntries: 12288 },
    code: "EINVAL",
    says: ["a ringbuf's maxEntries is its bytes, a power of two and whole pages", "not 12288"],
  },
  {
    mistake: "a ring buffer that is less than a page",
    type: "ringbuf",
    options: { keySize: 0, valueSize: 0, maxEntries: 512 },
    code: "EINVAL",
    says: ["a ringbuf's maxEntries is its bytes", "not 512"],
  },
  {
    mistake: "a bloom filter with too many hash functions",
    type: "bloom_filter",
    options: { keySize: 0, mapExtra: 16 },
    code: "EINVAL",
    says: ["mapExtra is 16, and for a bloom_filter it is a number of hash functions from 0 to 15"],
  },
  {
    mistake: "a map of maps without an inner map",
    type: "array_of_maps",
    options: { valueSize: 4, innerMapFd: 90000 },
    code: "EBADF",
    says: ["innerMapFd is 90000, which is no open map"],
  },
  {
    mistake: "a map of maps whose values are no fds",
    type: "hash_of_maps",
    options: { valueSize: 8 },
    code: "EINVAL",
    says: ["a hash_of_maps's value is 4 bytes, not 8"],
  },
  {
    mistake: "a stack trace of half an address",
    type: "stack_trace",
    options: { valueSize: 12 },
    code: "EINVAL",
    says: ["a stack_trace's value is a number of addresses of 8 bytes, and 12 is no multiple of it"],
  },
  {
    mistake: "a stack trace that is too deep",
    type: "stack_trace",
    options: { valueSize: 8 * 100_000 },
    code: "EINVAL",
    says: ["a stack_trace of 100000 addresses is deeper than kernel.perf_event_max_stack allows"],
  },
];

onEveryKernel((kernel) => {
  test("a map that is made with BTF alone is named", () => {
    for (const type of ["sk_storage", "inode_storage", "task_storage", "cgrp_storage"] as const) {
      const make = ({ bpf }: Scene): unknown => bpf.createMap({ type, valueSize: 8 });
      isNamed(kernel, { mistake: type, make, code: "EINVAL", says: ["made with BTF only"] });
    }
    const make = ({ bpf }: Scene): unknown => bpf.createMap({ type: "struct_ops", maxEntries: 1 });
    isNamed(kernel, { mistake: "struct_ops", make, code: "EINVAL", says: ["made with btfVmlinuxValueTypeId"] });
  });

  test("a struct_ops that Linux does not have is named", () => {
    const make = ({ bpf }: Scene): unknown =>
      bpf.createMap({ type: "struct_ops", maxEntries: 1, btfVmlinuxValueTypeId: 1 });
    isNamed(kernel, { mistake: "struct_ops", make, code: "ENOTSUPP", says: ["which is no struct_ops"] });
  });

  for (const { type, options, ...mistake } of MISTAKES) {
    test(`${mistake.mistake} is named`, () => {
      const make = (scene: Scene): void => scene.create({ type, ...options });
      isNamed(kernel, hasType(type) ? { ...mistake, make } : { ...missing(type), make });
    });
  }

  function hasType(type: MapTypeName): boolean {
    using scene = new Scene(kernel);
    const known = KNOWN.find((each) => each.type === type);
    return known !== undefined && answer(scene, known) === 0;
  }

  function missing(type: MapTypeName): Omit<Mistake, "make"> {
    return { mistake: `no ${type}`, code: "EINVAL", says: [`the ${kernel.name} kernel has no map type ${type}.`] };
  }
});

/**
 * What a verifier is asked about functions, callbacks, locks and loops, which take BTF and so a compiler to write:
 * programs in pairs, one that keeps to the rule and one that does not, and both kernels are of the same opinion.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bpf, BpfError, embedded } from "mapiary";
import { onLinux } from "../kernels.ts";
import { withClang } from "../program/clang.ts";

const HEAD = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
struct value { __u64 count; struct bpf_spin_lock lock; __u32 rest; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, struct value); } locked SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
`;

interface Case {
  readonly title: string;
  readonly source: string;
  /** Why it is refused; without it the program is accepted. */
  readonly refused?: readonly [code: string, says: RegExp];
}

const CASES: readonly Case[] = [
  {
    title: "bpf_loop with a callback that counts on the stack of its caller",
    source: `
static long add(__u32 index, void *ctx) { *(__u64 *)ctx += index; return 0; }
SEC("xdp") int f(struct xdp_md *ctx) { __u64 sum = 0; bpf_loop(1000, add, &sum, 0); return sum & 3; }`,
  },
  {
    title: "a callback whose count is an index",
    source: `
struct state { __u32 index; char bytes[8]; };
static long step(__u32 index, void *ctx) { struct state *s = ctx; s->bytes[s->index & 7] = 1; s->index++; return 0; }
SEC("xdp") int f(struct xdp_md *ctx) { struct state s = {}; bpf_loop(100, step, &s, 0); return s.bytes[3]; }`,
  },
  {
    title: "a callback whose count is an index that nothing bounds",
    source: `
struct state { __u32 index; volatile char bytes[8]; };
static long step(__u32 index, void *ctx) { struct state *s = ctx; s->bytes[s->index] = 1; s->index++; return 0; }
SEC("xdp") int f(struct xdp_md *ctx) { struct state s = {}; bpf_loop(100, step, &s, 0); return s.bytes[3]; }`,
    refused: ["EACCES", /R\\d|stack|unbounded/],
  },
  {
    title: "a callback that answers neither 0 nor 1",
    source: `
static long two(__u32 index, void *ctx) { return 2; }
SEC("xdp") int f(struct xdp_md *ctx) { bpf_loop(10, two, 0, 0); return 0; }`,
    refused: ["EINVAL", /callback return/],
  },
  {
    title: "for_each_map_elem hands over keys and values",
    source: `
static long each(void *map, __u32 *key, __u64 *value, void *ctx) { *(__u64 *)ctx += *value + *key; *value = 0; return 0; }
SEC("xdp") int f(struct xdp_md *ctx) { __u64 sum = 0; bpf_for_each_map_elem(&counts, each, &sum, 0); return sum & 1; }`,
  },
  {
    title: "a callback that writes a key",
    source: `
static long each(void *map, __u32 *key, __u64 *value, void *ctx) { *key = 1; return 0; }
SEC("xdp") int f(struct xdp_md *ctx) { bpf_for_each_map_elem(&counts, each, 0, 0); return 0; }`,
    refused: ["EACCES", /write to change key R2 not allowed/],
  },
  {
    title: "a callback that reads beyond a value",
    source: `
static long each(void *map, __u32 *key, __u64 *value, void *ctx) { return value[1] & 1; }
SEC("xdp") int f(struct xdp_md *ctx) { bpf_for_each_map_elem(&counts, each, 0, 0); return 0; }`,
    refused: ["EACCES", /invalid access to map value/],
  },
  {
    title: "a global function is verified for any number",
    source: `
__attribute__((noinline)) int bounded(int index) { volatile char bytes[8] = {}; if (index < 0 || index > 7) return 0; bytes[index] = 1; return bytes[3]; }
SEC("xdp") int f(struct xdp_md *ctx) { return bounded(ctx->ingress_ifindex); }`,
  },
  {
    title: "a global function that only holds for what it is given",
    source: `
__attribute__((noinline)) int trusting(int index) { volatile char bytes[8] = {}; bytes[index] = 1; return bytes[index]; }
SEC("xdp") int f(struct xdp_md *ctx) { return trusting(3); }`,
    refused: [
      "EINVAL",
      /math between the frame pointer - 8 and a number from -2147483648 to 2147483647 is not allowed/,
    ],
  },
  {
    title: "a static function is verified for each call",
    source: `
static __attribute__((noinline)) int trusting(int index) { volatile char bytes[8] = {}; bytes[index] = 1; return bytes[index]; }
SEC("xdp") int f(struct xdp_md *ctx) { return trusting(3); }`,
  },
  {
    title: "memory for a global function may be NULL and is checked",
    source: `
struct pair { int a, b; };
__attribute__((noinline)) int sum(struct pair *pair) { return pair ? pair->a + pair->b : 0; }
SEC("xdp") int f(struct xdp_md *ctx) { struct pair pair = { 1, 2 }; return sum(&pair); }`,
  },
  {
    title: "memory for a global function is not checked",
    source: `
struct pair { int a, b; };
__attribute__((noinline)) int sum(struct pair *pair) { return pair->a + pair->b; }
SEC("xdp") int f(struct xdp_md *ctx) { struct pair pair = { 1, 2 }; return sum(&pair); }`,
    refused: ["EACCES", /R1 invalid mem access/],
  },
  {
    title: "a lock that is taken and given back",
    source: `
SEC("xdp") int f(struct xdp_md *ctx) { __u32 key = 1; struct value *v = bpf_map_lookup_elem(&locked, &key); if (!v) return 0;
  bpf_spin_lock(&v->lock); v->count++; bpf_spin_unlock(&v->lock); return 1; }`,
  },
  {
    title: "a lock that is kept",
    source: `
SEC("xdp") int f(struct xdp_md *ctx) { __u32 key = 1; struct value *v = bpf_map_lookup_elem(&locked, &key); if (!v) return 0;
  bpf_spin_lock(&v->lock); v->count++; return 1; }`,
    refused: ["EINVAL", /bpf_spin_lock-ed region/],
  },
  {
    title: "a helper that is called under a lock",
    source: `
SEC("xdp") int f(struct xdp_md *ctx) { __u32 key = 1; struct value *v = bpf_map_lookup_elem(&locked, &key); if (!v) return 0;
  bpf_spin_lock(&v->lock); v->count = bpf_ktime_get_ns(); bpf_spin_unlock(&v->lock); return 1; }`,
    refused: ["EINVAL", /function calls are not allowed while holding a lock/],
  },
  {
    title: "the lock of another value is given back",
    source: `
SEC("xdp") int f(struct xdp_md *ctx) { __u32 key = 1, other = 2; struct value *v = bpf_map_lookup_elem(&locked, &key); if (!v) return 0;
  struct value *w = bpf_map_lookup_elem(&locked, &other); if (!w) return 0;
  bpf_spin_lock(&v->lock); v->count++; bpf_spin_unlock(&w->lock); return 1; }`,
    refused: ["EINVAL", /bpf_spin_unlock of different lock/],
  },
  {
    title: "a lock that is written",
    source: `
SEC("xdp") int f(struct xdp_md *ctx) { __u32 key = 1; struct value *v = bpf_map_lookup_elem(&locked, &key); if (!v) return 0;
  *(volatile __u32 *)&v->lock = 0; return 1; }`,
    refused: ["EACCES", /bpf_spin_lock cannot be accessed directly/],
  },
  {
    title: "a record that a callback forgets",
    source: `
static long take(__u32 index, void *ctx) { __u64 *r = bpf_ringbuf_reserve(&events, 8, 0); if (r) *r = 1; return 0; }
SEC("xdp") int f(struct xdp_md *ctx) { bpf_loop(4, take, 0, 0); return 0; }`,
    refused: ["EINVAL", /reference/i],
  },
  {
    title: "a record that a function hands on",
    source: `
static __attribute__((noinline)) void put(__u64 *r) { *r = 7; bpf_ringbuf_submit(r, 0); }
SEC("xdp") int f(struct xdp_md *ctx) { __u64 *r = bpf_ringbuf_reserve(&events, 8, 0); if (r) put(r); return 0; }`,
  },
  {
    title: "twenty flags that come together",
    source: `
SEC("xdp") int f(struct xdp_md *ctx) { __u32 x = bpf_get_prandom_u32(); __u32 flags = 0;
#define FLAG(n) if (x & (1 << n)) { flags |= bpf_get_prandom_u32() & (3 << n); } else { flags += n; }
  FLAG(0) FLAG(1) FLAG(2) FLAG(3) FLAG(4) FLAG(5) FLAG(6) FLAG(7) FLAG(8) FLAG(9) FLAG(10) FLAG(11) FLAG(12) FLAG(13) FLAG(14) FLAG(15) FLAG(16) FLAG(17) FLAG(18) FLAG(19)
  return flags; }`,
  },
];

/** 0, or the code of the errno and the log. */
function opinion(bpf: Bpf, bytes: Uint8Array): { readonly code: string; readonly log: string } {
  try {
    using _object = bpf.load(bytes, { name: "asked" });
    return { code: "accepted", log: "" };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return { code: error.code, log: error.message };
  }
}

withClang((compile) =>
  onLinux(({ open }) =>
    describe("both kernels judge what clang makes of C", () => {
      for (const { title, source, refused } of CASES) {
        test(`${title}${refused === undefined ? "" : " is refused"}`, () => {
          const bytes = compile(HEAD + source);
          using running = open();
          using inProcess = embedded({ possibleCpus: running.possibleCpus });
          const actual = opinion(inProcess, bytes);
          assert.equal(actual.code, refused?.[0] ?? "accepted", actual.log);
          if (refused !== undefined) assert.match(actual.log, refused[1]);
          assert.equal(opinion(running, bytes).code, refused?.[0] ?? "accepted");
        });
      }
    }),
  ),
);

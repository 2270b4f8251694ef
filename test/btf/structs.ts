/**
 * C structs and what is in them: `fields` in the order of C, each with its declaration; the initializer; and the value
 * that the layout of their BTF must read. Fields of which the compiler can tell the offset are named in `offsets`.
 */
export interface CStruct {
  readonly name: string;
  /** What has to be declared before. */
  readonly before?: string;
  /** The members, as C has them. */
  readonly body: string;
  /** Attributes behind the closing brace. */
  readonly attributes?: string;
  readonly init: string;
  readonly value: unknown;
  readonly offsets?: readonly string[];
}

/** Values of globals are unsigned to clang unless C says otherwise; `u8` and so on stand for `__u8`. */
const PRELUDE = `
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed char s8; typedef short s16; typedef int s32; typedef long long s64;
enum colour { RED, GREEN, BLUE = 7 };
enum sign { MINUS = -1, ZERO };
struct point { s32 x; s32 y; };
struct opaque;
`;

export const STRUCTS: readonly CStruct[] = [
  {
    name: "ints",
    body: "u8 a; u16 b; u32 c; u64 d;",
    init: "{1, 2, 3, 4}",
    value: { a: 1, b: 2, c: 3, d: 4n },
    offsets: ["a", "b", "c", "d"],
  },
  {
    name: "signed_ints",
    body: "s8 a; s16 b; s32 c; s64 d;",
    init: "{-1, -2, -3, -4}",
    value: { a: -1, b: -2, c: -3, d: -4n },
    offsets: ["a", "b", "c", "d"],
  },
  {
    name: "extremes",
    body: "u64 max; s64 min; u32 m; s8 n;",
    init: "{~0ull, (-0x7fffffffffffffffll - 1), ~0u, -128}",
    value: { max: 2n ** 64n - 1n, min: -(2n ** 63n), m: 2 ** 32 - 1, n: -128 },
    offsets: ["max", "min", "m", "n"],
  },
  {
    name: "plain_longs",
    body: "long a; unsigned long b; int c; unsigned d;",
    init: "{-5, 6, -7, 8}",
    value: { a: -5n, b: 6n, c: -7, d: 8 },
    offsets: ["a", "b", "c", "d"],
  },
  {
    name: "padded",
    body: "u8 a; u64 b; u8 c;",
    init: "{1, 2, 3}",
    value: { a: 1, b: 2n, c: 3 },
    offsets: ["a", "b", "c"],
  },
  { name: "tail", body: "u64 a; u8 b;", init: "{1, 2}", value: { a: 1n, b: 2 }, offsets: ["a", "b"] },
  {
    name: "packed_all",
    body: "u8 a; u64 b; u16 c; u32 d;",
    attributes: "__attribute__((packed))",
    init: "{1, 2, 3, 4}",
    value: { a: 1, b: 2n, c: 3, d: 4 },
    offsets: ["a", "b", "c", "d"],
  },
  {
    name: "packed_inside",
    before: "struct packed3 { u8 a; u16 b; } __attribute__((packed));",
    body: "u8 x; struct packed3 p; u32 y;",
    init: "{1, {2, 3}, 4}",
    value: { x: 1, p: { a: 2, b: 3 }, y: 4 },
    offsets: ["x", "p", "y"],
  },
  {
    name: "aligned",
    body: "u8 a; u32 b __attribute__((aligned(16))); u8 c;",
    init: "{1, 2, 3}",
    value: { a: 1, b: 2, c: 3 },
    offsets: ["a", "b", "c"],
  },
  {
    name: "booleans",
    body: "_Bool yes; _Bool no; _Bool many[3];",
    init: "{1, 0, {1, 0, 1}}",
    value: { yes: true, no: false, many: [true, false, true] },
    offsets: ["yes", "no", "many"],
  },
  {
    name: "floats",
    body: "float f; double d;",
    init: "{0.5f, -2.25}",
    value: { f: 0.5, d: -2.25 },
    offsets: ["f", "d"],
  },
  {
    name: "wide_ints",
    body: "__int128 a; unsigned __int128 b;",
    init: "{-1, 5}",
    value: { a: -1n, b: 5n },
    offsets: ["a", "b"],
  },
  {
    name: "wide_high",
    body: "u8 x; unsigned __int128 b;",
    init: "{1, (unsigned __int128)1 << 100}",
    value: { x: 1, b: 2n ** 100n },
    offsets: ["x", "b"],
  },
  {
    name: "text",
    body: "char comm[16]; char one[1]; char full[4];",
    init: '{"nginx", "", "ABCD"}',
    value: { comm: "nginx", one: "", full: "ABCD" },
    offsets: ["comm", "one", "full"],
  },
  {
    name: "raw_bytes",
    body: "u8 mac[6]; unsigned char digest[3]; s8 deltas[2];",
    init: "{{1,2,3,4,5,6}, {7,8,9}, {-1, 1}}",
    value: { mac: Uint8Array.of(1, 2, 3, 4, 5, 6), digest: Uint8Array.of(7, 8, 9), deltas: [-1, 1] },
    offsets: ["mac", "digest", "deltas"],
  },
  {
    name: "texts",
    body: "char names[3][8];",
    init: '{{"a", "bc", "def"}}',
    value: { names: ["a", "bc", "def"] },
    offsets: ["names"],
  },
  {
    name: "arrays",
    body: "u16 ports[4]; u64 counts[2]; u8 x;",
    init: "{{1,2,3,4}, {5,6}, 7}",
    value: { ports: [1, 2, 3, 4], counts: [5n, 6n], x: 7 },
    offsets: ["ports", "counts", "x"],
  },
  {
    name: "matrix",
    body: "s32 m[2][3];",
    init: "{{{1,2,3},{4,5,6}}}",
    value: {
      m: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    },
    offsets: ["m"],
  },
  {
    name: "cube",
    body: "u8 a; u16 m[2][2][2];",
    init: "{9, {{{1,2},{3,4}},{{5,6},{7,8}}}}",
    value: {
      a: 9,
      m: [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ],
    },
    offsets: ["a", "m"],
  },
  {
    name: "nested",
    body: "u8 a; struct point at; struct { u16 w; u16 h; } size;",
    init: "{1, {-2, 3}, {4, 5}}",
    value: { a: 1, at: { x: -2, y: 3 }, size: { w: 4, h: 5 } },
    offsets: ["a", "at", "size"],
  },
  {
    name: "deep",
    body: "struct { struct { struct { u8 v; } c; u16 w; } b; u32 x; } a;",
    init: "{{{{1}, 2}, 3}}",
    value: { a: { b: { c: { v: 1 }, w: 2 }, x: 3 } },
    offsets: ["a"],
  },
  {
    name: "structs",
    body: "struct point p[3]; u8 n;",
    init: "{{{1,2},{3,4},{5,6}}, 7}",
    value: {
      p: [
        { x: 1, y: 2 },
        { x: 3, y: 4 },
        { x: 5, y: 6 },
      ],
      n: 7,
    },
    offsets: ["p", "n"],
  },
  {
    name: "anonymous_struct",
    body: "u8 a; struct { u32 b; u8 c; }; u16 d;",
    init: "{1, {2, 3}, 4}",
    value: { a: 1, b: 2, c: 3, d: 4 },
    offsets: ["a", "b", "c", "d"],
  },
  {
    name: "anonymous_union",
    body: "u32 kind; union { u32 number; float real; };",
    init: "{1, {0x3f800000}}",
    value: { kind: 1, number: 0x3f80_0000, real: 1 },
  },
  {
    name: "anonymous_both",
    body: "u8 k; union { struct { u16 low; u16 high; }; u32 whole; };",
    init: "{1, {{2, 3}}}",
    value: { k: 1, low: 2, high: 3, whole: 0x3_0002 },
  },
  {
    name: "anonymous_deep",
    body: "struct { union { u8 a; struct { u8 b; u8 c; }; }; u16 d; };",
    init: "{{{.a = 1}, 2}}",
    value: { a: 1, b: 1, c: 0, d: 2 },
  },
  {
    name: "named_union",
    before: "union either { u64 n; u8 b[8]; };",
    body: "union either u; u8 z;",
    init: "{{0x0807060504030201ull}, 9}",
    value: { u: { n: 0x0807060504030201n, b: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }, z: 9 },
    offsets: ["u", "z"],
  },
  {
    name: "union_of_structs",
    before: "union shape { struct point p; struct { u16 w; u16 h; u32 d; } s; };",
    body: "union shape u;",
    init: "{{.s = {1, 2, 3}}}",
    value: { u: { p: { x: 0x2_0001, y: 3 }, s: { w: 1, h: 2, d: 3 } } },
    offsets: ["u"],
  },
  {
    name: "enums",
    body: "enum colour c; enum colour d; enum colour unknown;",
    init: "{GREEN, BLUE, 99}",
    value: { c: "GREEN", d: "BLUE", unknown: 99 },
    offsets: ["c", "d", "unknown"],
  },
  {
    name: "enum_array",
    body: "enum colour c[3]; u8 n;",
    init: "{{RED, GREEN, BLUE}, 1}",
    value: { c: ["RED", "GREEN", "BLUE"], n: 1 },
    offsets: ["c", "n"],
  },
  {
    name: "negative_enum",
    body: "enum sign s; enum sign z;",
    init: "{MINUS, ZERO}",
    value: { s: "MINUS", z: "ZERO" },
    offsets: ["s", "z"],
  },
  {
    name: "small_enum",
    before: "enum tiny { LITTLE = 3 } __attribute__((packed));",
    body: "enum tiny t; u8 x;",
    init: "{LITTLE, 5}",
    value: { t: "LITTLE", x: 5 },
    offsets: ["t", "x"],
  },
  {
    name: "bits",
    body: "u32 a:3; u32 b:5; u32 c:24; u8 d;",
    init: "{5, 17, 0xabcdef, 1}",
    value: { a: 5, b: 17, c: 0xabcdef, d: 1 },
    offsets: ["d"],
  },
  { name: "signed_bits", body: "s32 a:3; s32 b:5; u32 c:1;", init: "{-3, 7, 1}", value: { a: -3, b: 7, c: 1 } },
  {
    name: "wide_bits",
    body: "u64 a:40; u64 b:20; u64 c:4;",
    init: "{0xabcdef0123ull, 0x54321, 9}",
    value: { a: 0xabcdef0123n, b: 0x54321, c: 9 },
  },
  { name: "crossing_bits", body: "u16 a:9; u16 b:9; u16 c:3;", init: "{300, 301, 5}", value: { a: 300, b: 301, c: 5 } },
  {
    name: "packed_bits",
    body: "u32 a:13; u32 b:27; u8 c:2;",
    attributes: "__attribute__((packed))",
    init: "{5000, 100000000, 2}",
    value: { a: 5000, b: 100_000_000, c: 2 },
  },
  {
    name: "bits_and_padding",
    body: "u8 a:2; u8 :3; u8 b:1; u32 :0; u8 c:4;",
    init: "{3, 1, 9}",
    value: { a: 3, b: 1, c: 9 },
  },
  {
    name: "enum_bits",
    body: "enum colour a:4; u32 b:4; enum colour c:4;",
    init: "{BLUE, 3, GREEN}",
    value: { a: "BLUE", b: 3, c: "GREEN" },
  },
  {
    name: "bits_inside",
    before: "struct flags { u8 syn:1; u8 ack:1; u8 rest:6; };",
    body: "u16 port; struct flags f; u8 ttl;",
    init: "{443, {1, 0, 33}, 64}",
    value: { port: 443, f: { syn: 1, ack: 0, rest: 33 }, ttl: 64 },
    offsets: ["port", "f", "ttl"],
  },
  {
    name: "pointers",
    body: "void *p; struct opaque *o; int (*f)(int); u8 x;",
    init: "{(void *)0x1234, (void *)8, 0, 1}",
    value: { p: 0x1234n, o: 8n, f: 0n, x: 1 },
    offsets: ["p", "o", "f", "x"],
  },
  {
    name: "linked",
    body: "struct linked *next; u32 v; struct linked *all[2];",
    init: "{0, 5, {0, 0}}",
    value: { next: 0n, v: 5, all: [0n, 0n] },
    offsets: ["next", "v", "all"],
  },
  {
    name: "qualified",
    body: "const u8 a; volatile u32 b; const volatile char *const p; u16 *restrict r;",
    init: "{1, 2, 0, 0}",
    value: { a: 1, b: 2, p: 0n, r: 0n },
    offsets: ["a", "b", "p", "r"],
  },
  {
    name: "typedefs",
    before: "typedef u32 first; typedef first second; typedef second third[2]; typedef struct point place;",
    body: "third t; place p; const second s;",
    init: "{{1, 2}, {3, 4}, 5}",
    value: { t: [1, 2], p: { x: 3, y: 4 }, s: 5 },
    offsets: ["t", "p", "s"],
  },
  { name: "flexible", body: "u32 n; u16 m; u8 rest[];", init: "{1, 2}", value: { n: 1, m: 2 }, offsets: ["n", "m"] },
  {
    name: "zero_length",
    body: "u32 n; u64 none[0]; u8 x;",
    init: "{1, {}, 2}",
    value: { n: 1, x: 2 },
    offsets: ["n", "x"],
  },
  {
    name: "empty_inside",
    before: "struct nothing {};",
    body: "u8 a; struct nothing n; u8 b;",
    init: "{1, {}, 2}",
    value: { a: 1, b: 2 },
    offsets: ["a", "b"],
  },
  {
    name: "locked",
    before: "struct bpf_spin_lock { u32 val; };",
    body: "u32 a; struct bpf_spin_lock lock; u64 b;",
    init: "{1, {0}, 2}",
    value: { a: 1, b: 2n },
    offsets: ["a", "b"],
  },
  {
    name: "everything",
    body: "char name[8]; struct point path[2]; enum colour c; union { u64 bits; double real; } u; u8 a:4; u8 b:4; _Bool ok; void *self;",
    init: '{"all", {{1,2},{3,4}}, BLUE, {0}, 1, 2, 1, 0}',
    value: {
      name: "all",
      path: [
        { x: 1, y: 2 },
        { x: 3, y: 4 },
      ],
      c: "BLUE",
      u: { bits: 0n, real: 0 },
      a: 1,
      b: 2,
      ok: true,
      self: 0n,
    },
    offsets: ["name", "path", "c", "u", "ok", "self"],
  },
];

/** One C file with all of them: a global of each, and an array of what the compiler says: its size and the offsets. */
export function structsInC(): string {
  const parts = STRUCTS.map(({ name, before = "", body, attributes = "", init, offsets = [] }) => {
    const said = offsets.map((field) => `__builtin_offsetof(struct ${name}, ${field})`);
    return `${before}
struct ${name} { ${body} } ${attributes};
struct ${name} v_${name} = ${init};
const u64 o_${name}[] = { ${[`sizeof(struct ${name})`, ...said].join(", ")} };`;
  });
  return `${PRELUDE}${parts.join("\n")}\n`;
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type ArrayMap,
  type Bpf,
  BpfError,
  type BpfProgram,
  type HashMap,
  ObjectError,
  type RingBuf,
  struct,
  u32,
} from "mapiary";
import { onEveryKernel } from "../kernels.ts";
import { withClang } from "./clang.ts";

const HEADER = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
`;

const PACKET = new Uint8Array(64);

const COUNTER = `${HEADER}
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 16); } hits SEC(".maps");
const volatile __u32 limit = 5;
__u32 seen;
__s16 level = -3;
static __noinline int twice(int x) { return x * 2; }
__noinline int thrice(int x) { return x * 3; }
SEC("xdp") int count(struct xdp_md *ctx) {
  __u32 key = limit;
  __u64 one = 1, *value = bpf_map_lookup_elem(&hits, &key);
  seen++;
  if (value) __sync_fetch_and_add(value, 1);
  else bpf_map_update_elem(&hits, &key, &one, BPF_ANY);
  return twice(level) + thrice(seen);
}
`;

const EVENTS = `${HEADER}
enum kind { SHORT = 3, LONG = 7 };
typedef struct event { __u32 length; enum kind kind; } event_t;
event_t *unused __attribute__((unused));
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
SEC("xdp") int tell(struct xdp_md *ctx) {
  event_t *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return XDP_ABORTED;
  event->length = ctx->data_end - ctx->data;
  event->kind = event->length < 60 ? SHORT : LONG;
  bpf_ringbuf_submit(event, 0);
  return XDP_PASS;
}
`;

withClang((compile) =>
  onEveryKernel(({ open }) => {
    const run = (bpf: Bpf, source: string, program: string) => {
      using object = bpf.load(compile(source));
      return object.programs[program]?.run({ data: PACKET });
    };

    describe("an object that is loaded", () => {
      test("has its programs, maps and variables by their names in C", () => {
        using bpf = open();
        using object = bpf.load(compile(COUNTER));
        assert.deepEqual(Object.keys(object.programs), ["count"]);
        assert.deepEqual(Object.keys(object.maps), ["hits"]);
        assert.deepEqual(Object.keys(object.variables).sort(), ["level", "limit", "seen"]);
        assert.equal(object.programs["count"]?.run({ data: PACKET }).retval, (-6 + 3) >>> 0);
        assert.deepEqual([...(object.maps["hits"] as HashMap<number, bigint>)], [[5, 1n]]);
      });

      test("shares its variables with the programs, both ways", () => {
        using bpf = open();
        using object = bpf.load(compile(COUNTER));
        object.variables["level"] = 100;
        object.variables["seen"] = 9;
        assert.equal(object.programs["count"]?.run({ data: PACKET }).retval, 230);
        assert.equal(object.variables["seen"], 10);
      });

      test("takes the values of constants before it is loaded, and none afterwards", () => {
        using bpf = open();
        using object = bpf.load(compile(COUNTER), { variables: { limit: 77, seen: 1 } });
        object.programs["count"]?.run({ data: PACKET });
        assert.deepEqual([...(object.maps["hits"] as HashMap<number, bigint>).keys()], [77]);
        assert.equal(object.variables["limit"], 77);
        assert.equal(object.variables["seen"], 2);
        assert.throws(
          () => (object.variables["limit"] = 1),
          /limit is a constant: give it its value when it is loaded/,
        );
      });

      test("has records of a ring buffer typed by a layout, or by the name of a type of the object", () => {
        using bpf = open();
        interface Events {
          maps: { events: RingBuf<{ length: number; kind: string }> };
          variables: Record<string, never>;
          programs: { tell: BpfProgram };
        }
        for (const value of ["struct event", "event_t", struct({ length: u32, kind: u32 })]) {
          using object = bpf.load<Events>(compile(EVENTS), { maps: { events: { value } } });
          object.programs.tell.run({ data: PACKET });
          const kind = typeof value === "string" ? "LONG" : 7;
          assert.deepEqual(object.maps.events.poll(), { length: 64, kind });
        }
        assert.throws(() => bpf.load(compile(EVENTS), { maps: { events: { value: "struct evnt" } } }), {
          name: "TypeError",
          message:
            /^map events: the BTF has no type "struct evnt": there is "struct event"; clang leaves out a type that no /,
        });
      });

      test("closes its programs and maps with itself", () => {
        using bpf = open();
        const object = bpf.load(compile(COUNTER));
        const program = object.programs["count"];
        object.close();
        assert.throws(() => program?.run({ data: PACKET }), { code: "EBADF", program: "count" });
        assert.throws(() => (object.maps["hits"] as HashMap<number, bigint>).get(1), { code: "EBADF" });
      });

      test("is refused with what was meant when an option names nothing", () => {
        using bpf = open();
        const bytes = compile(COUNTER);
        assert.throws(() => bpf.load(bytes, { variables: { limti: 1 } }), /no variable "limti": there is "limit"/);
        assert.throws(() => bpf.load(bytes, { maps: { nothing: {} } }), /no map "nothing": it has hits/);
        assert.throws(() => bpf.load(bytes, { programs: { cuont: true } }), /no program "cuont": there is "count"/);
      });
    });

    describe("programs of an object", () => {
      test("that the verifier refuses are refused with its reason, the instruction and the line", () => {
        using bpf = open();
        const source = `${HEADER}
          struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 1); } a SEC(".maps");
          SEC("xdp") int broken(struct xdp_md *ctx) {
            __u32 key = 0;
            __u64 *value = bpf_map_lookup_elem(&a, &key);
            return *value;
          }`;
        assert.throws(
          () => run(bpf, source, "broken"),
          (error) => {
            assert.ok(error instanceof BpfError);
            assert.equal(error.code, "EACCES");
            assert.equal(error.program, "broken");
            assert.match(
              error.message,
              /the verifier refuses program broken: R0 invalid mem access.*, at instruction \d+: \(79\) r\d = \*\(u64 \*\)\(r0 \+0\), which is "return \*value;" in \d+\.bpf\.c:\d+\.\n/,
            );
            assert.match(error.log ?? "", /processed \d+ insns/);
            return true;
          },
        );
      });

      test("are left out when their section begins with a question mark, unless they are asked for", () => {
        using bpf = open();
        const source = `${HEADER}
          SEC("xdp") int first(struct xdp_md *ctx) { return 1; }
          SEC("?xdp") int second(struct xdp_md *ctx) { return 2; }`;
        using some = bpf.load(compile(source));
        assert.deepEqual(Object.keys(some.programs), ["first"]);
        using other = bpf.load(compile(source), { programs: { first: false, second: true } });
        assert.deepEqual(Object.keys(other.programs), ["second"]);
      });

      test("of a section that says nothing of their type are refused", () => {
        using bpf = open();
        const source = `${HEADER} SEC("nothing") int program(void *ctx) { return 1; }\n`;
        assert.throws(
          () => run(bpf, source, "program"),
          (error) =>
            error instanceof ObjectError &&
            error.section === "nothing" &&
            /what type program program/.test(error.message),
        );
      });

      test("see the configuration that is given, and 0 for what they can do without", () => {
        using bpf = open();
        const source = `${HEADER}
          extern int CONFIG_HZ __kconfig;
          extern _Bool CONFIG_BPF __kconfig;
          extern char CONFIG_MODULES __kconfig;
          extern __u64 CONFIG_ABSENT __kconfig __weak;
          SEC("xdp") int configured(struct xdp_md *ctx) {
            return CONFIG_HZ + CONFIG_BPF + (CONFIG_MODULES == 'm' ? 10 : 20) + (int)CONFIG_ABSENT;
          }`;
        const bytes = compile(source);
        using object = bpf.load(bytes, { kconfig: { CONFIG_HZ: 250, CONFIG_BPF: true, CONFIG_MODULES: "m" } });
        assert.equal(object.programs["configured"]?.run({ data: PACKET }).retval, 261);
        assert.throws(() => bpf.load(bytes), /asks for CONFIG_HZ of the kernel: give it, with kconfig/);
      });

      test("can do without a function of the kernel that is weak, and not without any other", () => {
        using bpf = open();
        const source = (attributes: string) => `${HEADER}
          extern void bpf_nobody_has_this(void) __ksym ${attributes};
          SEC("xdp") int program(struct xdp_md *ctx) { if (bpf_nobody_has_this) { bpf_nobody_has_this(); return 1; } return 2; }`;
        assert.equal(run(bpf, source("__weak"), "program")?.retval, 2);
        assert.throws(() => run(bpf, source("").replace("if (bpf_nobody_has_this) ", ""), "program"), ObjectError);
      });

      test("call each other through a prog_array that is filled from the beginning", () => {
        using bpf = open();
        const source = `${HEADER}
          SEC("xdp") int last(struct xdp_md *ctx) { return 40; }
          struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4); __array(values, int (void *)); } jumps
            SEC(".maps") = { .values = { [2] = (void *)&last } };
          SEC("xdp") int first(struct xdp_md *ctx) { bpf_tail_call(ctx, &jumps, 2); return 1; }`;
        assert.equal(run(bpf, source, "first")?.retval, 40);
      });

      test("find the maps that are in a map of maps from the beginning", () => {
        using bpf = open();
        const source = `${HEADER}
          struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u32); __uint(max_entries, 1); }
            one SEC(".maps"), two SEC(".maps");
          struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __type(key, __u32); __uint(max_entries, 3); __array(values, struct inner); } outer
            SEC(".maps") = { .values = { [1] = &two, [2] = &one } };
          SEC("xdp") int look(struct xdp_md *ctx) {
            __u32 at = 1, zero = 0, *value;
            void *map = bpf_map_lookup_elem(&outer, &at);
            if (!map) return 0;
            value = bpf_map_lookup_elem(map, &zero);
            return value ? *value : 1;
          }`;
        using object = bpf.load(compile(source));
        (object.maps["two"] as ArrayMap<number, number>).set(0, 1234);
        assert.equal(object.programs["look"]?.run({ data: PACKET }).retval, 1234);
      });

      test("give functions to helpers that call them back", () => {
        using bpf = open();
        const source = `${HEADER}
          __u64 sum;
          static int add(__u32 index, void *ctx) { sum += index; return 0; }
          SEC("xdp") int loop(struct xdp_md *ctx) { bpf_loop(10, add, 0, 0); return sum; }`;
        assert.equal(run(bpf, source, "loop")?.retval, 45);
      });
    });
  }),
);

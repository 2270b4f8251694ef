import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BpfError, Btf } from "mapiary";
import { ElfFile } from "../../src/program/elf.ts";
import { onEveryKernel } from "../kernels.ts";
import { knowsV4, withClang } from "./clang.ts";

/** What "the kernel" looks like: structs that are laid out otherwise than the program believes. */
const KERNEL = `
struct inner { long before; int a; struct { char pad[3]; unsigned char wide; }; int list[6]; };
struct thing {
  char first[40];
  struct inner *pointer;
  struct inner in[4];
  unsigned long grown;
  unsigned int flags : 5, more : 20, last : 7;
  signed char sign;
  enum { NEW = 1 } state;
};
enum color { GREEN = 7, BLUE = 300, RED = 12 };
typedef struct { int x, y, z; } point;
struct only_here { int nothing; };
struct thing thing; struct inner inner; enum color color; point p; struct only_here o;
`;

/** The same as the program knows it, and what it asks. */
const PROGRAM = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
char _license[] SEC("license") = "GPL";
#define core __attribute__((preserve_access_index))
struct inner { int a; unsigned char wide; int list[6]; } core;
struct thing___mine {
  struct inner in[4]; unsigned int grown; struct inner *pointer; unsigned int more : 20; signed char sign; int gone; enum { OLD } state;
} core;
enum color { RED, GREEN, PINK };
typedef struct { int x; } core point;
struct absent { int a; } core;
struct only_here { int nothing; } core;
struct only_here___other { int something; } core;

long out[32];
SEC("syscall") int ask(void *ctx) {
  struct thing___mine *t = 0;
  int i = 0;
#define answer(x) out[i++] = (long)(x)
  answer(__builtin_preserve_field_info(t->in[2].a, BPF_FIELD_BYTE_OFFSET));
  answer(__builtin_preserve_field_info(t->in[1].wide, BPF_FIELD_BYTE_OFFSET));
  answer(__builtin_preserve_field_info(t->in[3].list[5], BPF_FIELD_BYTE_OFFSET));
  answer(__builtin_preserve_field_info(t->grown, BPF_FIELD_BYTE_SIZE));
  answer(bpf_core_field_exists(t->gone));
  answer(bpf_core_field_exists(t->sign));
  answer(__builtin_preserve_field_info(t->sign, BPF_FIELD_SIGNED));
  answer(__builtin_preserve_field_info(t->grown, BPF_FIELD_SIGNED));
  answer(__builtin_preserve_field_info(t->more, BPF_FIELD_BYTE_OFFSET));
  answer(__builtin_preserve_field_info(t->more, BPF_FIELD_BYTE_SIZE));
  answer(__builtin_preserve_field_info(t->more, BPF_FIELD_LSHIFT_U64));
  answer(__builtin_preserve_field_info(t->more, BPF_FIELD_RSHIFT_U64));
  answer(bpf_core_type_exists(struct thing___mine));
  answer(bpf_core_type_exists(struct absent));
  answer(bpf_core_type_size(struct inner));
  answer(bpf_core_type_size(point));
  answer(bpf_core_enum_value_exists(enum color, RED));
  answer(bpf_core_enum_value_exists(enum color, PINK));
  answer(bpf_core_enum_value(enum color, GREEN));
  answer(bpf_core_type_id_kernel(struct inner) != 0);
  answer(bpf_core_type_id_kernel(struct absent));
#if __clang_major__ >= 15
  answer(bpf_core_type_matches(struct only_here));
  answer(bpf_core_type_matches(struct only_here___other));
  answer(bpf_core_type_matches(point));
#endif
  return i;
}
`;

const sectionOf = (bytes: Uint8Array, name: string): Uint8Array =>
  (new ElfFile(bytes).section(name) ?? assert.fail(name)).data;

withClang((compile) =>
  onEveryKernel(({ name, open }) => {
    describe("CO-RE", () => {
      test("adapts every kind of relocation to the types that are given", () => {
        using bpf = open();
        const btf = new Btf(sectionOf(compile(KERNEL), ".BTF"));
        using object = bpf.load(compile(PROGRAM, { cpu: knowsV4 ? "v4" : "v3" }), { btf });
        const count = object.programs["ask"]?.run({ ctx: new Uint8Array(8) }).retval ?? 0;
        const inner = { size: 40, a: 8, wide: 15, list: 16 };
        const inArray = 48;
        const bits = inArray + 4 * inner.size + 8;
        assert.deepEqual((object.variables["out"] as bigint[]).slice(0, count).map(Number), [
          inArray + 2 * inner.size + inner.a,
          inArray + inner.size + inner.wide,
          inArray + 3 * inner.size + inner.list + 20,
          8,
          0,
          1,
          1,
          0,
          bits,
          4,
          64 - 25,
          64 - 20,
          1,
          0,
          inner.size,
          12,
          1,
          0,
          7,
          1,
          0,
          ...(knowsV4 ? [1, 0, 1] : []),
        ]);
      });

      test("loads a field as wide as the kernel has it", () => {
        using bpf = open();
        const source = `${PROGRAM}
          char memory[512];
          SEC("syscall") int load(void *ctx) { return ((struct thing___mine *)memory)->grown; }`;
        const btf = new Btf(sectionOf(compile(KERNEL), ".BTF"));
        using object = bpf.load(compile(source), { btf, programs: { ask: false } });
        assert.equal(object.programs["load"]?.run().retval, 0);
      });

      test("names the field that the kernel has not when the program comes to it", () => {
        using bpf = open();
        const source = `${PROGRAM}
          char memory[512];
          SEC("syscall") int load(void *ctx) { return ((struct thing___mine *)memory)->gone; }`;
        const btf = new Btf(sectionOf(compile(KERNEL), ".BTF"));
        assert.throws(
          () => bpf.load(compile(source), { btf, programs: { ask: false } }),
          (error) => error instanceof BpfError && /this kernel has not struct thing___mine.gone/.test(error.message),
        );
      });

      // The embedded kernel has no structs of its own to be read.
      if (name === "embedded") return;

      test("reads the running kernel's own structs", () => {
        using bpf = open();
        const source = `
          #include <linux/bpf.h>
          #include <bpf/bpf_helpers.h>
          #include <bpf/bpf_core_read.h>
          char _license[] SEC("license") = "GPL";
          struct task_struct___small { int tgid; } __attribute__((preserve_access_index));
          int tgid;
          SEC("raw_tp/sys_enter") int who(void *ctx) {
            struct task_struct___small *task = (void *)bpf_get_current_task();
            tgid = BPF_CORE_READ(task, tgid);
            return tgid;
          }`;
        using object = bpf.load(compile(source));
        object.programs["who"]?.run();
        assert.equal(object.variables["tgid"], process.pid);
      });
    });
  }),
);

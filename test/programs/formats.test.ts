/** What programs print: every conversion of the kernel's, by bpf_snprintf on both kernels, and by bpf_trace_printk. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type BpfProgram, embedded } from "mapiary";
import { onLinux } from "../kernels.ts";
import { withClang } from "../program/clang.ts";

/** Formats, and their arguments in C. */
const FORMATS: readonly (readonly [format: string, ...values: string[]])[] = [
  ...["%d", "%i", "%u", "%x", "%X", "%ld", "%lu", "%lx", "%lld", "%llu", "%llx", "%llX"].flatMap((format) =>
    ["0", "42", "-1", "0x123456789abcdef", "1ull << 63"].map((value) => [format, value] as const),
  ),
  ...["%5d", "%-5d|", "%05d", "%+d", "% d", "%1d"].flatMap((format) =>
    ["7", "-7", "1234567"].map((value) => [format, value] as const),
  ),
  ...["%10x", "%-10x|", "%08llx", "%016lX"].map((format) => [format, "0xbeef"] as const),
  ...["%c", "%3c", "%-3c|"].map((format) => [format, "'x'"] as const),
  ...["%s", "%5s", "%-8s|", "%10s", "%pks", "%12s."].map((format) => [format, "(long)word"] as const),
  ["%s", "(long)empty"],
  ["%px", "0x1234"],
  ["%px", "-1"],
  ...["%pI4", "%pi4"].map((format) => [format, "(long)address"] as const),
  ...["%pI6", "%pi6"].map((format) => [format, "(long)address"] as const),
  ["100%%"],
  ["nothing"],
  ["%d of %s, %x%%", "3", "(long)word", "255"],
  ["%d%d%d%d%d%d", "1", "2", "3", "4", "5", "6"],
  ["a very long text that does not fit into the room that there is: %d", "12345"],
  ["%s%s%s%s", "(long)word", "(long)word", "(long)word", "(long)word"],
];

const ROOM = 40;
const TOGETHER = 12;

/** A program for every so many formats, each with a room of its own for what it prints. */
function source(): string {
  const chunks: string[] = [];
  FORMATS.forEach(([format, ...values], index) => {
    const data = values.length === 0 ? "NULL, 0" : "values, sizeof(values)";
    const declared = values.length === 0 ? "" : `__u64 values[] = { ${values.join(", ")} };`;
    const code = `{ static const char format[] = ${JSON.stringify(format)}; ${declared}
      lengths[${index}] = bpf_snprintf(texts[${index}], ${ROOM}, format, ${data}); }`;
    const chunk = Math.floor(index / TOGETHER);
    chunks[chunk] = `${chunks[chunk] ?? ""}\n${code}`;
  });
  return `
#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
char _license[] SEC("license") = "GPL";
char word[] = "a word";
char empty[4];
unsigned char address[16] = { 0x20, 0x01, 0x0d, 0xb8, 10, 0, 0, 1, 0, 0, 0, 0, 0xff, 7, 0, 0x2a };
char texts[${FORMATS.length}][${ROOM}];
long lengths[${FORMATS.length}];
${chunks.map((code, index) => `SEC("syscall") int print${index}(void *ctx) { ${code} return 0; }`).join("\n")}
SEC("syscall") int trace(void *ctx)
{
  static const char format[] = "%s has %d of %llx";
  static const char four[] = "%d %d %d %d";
  __u64 values[] = { 1, -2, 3, -4 };

  bpf_trace_printk(format, sizeof(format), word, -3, 1ull << 40);
  bpf_trace_vprintk(four, sizeof(four), values, sizeof(values));
  return 0;
}
`;
}

interface Printing {
  maps: Record<string, never>;
  variables: { texts: string[]; lengths: bigint[] };
  programs: Record<string, BpfProgram>;
}

withClang((compile) => {
  onLinux(({ open }) => {
    test(`${FORMATS.length} formats print the same on both kernels`, () => {
      using running = open();
      using own = embedded();
      const [expected, actual] = [running, own].map((bpf) => {
        using object = bpf.load<Printing>(compile(source()));
        for (const [name, program] of Object.entries(object.programs)) if (name !== "trace") program.run();
        const { texts, lengths } = object.variables;
        return FORMATS.map(([format, ...values], index) => [format, ...values, texts[index], lengths[index]]);
      });
      assert.deepEqual(actual, expected);
    });
  });

  describe("on the embedded kernel", () => {
    test("what bpf_trace_printk and bpf_trace_vprintk print is told line by line", () => {
      const lines: string[] = [];
      using bpf = embedded({ trace: (line) => void lines.push(line) });
      using object = bpf.load<Printing>(compile(source()));
      object.programs["trace"]?.run();
      assert.deepEqual(lines, ["a word has -3 of 10000000000", "1 -2 3 -4"]);
    });
  });
});

/** The TypeScript that is written for types of C compiles, and reads what C wrote. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { BtfBuilder, embedded, type Layout, struct, u32, u64 } from "mapiary";
import { typesOfFile, typesOfMap } from "../../src/cli/types.ts";
import { ElfFile } from "../../src/program/elf.ts";
import { withClang } from "../program/clang.ts";
import { everyKind } from "./every-kind.ts";
import { STRUCTS, structsInC } from "./structs.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const MAPS = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct value { __u64 hits; char comm[16]; union { __u32 n; __u8 b[4]; }; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, __u32); __type(value, struct value); } table SEC(".maps");
const volatile int limit = 3;
__u64 seen;
SEC("xdp") int pass(struct xdp_md *ctx) {
  __u32 key = limit;
  seen++;
  return bpf_map_lookup_elem(&table, &key) ? XDP_DROP : XDP_PASS;
}
`;

/** Structs whose names mean something else in TypeScript, or in what is written. */
function oddNames(): Uint8Array {
  const builder = new BtfBuilder();
  const int = builder.add({ kind: "int", name: "int", size: 4, isSigned: true });
  for (const name of ["class", "string", "Layout", "Uint8Array", "plain"]) {
    builder.add({
      kind: "struct",
      name,
      size: 4,
      members: [{ name: "class", type: int, bitOffset: 0, bitfieldSize: 0 }],
    });
  }
  return builder.encode();
}

/** Compiles sources under the project's own settings, in a folder where they find the library. */
async function withCompiled(sources: Readonly<Record<string, string>>, use: (folder: string) => Promise<void>) {
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".tmp/types-"));
  try {
    for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, name), source);
    const project = { extends: "../../tsconfig.json", include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
    execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

withClang((compile) => {
  test("the types of objects, BTF and maps are TypeScript that compiles and reads", async () => {
    const structs = compile(structsInC(), { args: ["-Wno-constant-conversion", "-Wno-bitfield-constant-conversion"] });
    const btf = new ElfFile(structs).sections.find(({ name }) => name === ".BTF")?.data;
    assert.ok(btf !== undefined);
    using bpf = embedded();
    using map = bpf.createMap({ type: "hash", name: "hits", key: u32, value: struct({ n: u64 }), maxEntries: 1 });
    const sources = {
      "structs.ts": typesOfFile(btf),
      "kinds.ts": typesOfFile(everyKind(), ["all", "bits"]),
      "object.ts": typesOfFile(compile(MAPS)),
      "nothing.ts": typesOfFile(new BtfBuilder().encode()),
      "names.ts": typesOfFile(oddNames()),
      "map.ts": typesOfMap(bpf.sys, map.info()),
      "use.ts": `import { type table_value, table_valueLayout, dataLayouts } from "./use-object.ts";
export const value: table_value = { hits: 1n, comm: "nginx", n: 5 };
export const bytes = table_valueLayout.encode(value);
export const layouts = dataLayouts;
`,
      "use-object.ts": `export { type value as table_value, table_valueLayout } from "./object.ts";
import { bssLayout, rodataLayout } from "./object.ts";
export const dataLayouts: number[] = [bssLayout.size, rodataLayout.size];
`,
    };
    await withCompiled(sources, async (folder) => {
      const written = (await import(pathToFileURL(join(folder, "structs.ts")).href)) as Record<string, Layout<unknown>>;
      for (const { name, value } of STRUCTS) {
        const layout = written[`${name}Layout`];
        assert.ok(layout !== undefined, name);
        assert.deepEqual(layout.decode(layout.encode(value)), value, name);
      }
      const { classLayout } = (await import(pathToFileURL(join(folder, "names.ts")).href)) as Record<
        string,
        Layout<unknown>
      >;
      assert.deepEqual(classLayout?.decode(Uint8Array.of(5, 0, 0, 0)), { class: 5 });
      const used = (await import(pathToFileURL(join(folder, "use.ts")).href)) as { readonly bytes: Uint8Array };
      assert.equal(used.bytes.length, 32);
    });
  });

  test("a map without BTF has no types", () => {
    using bpf = embedded();
    using queue = bpf.createMap({ type: "queue", value: u64, maxEntries: 1 });
    assert.throws(() => typesOfMap(bpf.sys, queue.info()), /has no BTF/);
  });
});

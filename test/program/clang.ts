import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

/** How a file is compiled. */
export interface CompileOptions {
  /** `-O2` when it is not given. */
  readonly level?: "-O1" | "-O2" | "-O3";
  /** `v1` to `v4`; `v3` when it is not given, and v4 needs clang 18. */
  readonly cpu?: "v1" | "v2" | "v3" | "v4";
  /** Further arguments. */
  readonly args?: readonly string[];
}

/** Compiles C for BPF; the source is a path, or the text itself. */
export type Compile = (source: string, options?: CompileOptions) => Uint8Array;

/** The compilers that are looked for: the one that everybody has, and one that knows `-mcpu=v4`. */
const NAMES = ["clang", "clang-19", "clang-20", "clang-18"];
const HEADERS = ["/usr/include/bpf/bpf_helpers.h", "/usr/local/include/bpf/bpf_helpers.h"];

const versions = new Map<string, number>();

function version(name: string): number {
  const known = versions.get(name);
  if (known !== undefined) return known;
  const { stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
  const found = Number(/version (\d+)\./.exec(stdout ?? "")?.[1] ?? 0);
  versions.set(name, found);
  return found;
}

/** Where the headers of the architecture lie, on systems that keep several apart. */
function includes(): string[] {
  const triple = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" }[process.arch as string];
  return triple === undefined ? [] : ["-I", `/usr/include/${triple}`];
}

/** Why nothing can be compiled here; `undefined` when it can. */
function problem(): string | undefined {
  if (version("clang") === 0) return "there is no clang: apt-get install clang";
  const hasHeaders = spawnSync("ls", HEADERS, { encoding: "utf8" }).stdout !== "";
  return hasHeaders ? undefined : "there are no headers of libbpf: apt-get install libbpf-dev";
}

/** Whether there is a compiler for `-mcpu=v4`. */
export const knowsV4: boolean = NAMES.some((name) => version(name) >= 18);

/**
 * Declares tests that compile C. Where there is no clang they are skipped with the reason, or fail when CI is true.
 */
export function withClang(suite: (compile: Compile) => void): void {
  const why = problem();
  if (why !== undefined) {
    test("objects that clang makes", { skip: process.env["CI"] === "true" ? false : why }, () => assert.fail(why));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "mapiary-objects-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const compiled = new Map<string, Uint8Array>();
  suite((source, options = {}) => {
    const key = JSON.stringify([source, options]);
    const bytes = compiled.get(key) ?? compile(source, options, join(folder, `${compiled.size}.bpf.o`));
    compiled.set(key, bytes);
    return bytes;
  });
}

function compile(source: string, options: CompileOptions, output: string): Uint8Array {
  const { level = "-O2", cpu = "v3", args = [] } = options;
  const needed = cpu === "v4" ? 18 : 1;
  const name = NAMES.find((each) => version(each) >= needed);
  assert.ok(name !== undefined, `no clang here knows -mcpu=${cpu}`);
  const isPath = !source.includes("\n");
  const flags = ["-g", level, "-target", "bpf", `-mcpu=${cpu}`, "-Wall", "-Werror", ...includes(), ...args];
  const input = isPath ? source : output.replace(/o$/, "c");
  if (!isPath) writeFileSync(input, source);
  const result = spawnSync(name, [...flags, "-c", input, "-o", output], { encoding: "utf8" });
  assert.equal(result.status, 0, result.stderr);
  return readFileSync(output);
}

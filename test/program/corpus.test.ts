/**
 * Programs as people write them, compiled at every level and for every version of the instruction set, give the same
 * answers on both kernels: what they return, what they leave of packets and contexts, and what is in their maps and
 * variables afterwards. By default each program is compiled in a few of the ways; `--runs 1000` compiles it in all.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { embedded } from "mapiary";
import { ElfFile } from "../../src/program/elf.ts";
import { onLinux } from "../kernels.ts";
import { type CompileOptions, knowsV4, withClang } from "./clang.ts";
import { observe, stateOf } from "./observed-object.ts";

const FOLDER = join(import.meta.dirname, "corpus");
const SOURCES = readdirSync(FOLDER).filter((name) => name.endsWith(".bpf.c"));
const LEVELS = ["-O1", "-O2", "-O3"] as const;
const CPUS = knowsV4 ? (["v1", "v2", "v3", "v4"] as const) : (["v1", "v2", "v3"] as const);
const WAYS: readonly CompileOptions[] = LEVELS.flatMap((level) => CPUS.map((cpu) => ({ level, cpu })));
const IN_ALL_WAYS = Number(process.env["MAPIARY_RUNS"] ?? 0) >= 1000;

/** The ways in which a program is compiled: another for each, so that all of them are seen. */
function waysOf(name: string, index: number): readonly CompileOptions[] {
  const needsV3 = readFileSync(join(FOLDER, name), "utf8").includes("needs v3");
  const ways = WAYS.filter(({ cpu }) => !needsV3 || cpu === "v3" || cpu === "v4");
  return IN_ALL_WAYS ? ways : [ways[(index * 5) % ways.length] as CompileOptions];
}

withClang((compile) =>
  onLinux(({ open }) => {
    describe("the corpus", () => {
      test("has forty programs and more", () => assert.ok(SOURCES.length >= 40));

      for (const [index, name] of SOURCES.entries()) {
        for (const way of waysOf(name, index)) {
          test(`${name} ${way.level} -mcpu=${way.cpu} does the same on both kernels`, () => {
            const bytes = compile(join(FOLDER, name), way);
            using running = open();
            using inProcess = embedded({ possibleCpus: running.possibleCpus });
            const object = { name: "corpus", btf: new ElfFile(bytes).section(".BTF")?.data };
            using expected = running.load(bytes, object);
            using actual = inProcess.load(bytes, object);
            assert.deepEqual(observe(actual), observe(expected));
            assert.deepEqual(stateOf(inProcess, actual), stateOf(running, expected));
          });
        }
      }
    });
  }),
);

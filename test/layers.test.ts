/**
 * The architecture, checked: every import of src/ goes to its own layer or one below, nothing above the seam knows
 * which kernel it has, what a browser loads needs nothing of Node, and no files import each other in a circle.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { posix, resolve, sep } from "node:path";
import { describe, test } from "node:test";

/** Lowest first. The two kernels share a height: neither is below the other. */
const LAYERS: readonly (readonly string[])[] = [
  ["abi"],
  ["memory"],
  ["layout"],
  ["isa"],
  ["btf"],
  ["kernel"],
  ["kernel/linux", "kernel/embedded"],
  ["kernel/directory", "kernel/threads"],
  ["sys"],
  ["maps"],
  ["program"],
  ["bpf.ts"],
  ["index.ts"],
  ["linux.ts"],
  ["cli"],
];

/** A kernel is seen through the seam by all but these, which hand it out. */
const SEEN_BY: Readonly<Record<string, readonly string[]>> = {
  "kernel/linux": ["linux.ts", "cli"],
  "kernel/embedded": ["kernel/directory", "kernel/threads", "index.ts", "linux.ts", "cli"],
  "kernel/directory": ["index.ts", "linux.ts", "cli"],
  "kernel/threads": ["index.ts"],
};

/** The layers that need Node, and may import its modules and koffi; every other runs in a browser. */
const ON_NODE = ["kernel/linux", "linux.ts", "cli"];

/** What each file imports, by its path below src/: as written, `./map.ts`, `node:fs`, or `COMPUTED`. */
type Imports = ReadonlyMap<string, readonly string[]>;

const COMPUTED = "(computed)";

/** The specifiers that a source file imports, in any of the ways of doing so; those in doc comments are not its own. */
function importsOf(source: string, withTypes = true): string[] {
  const code = source.replace(/^\s*(?:\*|\/\*|\/\/).*$/gm, "");
  const declared = code.matchAll(/^\s*(?:import|(?:import|export)\b[^;"'`]*\bfrom)\s*["']([^"'\n]+)["']/gm);
  const called = code.matchAll(/(?<![.#\w])(?:import\(|require\((?=\s*["']))\s*(?:["']([^"'\n]+)["'])?/g);
  const isErased = (match: RegExpMatchArray) => /^\s*(?:import|export)\s+type\b/.test(match[0]);
  const all = [...declared].filter((match) => withTypes || !isErased(match));
  return [...all, ...called].map((match) => match[1] ?? COMPUTED);
}

function layerOf(file: string): string | undefined {
  const owns = (layer: string) => file === layer || file.startsWith(`${layer}/`);
  return LAYERS.flat().findLast(owns);
}

function heightOf(layer: string): number {
  return LAYERS.findIndex((layers) => layers.includes(layer));
}

function outsideViolation(layer: string, specifier: string): string | undefined {
  if (specifier === COMPUTED) return "imports a computed name, which nobody can check";
  if (!ON_NODE.includes(layer)) return `imports ${specifier}, but must run where there is no Node`;
  if (!specifier.startsWith("node:") && specifier !== "koffi") return `imports ${specifier}, which is no dependency`;
  return undefined;
}

function layerViolation(layer: string, target: string): string | undefined {
  const below = layerOf(target);
  if (below === undefined) return `imports ${target}, which belongs to no layer`;
  if (below === layer) return undefined;
  if (heightOf(below) > heightOf(layer)) return `imports ${target}, which lies above it`;
  if (heightOf(below) === heightOf(layer)) return `imports ${target}, which is another kernel`;
  if (SEEN_BY[below]?.includes(layer) === false) return `imports ${target}, past the seam`;
  return undefined;
}

/** The public faces, which may be imported by their public names. */
const FACES: Readonly<Record<string, string>> = { mapiary: "index.ts", "mapiary/linux": "linux.ts" };

/** Where `specifier` of `file` leads, below src/; `undefined` when that is outside. */
function targetOf(file: string, specifier: string): string | undefined {
  if (specifier in FACES) return FACES[specifier];
  return specifier.startsWith(".") ? posix.join(posix.dirname(file), specifier) : undefined;
}

function cyclesOf(imports: Imports): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file) || path.includes(file)) return;
    for (const specifier of imports.get(file) ?? []) {
      const target = targetOf(file, specifier);
      if (target !== undefined) visit(target, [...path, file]);
    }
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return cycles;
}

function violationsOf(imports: Imports): string[] {
  const violations: string[] = [];
  for (const [file, specifiers] of imports) {
    const layer = layerOf(file);
    if (layer === undefined) {
      violations.push(`${file} belongs to no layer`);
      continue;
    }
    for (const specifier of specifiers) {
      const target = targetOf(file, specifier);
      const violation = target === undefined ? outsideViolation(layer, specifier) : layerViolation(layer, target);
      if (violation !== undefined) violations.push(`${file} ${violation}`);
    }
  }
  return violations;
}

test("src keeps to the layers", () => {
  const root = resolve(import.meta.dirname, "../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((file) => file.split(sep).join("/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const sources = files.map((file) => [file, readFileSync(resolve(root, file), "utf8")] as const);
  const imports = new Map(sources.map(([file, source]) => [file, importsOf(source)]));
  const atRunTime = new Map(sources.map(([file, source]) => [file, importsOf(source, false)]));

  assert.ok(files.includes("kernel/kernel.ts"));
  assert.deepEqual(violationsOf(imports), []);
  assert.deepEqual(cyclesOf(atRunTime), [], "no circles, but of types");
});

describe("the rules of the layers", () => {
  const holds = (file: string, ...specifiers: string[]) => violationsOf(new Map([[file, specifiers]]));

  test("a file may import from its own layer and those below", () => {
    assert.deepEqual(holds("maps/hash-map.ts", "./typed-map.ts", "../sys/sys.ts", "../abi/flags.ts"), []);
    assert.deepEqual(holds("kernel/embedded/maps/hash.ts", "../segment.ts", "../../kernel.ts"), []);
  });

  test("a file may not import from a layer above", () => {
    assert.deepEqual(holds("sys/sys.ts", "../maps/hash-map.ts"), [
      "sys/sys.ts imports maps/hash-map.ts, which lies above it",
    ]);
    assert.equal(holds("kernel/kernel.ts", "./embedded/kernel.ts").length, 1);
    assert.equal(holds("index.ts", "./linux.ts").length, 1);
  });

  test("the kernels do not know each other", () => {
    assert.equal(holds("kernel/linux/kernel.ts", "../embedded/kernel.ts").length, 1);
    assert.equal(holds("kernel/embedded/kernel.ts", "../linux/kernel.ts").length, 1);
  });

  test("nothing above the seam knows a kernel, but those who hand it out", () => {
    assert.equal(holds("maps/hash-map.ts", "../kernel/embedded/segment.ts").length, 1);
    assert.equal(holds("index.ts", "./kernel/linux/kernel.ts").length, 1);
    assert.deepEqual(holds("index.ts", "./kernel/embedded/kernel.ts"), []);
    assert.deepEqual(holds("linux.ts", "./kernel/linux/kernel.ts"), []);
  });

  test("only what needs Node imports it, and koffi is the only package", () => {
    assert.equal(holds("maps/hash-map.ts", "node:util").length, 1);
    assert.equal(holds("kernel/embedded/kernel.ts", "koffi").length, 1);
    assert.equal(holds("kernel/linux/kernel.ts", "lodash").length, 1);
    assert.deepEqual(holds("kernel/linux/kernel.ts", "node:fs", "koffi"), []);
  });

  test("the public faces lie above what they show, by their public names too", () => {
    assert.deepEqual(holds("cli/tour.ts", "mapiary", "mapiary/linux", "node:process"), []);
    assert.equal(holds("maps/hash-map.ts", "mapiary").length, 1);
  });

  test("every file has a layer, and none is outside src", () => {
    assert.equal(holds("utils.ts").length, 1);
    assert.equal(holds("maps/hash-map.ts", "../../test/kernels.ts").length, 1);
    assert.equal(holds("cli/tour.ts", "../../examples/counter.ts").length, 1);
  });

  test("a circle is found, however long", () => {
    const circle = new Map([
      ["maps/a.ts", ["./b.ts"]],
      ["maps/b.ts", ["./c.ts"]],
      ["maps/c.ts", ["./a.ts"]],
    ]);
    assert.deepEqual(cyclesOf(circle), ["maps/a.ts → maps/b.ts → maps/c.ts → maps/a.ts"]);
  });

  test("every way of importing is seen", () => {
    const source = `
      import fs from "node:fs";
      import "./effect.ts";
      import type {
        Address,
      } from "../memory/address-space.ts";
      export * from "./all.ts";
      export { u32 } from "./integers.ts";
      export function load() { return import("koffi"); }
      const found = require("node:os");
      code.require(condition);
      const computed = await import(name);`;
    assert.deepEqual(importsOf(source).sort(), [
      COMPUTED,
      "../memory/address-space.ts",
      "./all.ts",
      "./effect.ts",
      "./integers.ts",
      "koffi",
      "node:fs",
      "node:os",
    ]);
  });

  test("what an example in a comment imports is not the file's own", () => {
    assert.deepEqual(importsOf('/**\n * import { linux } from "mapiary/linux";\n */\nexport const x = 1;\n'), []);
  });
});

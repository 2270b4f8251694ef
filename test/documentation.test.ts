/**
 * What the documentation shows is true: every TypeScript block of the doc comments in src/, of README.md and of docs/
 * compiles as it stands, under the project's own settings, and runs to its end.
 */
import assert from "node:assert/strict";
import { execFile, fork } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import type { Outcome } from "./run-examples.ts";

const ROOT = resolve(import.meta.dirname, "..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

/** What ends a block. */
const END = "```";

/** A block of TypeScript in the documentation. */
interface Example {
  /** The file that shows it, below the root. */
  readonly file: string;
  /** The line of the file, from 1, that is the example's first. */
  readonly line: number;
  readonly code: string;
}

/** What is wrong with an example: `README.md:12`, and why. */
interface Failure {
  readonly at: string;
  readonly why: string;
}

/** The blocks fenced as `ts` and not marked `ts ignore`; of a source file, those in its doc comments. */
function examplesOf(file: string, text: string): Example[] {
  const isSource = file.endsWith(".ts");
  const examples: Example[] = [];
  let code: string[] | undefined;
  for (const [index, whole] of text.split("\n").entries()) {
    const line = isSource ? (/^\s*\* ?(.*)$/.exec(whole)?.[1] ?? END) : whole;
    if (code === undefined) {
      if (/^\s*```ts\s*$/.test(line)) code = [];
    } else if (line.trim() === END) {
      examples.push({ file, line: index + 1 - code.length, code: code.join("\n") });
      code = undefined;
    } else {
      code.push(line);
    }
  }
  return examples;
}

/** The files below `folder` that end in `ending`, by their paths below the root. */
function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

/** Examples as modules, by their paths, in a folder inside the repository so that they resolve what it resolves. */
type Modules = ReadonlyMap<string, Example>;

function writeModules(folder: string, examples: readonly Example[]): Modules {
  const pathOf = ({ file, line }: Example) => join(folder, `${file.replaceAll(/[\\/]/g, ".")}.${line}.ts`);
  const modules = new Map(examples.map((example) => [pathOf(example), example]));
  for (const [path, example] of modules) writeFileSync(path, example.code);
  return modules;
}

/** Compiles every module of the folder in one run of tsc. */
async function compile(folder: string, modules: Modules): Promise<Failure[]> {
  const project = {
    extends: "../../tsconfig.json",
    compilerOptions: { moduleDetection: "force", noUnusedLocals: false },
    include: ["*.ts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(project));
  const output = await new Promise<string>((done) => {
    execFile(process.execPath, [TSC, "-p", folder, "--pretty", "false"], { cwd: ROOT }, (_error, out) => done(out));
  });
  const messages = output.split(/\n(?=\S)/).filter((message) => message.trim() !== "");
  return messages.map((message) => {
    const [, path = "", line = "", why = ""] = /^(.*?)\((\d+),\d+\): (.*)$/s.exec(message.trim()) ?? [];
    const example = modules.get(resolve(ROOT, path));
    return example === undefined ? { at: "tsc", why: message } : failureOf(example, Number(line) - 1, why);
  });
}

/** Runs the modules in one process, so that the library is loaded once. */
async function run(modules: Modules): Promise<Failure[]> {
  if (modules.size === 0) return [];
  const waiting = new Map(modules);
  const failures: Failure[] = [];
  const child = fork(join(ROOT, "test/run-examples.ts"), [...modules.keys()], {
    cwd: ROOT,
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout: 120_000,
  });
  let stderr = "";
  child.stderr?.on("data", (data) => {
    stderr += data;
  });
  child.on("message", ({ path, error }: Outcome) => {
    const example = modules.get(path);
    if (example !== undefined && error !== undefined) failures.push(failureOf(example, 0, error));
    waiting.delete(path);
  });
  const end = await new Promise((done) => child.on("close", (code, signal) => done(signal ?? code)));
  const [unfinished] = waiting.values();
  if (unfinished !== undefined) failures.push(failureOf(unfinished, 0, `the process ended with ${end}\n${stderr}`));
  return failures;
}

function failureOf(example: Example, line: number, why: string): Failure {
  return { at: `${example.file}:${example.line + line}`, why };
}

function assertNone(failures: readonly Failure[]): void {
  assert.equal(failures.map(({ at, why }) => `${at}: ${why}`).join("\n"), "");
}

/** Why no map can be made on the running kernel; `undefined` when one can. */
async function linuxIsMissing(): Promise<string | undefined> {
  try {
    const [{ u32 }, { linux }] = await Promise.all([import("mapiary"), import("mapiary/linux")]);
    linux().createMap({ type: "array", key: u32, value: u32, maxEntries: 1 }).close();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".tmp/documentation-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the examples of the documentation compile and run", async (t) => {
  const files = [...filesBelow("src", ".ts"), ...filesBelow("docs", ".md"), "README.md"];
  const examples = files
    .filter((file) => !file.endsWith(".test.ts") && existsSync(join(ROOT, file)))
    .flatMap((file) => examplesOf(file, readFileSync(join(ROOT, file), "utf8")));
  const isForLinux = (example: Example) => example.code.includes('"mapiary/linux"');

  await inFolder(async (folder) => {
    const forLinux = writeModules(folder, examples.filter(isForLinux));
    const anywhere = writeModules(
      folder,
      examples.filter((example) => !isForLinux(example)),
    );
    await t.test(`${examples.length} examples compile`, async () => {
      assertNone(await compile(folder, new Map([...anywhere, ...forLinux])));
    });
    await t.test(`${anywhere.size} examples run anywhere`, async () => {
      assertNone(await run(anywhere));
    });
    await t.test(`${forLinux.size} examples run on Linux`, async (t) => {
      const missing = await linuxIsMissing();
      if (missing !== undefined && process.env["CI"] !== "true") return t.skip(missing);
      assert.equal(missing, undefined);
      assertNone(await run(forLinux));
    });
  });
});

describe("the examples of the documentation", () => {
  test("are the blocks of TypeScript that are not marked ignore", () => {
    const markdown = "# Maps\n\n```ts\nfirst;\nsecond;\n```\n\n```ts ignore\nnot;\n```\n```sh\nnot\n```\n";
    assert.deepEqual(examplesOf("docs/maps.md", markdown), [
      { file: "docs/maps.md", line: 4, code: "first;\nsecond;" },
    ]);
  });

  test("are found in doc comments, and nowhere else in source", () => {
    const source =
      "const x = `\n```ts\nnot;\n```\n`;\n  /**\n   * @example\n   * ```ts\n   * if (x)\n   *   y;\n   * ```\n   */";
    assert.deepEqual(examplesOf("src/x.ts", source), [{ file: "src/x.ts", line: 9, code: "if (x)\n  y;" }]);
  });

  const example = (line: number, code: string): Example => ({ file: "docs/maps.md", line, code });

  test("are named by their line when they do not compile", async () => {
    const failures = await inFolder(async (folder) => {
      const modules = writeModules(folder, [example(3, "export {};"), example(10, "\nconst n: number = 'one';")]);
      return await compile(folder, modules);
    });
    assert.deepEqual(
      failures.map(({ at }) => at),
      ["docs/maps.md:11"],
    );
    assert.match(failures[0]?.why ?? "", /not assignable to type 'number'/);
  });

  test("are named when they throw, and when they end the process", async () => {
    const codes = [example(3, "await null;"), example(8, "throw new Error('no');"), example(20, "process.exit(3);")];
    const failures = await inFolder(async (folder) => await run(writeModules(folder, codes)));
    assert.deepEqual(
      failures.map(({ at }) => at),
      ["docs/maps.md:8", "docs/maps.md:20"],
    );
  });
});

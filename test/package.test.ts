/** What is published: exactly the files that are meant to be, usable as a stranger would use them. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { after, before, describe, test } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const TIMES = 15;

/** The files of src/ that are published, without `.ts`: neither the tests nor the command, which is one file. */
function modules(): string[] {
  return readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => name.split(sep).join("/"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !name.startsWith("cli/"))
    .map((name) => name.slice(0, -".ts".length));
}

function npm(...args: string[]): string {
  const options = { cwd: ROOT, encoding: "utf8", shell: process.platform === "win32" } as const;
  return execFileSync("npm", args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
}

function milliseconds(use: () => void): number {
  const start = performance.now();
  use();
  return performance.now() - start;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

describe("the package", () => {
  /** A project of somebody else, in which the package is installed. */
  let project = "";
  let published: string[] = [];

  before(() => {
    mkdirSync(join(ROOT, ".tmp"), { recursive: true });
    project = mkdtempSync(join(ROOT, ".tmp/package-"));
    const installed = join(project, "node_modules/mapiary");
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    npm("run", "build");
    const [pack] = JSON.parse(npm("pack", "--json", "--ignore-scripts", "--pack-destination", project));
    published = pack.files.map((file: { path: string }) => file.path);
    execFileSync("tar", ["-xzf", join(project, pack.filename), "-C", installed, "--strip-components=1"]);
  });

  after(() => rmSync(project, { recursive: true }));

  /** Runs a module of the project, and answers what it printed. */
  function run(code: string): string {
    const args = ["--input-type=module", "--eval", code];
    return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });
  }

  /** The native code that Node has loaded once the module is imported. */
  function nativeCodeOf(specifier: string): string[] {
    const loaded = run(`
      await import(${JSON.stringify(specifier)});
      console.log(JSON.stringify(process.report.getReport().sharedObjects));`);
    return JSON.parse(loaded).filter((path: string) => path.endsWith(".node"));
  }

  test("publishes what is compiled, what says how to use it, and nothing else", () => {
    const compiled = ["dist/index.js", "dist/linux.js", "dist/cli.js", ...modules().map((name) => `dist/${name}.d.ts`)];
    const expected = [
      "CHANGELOG.md",
      "LICENSE",
      "README.md",
      "docs/cli.md",
      "docs/mapiary.1",
      "package.json",
      ...compiled,
    ];
    const missing = expected.filter((path) => !published.includes(path));
    const isShared = (path: string) => /^dist\/shared-\w+\.js$/.test(path);
    const unwanted = published.filter((path) => !expected.includes(path) && !isShared(path));
    assert.deepEqual({ missing, unwanted }, { missing: [], unwanted: [] });
  });

  test("lets one program pin a map and the next one get it, without privileges", () => {
    for (const name of ["pin", "get", "kernel"]) {
      copyFileSync(join(ROOT, `examples/${name}.ts`), join(project, `${name}.ts`));
    }
    // Node strips types by itself, and knows `using`, from 24 on.
    const loader = Number.parseInt(process.versions.node, 10) < 24 ? ["--import", "tsx"] : [];
    const start = (name: string): string =>
      execFileSync(process.execPath, [...loader, `${name}.ts`, "--bpffs", "maps"], { cwd: project, encoding: "utf8" });
    assert.equal(start("pin"), "pinned hits: 3 entries\n");
    assert.equal(start("get"), "opened hits: 3 entries, 50 is 500\nunpinned; 60 is still 600\n");
  });

  test("loads no native code when it is imported", (t) => {
    assert.equal(nativeCodeOf("koffi").length, 1, "native code would be seen");
    assert.deepEqual(nativeCodeOf("mapiary"), []);

    const rounds = Array.from({ length: TIMES }, () => ({
      empty: milliseconds(() => run("")),
      importing: milliseconds(() => run('import "mapiary";')),
    }));
    const cost = median(rounds.map(({ importing }) => importing)) - median(rounds.map(({ empty }) => empty));
    t.diagnostic(`importing mapiary costs ${cost.toFixed(1)} ms (median of ${TIMES} processes)`);
  });

  const consumers = {
    "on Node": { lib: ["ES2022"], types: ["node"] },
    "in a browser": { lib: ["ES2022", "DOM"], types: [] },
  };

  for (const [where, options] of Object.entries(consumers)) {
    test(`has types that compile ${where}, checked as strictly as can be`, () => {
      const strictest = { module: "NodeNext", target: "ES2022", strict: true, noEmit: true, skipLibCheck: false };
      const config = { compilerOptions: { ...strictest, ...options }, files: ["consumer.ts"] };
      writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
      writeFileSync(join(project, "consumer.ts"), 'import { embedded } from "mapiary";\nembedded();\n');
      const { stdout } = spawnSync(process.execPath, [TSC, "-p", project], { encoding: "utf8" });
      assert.equal(stdout, "");
    });
  }
});

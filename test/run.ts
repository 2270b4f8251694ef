/**
 * Runs the tests: `npm test -- [paths…] [--runs N] [--seed S]`. Paths are test files or folders of them; without any,
 * every `*.test.ts` of the repository runs. `--runs` and `--seed` reach the tests that draw random cases as
 * MAPIARY_RUNS and MAPIARY_SEED.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";

const ROOT = resolve(import.meta.dirname, "..");
const FOLDERS = ["src", "test", "examples", "bench"].map((folder) => join(ROOT, folder));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string" }, seed: { type: "string" } },
});

function testFiles(path: string): string[] {
  if (!existsSync(path)) throw new Error(`there is no ${relative(process.cwd(), path)}`);
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts") && !name.split(sep).includes("node_modules"))
    .map((name) => join(path, name))
    .sort();
}

const paths = positionals.length > 0 ? positionals.map((path) => resolve(path)) : FOLDERS.filter(existsSync);
const files = [...new Set(paths.flatMap(testFiles))];
if (files.length === 0) throw new Error("there is no test to run");

if (values.runs !== undefined) process.env["MAPIARY_RUNS"] = values.runs;
if (values.seed !== undefined) process.env["MAPIARY_SEED"] = values.seed;

run({ files, concurrency: availableParallelism() })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);

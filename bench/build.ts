import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSync } from "esbuild";

const BENCH = import.meta.dirname;
/** A directory of this run's own, so that two runs do not take each other's programs away. */
const BUILD = join(BENCH, "build", `${process.pid}`);

/** What of the build the bench starts. */
export const BUILT = {
  /** The program of a peer that is reached from TypeScript. */
  peerProcess: join(BUILD, "peers", "peer-process.js"),
  /** The program of a map type on one kernel. */
  typeProcess: join(BUILD, "peers", "type-process.js"),
  /** The program of helpers in a program on one kernel. */
  helperProcess: join(BUILD, "peers", "helper-process.js"),
  /** The program of calculating programs on one kernel, that which loads programs, and that which takes records. */
  programProcess: join(BUILD, "peers", "programs", "program-process.js"),
  loadingProcess: join(BUILD, "peers", "programs", "loading-process.js"),
  ringConsumer: join(BUILD, "peers", "rings", "ring-process.js"),
  /** Those that read types and values. */
  vmlinuxProcess: join(BUILD, "peers", "values", "vmlinux-process.js"),
  structProcess: join(BUILD, "peers", "values", "struct-process.js"),
  liveMemoryProcess: join(BUILD, "peers", "values", "live-memory-process.js"),
  /** The program of threads that share a map, and that of two processes that do. */
  scalingProcess: join(BUILD, "peers", "sharing", "scaling-process.js"),
  delayProcess: join(BUILD, "peers", "sharing", "delay-process.js"),
  memoryOfMap: join(BUILD, "peers", "memory-of-map.js"),
  growthProcess: join(BUILD, "peers", "growth", "growth-process.js"),
  pauseProcess: join(BUILD, "peers", "growth", "pause-process.js"),
  index: pathToFileURL(join(BUILD, "dist", "index.js")).href,
  linux: pathToFileURL(join(BUILD, "dist", "linux.js")).href,
} as const;

/**
 * Builds mapiary by the package's own script, and the peers beside it: what is measured is what users of the package run,
 * not what a loader makes of the sources. `import "mapiary"` in a peer finds that build, as it would the package.
 */
export function buildJavaScript(): void {
  mkdirSync(BUILD, { recursive: true });
  process.once("SIGINT", () => process.exit(130));
  process.once("exit", () => rmSync(BUILD, { recursive: true, force: true }));
  const exports = { ".": "./dist/index.js", "./linux": "./dist/linux.js" };
  writeFileSync(join(BUILD, "package.json"), JSON.stringify({ name: "mapiary", type: "module", exports }));
  run("npm", ["run", "--silent", "build:library", "--", `--outdir=${join(BUILD, "dist")}`]);
  buildSync({
    entryPoints: [
      "peer-process.ts",
      "type-process.ts",
      "helper-process.ts",
      "programs/program-process.ts",
      "programs/loading-process.ts",
      "rings/ring-process.ts",
      "values/vmlinux-process.ts",
      "values/struct-process.ts",
      "values/live-memory-process.ts",
      "sharing/scaling-process.ts",
      "sharing/scaling-thread-process.ts",
      "sharing/delay-process.ts",
      "memory-of-map.ts",
      "growth/growth-process.ts",
      "growth/pause-process.ts",
    ].map((name) => join(BENCH, name)),
    outdir: join(BUILD, "peers"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: ["mapiary", "mapiary/linux"],
    // Without the paths of the project's own, by which "mapiary" is the sources.
    tsconfigRaw: {},
    logLevel: "warning",
  });
}

function run(command: string, args: readonly string[]): void {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd: join(BENCH, ".."), encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${error ?? `${stdout}${stderr}`}`);
}

/** Compiles a peer in C, `peer.c` say. Answers where it is, or why there is none. */
export function buildC(source: string): { readonly program: string } | { readonly absent: string } {
  if (process.platform !== "linux") return { absent: "only Linux has bpf(2)" };
  const program = join(BUILD, source.replace(/\.c$/, "").replace("/", "-"));
  const { error, status, stderr } = spawnSync("cc", ["-O2", "-o", program, join(BENCH, source), "-lbpf"], {
    encoding: "utf8",
  });
  if (error !== undefined) return { absent: "there is no C compiler `cc`" };
  if (status === 0) return { program };
  const reason = stderr.split("\n").find((line) => line.includes("error"));
  return { absent: `it does not compile, for which libbpf's headers are needed (${reason?.trim() ?? stderr.trim()})` };
}

/** Whether a peer from npm is installed. */
export function isInstalled(name: string): boolean {
  return existsSync(join(BENCH, "node_modules", name, "package.json"));
}

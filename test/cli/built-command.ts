import { mkdirSync, mkdtempSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync, type Metafile } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../..");

/** The command as people have it: bundled, in a directory that is to be removed. */
export interface BuiltCommand {
  readonly directory: string;
  /** The file that Node runs. */
  readonly cli: string;
  readonly built: Metafile;
}

/** Builds the command, inside the repository, so that the bundle finds koffi. */
export function buildCommand(): BuiltCommand {
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  const directory = mkdtempSync(join(ROOT, ".tmp/cli-"));
  const { metafile } = buildSync({
    entryPoints: [join(ROOT, "src/cli/cli.ts")],
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "node",
    packages: "external",
    target: "es2022",
    outdir: directory,
    metafile: true,
    logLevel: "error",
  });
  return { directory, cli: join(directory, "cli.js"), built: metafile };
}

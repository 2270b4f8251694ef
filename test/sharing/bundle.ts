import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../..");

/** A program for Node without tsx, which would take longer to begin than some of them live, and not begin in threads. */
export interface Bundle {
  readonly file: string;
  remove(): void;
}

/** Makes a program of a module beside this file, with all that it imports of `src/`. */
export async function bundle(module: string): Promise<Bundle> {
  mkdirSync(join(ROOT, ".tmp"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".tmp/bundle-"));
  const file = join(folder, `${basename(module, ".ts")}.js`);
  await build({
    entryPoints: [join(import.meta.dirname, module)],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2022",
    packages: "external",
    alias: { mapiary: join(ROOT, "src/index.ts") },
    logLevel: "error",
  });
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}

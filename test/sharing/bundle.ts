import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";

const ROOT = resolve(import.meta.dirname, "../..");

/** A program for Node without tsx, which would take longer to begin than some of them live, and not begin in threads. */
export interface Bundle {
  readonly file: string;
  remove(): void;
}

/** Has code made for the commands of maps when they are first called: what lives for a moment would never get so far. */
const HOT: Plugin = {
  name: "hot",
  setup({ onLoad }) {
    onLoad({ filter: /prepared-elements\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace(/HOT_CALLS = [\d_]+/, "HOT_CALLS = 1");
      if (contents === source) throw new Error(`${path} does not say after how many calls code is made`);
      return { contents, loader: "ts" };
    });
  },
};

/** Makes a program of a module beside this file, with all that it imports of `src/`, in which all commands are called often. */
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
    plugins: [HOT],
  });
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}

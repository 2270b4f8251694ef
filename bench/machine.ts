import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** What the numbers were measured on, and with. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** How many programs wanted a CPU in the minute before, on average. */
  readonly load: number;
  readonly node: string;
  /** Versions of mapiary and of the packages that take part. */
  readonly packages: Readonly<Record<string, string>>;
  readonly date: string;
}

export function machine(): Machine {
  const processors = cpus();
  return {
    cpu: (processors[0]?.model ?? "unknown").trim(),
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release().split("-")[0]}`,
    load: loadavg()[0] ?? 0,
    node: process.version,
    packages: versions({
      mapiary: "../package.json",
      koffi: "../node_modules/koffi/package.json",
      bpf: "./node_modules/bpf/package.json",
    }),
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The versions of those packages that are there. */
function versions(places: Readonly<Record<string, string>>): Record<string, string> {
  const path = createRequire(import.meta.url).resolve;
  const found: Record<string, string> = {};
  for (const [name, place] of Object.entries(places)) {
    try {
      found[name] = (JSON.parse(readFileSync(path(place), "utf8")) as { version: string }).version;
    } catch {
      // A peer that is not installed has no version to tell; the roster says so.
    }
  }
  return found;
}

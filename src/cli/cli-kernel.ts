import { readFileSync } from "node:fs";
import type { Kernel } from "../kernel/kernel.ts";
import { MapContext } from "../maps/map-context.ts";
import { Sys } from "../sys/sys.ts";
import { CliError } from "./cli-error.ts";
import { suggestion } from "./words.ts";

/** The kernels that a command line can name. */
export type KernelName = Kernel["name"];

const NAMES: readonly KernelName[] = ["embedded", "linux"];

/** Where programs find the BPF filesystem. */
const BPFFS = "/sys/fs/bpf";

/** A kernel as commands see it. */
export interface CliKernel {
  readonly name: KernelName;
  readonly kernel: Kernel;
  /** Its commands. */
  readonly sys: Sys;
  /** For what reads and writes maps in batches. */
  readonly context: MapContext;
  /** What it is, in a few words: `the running Linux kernel`. */
  readonly description: string;
  /** What the person should know before relying on it. */
  readonly notice?: string;
  /** Where BPF filesystems are mounted. */
  mounts(): string[];
  /** The path that a word names. */
  pathOf(word: string): string;
  /** Closes what is still open. */
  close(): void;
}

/** Makes a kernel one that commands see. */
export function cliKernel(kernel: Kernel, description: string, notice?: string): CliKernel {
  const isLinux = kernel.name === "linux";
  const sys = new Sys(kernel);
  return {
    name: kernel.name,
    kernel,
    sys,
    context: new MapContext(kernel, sys),
    description,
    ...(notice === undefined ? {} : { notice }),
    mounts: isLinux ? linuxMounts : () => [BPFFS],
    // The embedded kernel has no current directory of its own, so a name alone is one in its BPF filesystem.
    pathOf: (word) => (isLinux || word.startsWith("/") ? word : `${BPFFS}/${word}`),
    close: () => kernel.release(),
  };
}

/** The kernel that a name, or the beginning of one, stands for. Throws for one that is none. */
export function kernelName(name: string): KernelName {
  const found = NAMES.find((each) => each.startsWith(name) && name !== "");
  if (found !== undefined) return found;
  throw new CliError(`there is no kernel '${name}'`, { hint: suggestion(name, NAMES) });
}

function linuxMounts(): string[] {
  const lines = readFileSync("/proc/mounts", "utf8").split("\n");
  const mounts = lines.map((line) => line.split(" ")).filter(([, , type]) => type === "bpf");
  // A space in a path is written as \040.
  return mounts.map(([, path = ""]) =>
    path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8))),
  );
}

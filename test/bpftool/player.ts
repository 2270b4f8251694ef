import { spawnSync } from "node:child_process";
import { type Answer, commandLine, embeddedKernel } from "../cli/command-line.ts";

/** Somebody who runs command lines. */
export interface Player {
  /** A directory of a BPF filesystem of its own. */
  readonly bpffs: string;
  /** What the names of its maps begin with: three characters. */
  readonly prefix: string;
  run(argv: readonly string[]): Promise<Answer>;
}

/** Debian's bpftool, one process a command line. */
export function bpftool(bpffs: string, prefix: string): Player {
  return {
    bpffs,
    prefix,
    run(argv) {
      // With -n, which keeps it from mounting a BPF filesystem over whatever directory a mistake names.
      const { status, stdout, stderr } = spawnSync("bpftool", ["-n", ...argv], { encoding: "utf8" });
      return Promise.resolve({ exitCode: status ?? -1, stdout, stderr });
    },
  };
}

/** mapiary, in this process, on the running kernel. */
export function onLinuxKernel(bpffs: string, prefix: string): Player {
  const run = commandLine();
  return { bpffs, prefix, run: (argv) => run(["--kernel", "linux", ...argv]) };
}

/** mapiary, in this process, on one embedded kernel. */
export function onEmbeddedKernel(prefix: string, possibleCpus: number): Player {
  const run = commandLine(embeddedKernel(possibleCpus));
  return { bpffs: "/sys/fs/bpf", prefix, run };
}

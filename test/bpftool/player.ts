import { spawnSync } from "node:child_process";
import { type CliKernel, cliKernel } from "../../src/cli/cli-kernel.ts";
import { main } from "../../src/cli/main.ts";
import type { OutputStream } from "../../src/cli/output/stream.ts";
import { EmbeddedKernel } from "../../src/kernel/embedded/embedded-kernel.ts";
import { LinuxKernel } from "../../src/kernel/linux/linux-kernel.ts";

/** What a command line answered. */
export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody who runs command lines. */
export interface Player {
  readonly name: string;
  /** A directory of a BPF filesystem of its own. */
  readonly bpffs: string;
  /** What the names of its maps begin with: three characters. */
  readonly prefix: string;
  run(argv: readonly string[]): Promise<Answer>;
}

/** Debian's bpftool, one process a command line. */
export function bpftool(bpffs: string, prefix: string): Player {
  return {
    name: "bpftool",
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
  return mapiary(() => cliKernel(new LinuxKernel(), "the running kernel"), bpffs, prefix);
}

/** mapiary, in this process, on one embedded kernel. */
export function onEmbeddedKernel(prefix: string, possibleCpus: number): Player {
  const kernel = cliKernel(new EmbeddedKernel({ possibleCpus }), "the embedded kernel");
  return mapiary(() => ({ ...kernel, close: () => {} }), "/sys/fs/bpf", prefix);
}

function mapiary(open: () => CliKernel, bpffs: string, prefix: string): Player {
  return {
    name: `mapiary on ${bpffs}`,
    bpffs,
    prefix,
    async run(argv) {
      const results = new Recorder();
      const complaints = new Recorder();
      const world = {
        env: {},
        openKernel: () => Promise.resolve(open()),
        stdin: () => [],
      };
      const exitCode = await main(argv, world, { results, complaints });
      return { exitCode, stdout: results.text, stderr: complaints.text };
    },
  };
}

/** An output stream that keeps what is written. */
class Recorder implements OutputStream {
  readonly isTTY = false;
  readonly columns = 80;
  readonly rows = 24;
  text = "";

  write(text: string): void {
    this.text += text;
  }
}

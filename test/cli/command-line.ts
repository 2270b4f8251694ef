import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
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

/** Runs a command line: words, or a text that is split at its spaces. */
export type Run = (line: string | readonly string[], options?: RunOptions) => Promise<Answer>;

/** What a command line may find in its world. */
interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the output is a terminal. */
  readonly isTTY?: boolean;
  /** What happens while the command sleeps; a second takes no time. */
  readonly meanwhile?: () => Promise<void>;
}

/** Command lines in this process, on kernels that outlive them. Each opens its own, as a process would, unless `embedded` is given. */
export function commandLine(embedded: CliKernel = embeddedKernel()): Run {
  const state = mkdtempSync(join(tmpdir(), "mapiary-state-"));
  after(() => rmSync(state, { recursive: true }));
  return async (line, { stdin = "", env = {}, isTTY = false, meanwhile = async () => {} } = {}) => {
    let time = 0;
    const results = new Recorder(isTTY);
    const complaints = new Recorder(isTTY);
    const world = {
      env: { XDG_STATE_HOME: state, ...env },
      openKernel: (name: CliKernel["name"]) => Promise.resolve(name === "linux" ? linuxKernel() : embedded),
      stdin: () => [Buffer.from(stdin)],
      now: () => time,
      sleep: async (milliseconds: number) => {
        time += milliseconds;
        await meanwhile();
      },
    };
    const argv = typeof line === "string" ? line.split(" ") : line;
    const exitCode = await main(argv, world, { results, complaints });
    return { exitCode, stdout: results.text, stderr: complaints.text };
  };
}

/** An embedded kernel that stays open when a command line is done with it. */
export function embeddedKernel(possibleCpus = 2): CliKernel {
  const kernel = cliKernel(new EmbeddedKernel({ possibleCpus }), "the embedded kernel");
  return { ...kernel, close: () => {} };
}

function linuxKernel(): CliKernel {
  return cliKernel(new LinuxKernel(), "the running Linux kernel");
}

/** An output stream that keeps what is written. */
class Recorder implements OutputStream {
  readonly isTTY: boolean;
  readonly columns = 80;
  readonly rows = 24;
  text = "";

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

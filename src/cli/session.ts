import type { CliKernel, KernelName } from "./cli-kernel.ts";
import type { Options } from "./options.ts";
import type { Output } from "./output/output.ts";
import type { Words } from "./words.ts";

/** What a command line runs in: the process, or what a test has in its place. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens a kernel, with room for maps that are made where that is meant. It is the caller's to release. */
  openKernel(name: KernelName, bpffs: string | undefined, makesMaps: boolean): Promise<CliKernel>;
  /** Milliseconds from some moment on. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** The bytes of standard input, piece by piece. */
  stdin(): Iterable<Uint8Array>;
}

/** One command line on its way: its options, its output and the kernels it uses. */
export interface Session {
  readonly world: World;
  readonly options: Options;
  readonly output: Output;
  /** The kernel of a name, opened once; without a name, that of the command line. */
  kernel(name?: KernelName): Promise<CliKernel>;
  /** Runs another command line inside this one, and answers what it would end with; what is wrong with it is said. */
  run(argv: readonly string[]): Promise<number>;
}

/** A command: reads the rest of its words, and answers what the process ends with. Throws a `CliError` for a mistake. */
export type Command = (words: Words, session: Session) => Promise<number>;

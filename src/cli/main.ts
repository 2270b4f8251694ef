import { CliError } from "./cli-error.ts";
import { type CliKernel, type KernelName, kernelName } from "./cli-kernel.ts";
import { MAP_USAGE } from "./map-usage.ts";
import { type Arguments, OptionError, type Options, parseArguments } from "./options.ts";
import { Output } from "./output/output.ts";
import { ClosedPipe, type OutputStream } from "./output/stream.ts";
import { run } from "./run.ts";
import type { Session, World } from "./session.ts";
import { isPrefix, Words } from "./words.ts";

/** What a shell sees of a process that SIGPIPE ended. */
const SIGPIPE_STATUS = 141;

/** Runs one command line, and answers what the process ends with. Never throws for what a person may do wrong. */
export async function main(
  argv: readonly string[],
  world: World,
  streams: { readonly results: OutputStream; readonly complaints: OutputStream },
): Promise<number> {
  const parsed = parse(argv);
  const { options } = parsed;
  const output = new Output(streams.results, streams.complaints, { isJson: options.json, isPretty: options.pretty });
  const session = new CommandLine(world, options, output);
  try {
    const exitCode = await session.answer(parsed.error ?? parsed);
    output.flush();
    return exitCode;
  } catch (error) {
    if (error instanceof ClosedPipe) return SIGPIPE_STATUS;
    throw error;
  } finally {
    await session.release();
  }
}

/** The options and words of a command line; for an option that is none, those before it and the complaint. */
function parse(argv: readonly string[]): Arguments & { readonly error?: OptionError } {
  try {
    return parseArguments(argv);
  } catch (error) {
    if (error instanceof OptionError) return { options: error.options, words: [], error };
    throw error;
  }
}

/** Whether a command line may make maps, and needs room for them: all but the commands that only use some. */
function makesMaps([object = "", command]: readonly string[]): boolean {
  const name = MAP_USAGE.find((usage) => isPrefix(command ?? "", usage.name))?.name;
  return !"map".startsWith(object) || object === "" || name === undefined || name === "create" || name === "copy";
}

/** `-V` and `-h` are commands in other clothes. */
function wordsOf({ words, options }: Arguments): readonly string[] {
  if (options.version) return ["version"];
  if (!options.help) return words;
  return words[0] !== undefined && "map".startsWith(words[0]) ? ["map", "help"] : ["help"];
}

/** What is told to the person; an error that is nobody's mistake but mapiary's is thrown on. */
function complaintOf(error: unknown): CliError {
  if (error instanceof CliError) return error;
  throw error;
}

/** The session of one command line, with the kernels that it opens. */
class CommandLine implements Session {
  readonly world: World;
  readonly options: Options;
  readonly output: Output;
  readonly #kernels: Map<KernelName, Promise<CliKernel>>;
  #makesMaps = true;

  constructor(world: World, options: Options, output: Output, kernels = new Map<KernelName, Promise<CliKernel>>()) {
    this.world = world;
    this.options = options;
    this.output = output;
    this.#kernels = kernels;
  }

  kernel(name?: KernelName): Promise<CliKernel> {
    const { options, world } = this;
    const chosen = name ?? kernelName(options.kernel ?? world.env["MAPIARY_KERNEL"] ?? "embedded");
    const kernel = this.#kernels.get(chosen) ?? this.#open(chosen, options.bpffs ?? world.env["MAPIARY_BPFFS"]);
    this.#kernels.set(chosen, kernel);
    return kernel;
  }

  async #open(name: KernelName, bpffs: string | undefined): Promise<CliKernel> {
    const kernel = await this.world.openKernel(name, bpffs, this.#makesMaps);
    if (kernel.notice !== undefined) this.output.note(kernel.notice);
    return kernel;
  }

  async run(argv: readonly string[]): Promise<number> {
    try {
      const parsed = parseArguments(argv, this.options);
      const inner = new CommandLine(this.world, parsed.options, this.output, this.#kernels);
      return await run(new Words(wordsOf(parsed)), inner);
    } catch (error) {
      return this.complain(error);
    }
  }

  /** Runs the command line itself. */
  async answer(parsed: Arguments | OptionError): Promise<number> {
    try {
      if (parsed instanceof OptionError) throw parsed;
      this.#makesMaps = makesMaps(wordsOf(parsed));
      return await run(new Words(wordsOf(parsed)), this);
    } catch (error) {
      this.output.json.endAll();
      return this.complain(error);
    }
  }

  /** Says what went wrong, and answers what the process ends with. */
  complain(error: unknown): number {
    const complaint = complaintOf(error);
    this.output.error(complaint);
    return complaint.exitCode;
  }

  async release(): Promise<void> {
    for (const kernel of await Promise.allSettled(this.#kernels.values())) {
      if (kernel.status === "fulfilled") kernel.value.close();
    }
  }
}

import { inspect } from "node:util";
import { type Bpf, BpfError } from "mapiary";

/** One call on a step's maps, and what came back from Linux. */
export interface Call<Given> {
  /** What the call is about, when that is not plain. */
  readonly comment?: string;
  /** The call as a user writes it. */
  readonly code: string;
  /** What Linux 6.18 answered, in the words of `answerOf`; not given when a call has nothing to answer but that it is done. */
  readonly answer?: string;
  /** Exactly what `code` shows. */
  readonly run: (given: Given) => unknown;
}

/** What a step is made of: one command of `bpf(2)`, and calls that show it. */
export interface StepParts<Given> {
  /** The command's name in C. */
  readonly command: string;
  /** What it does, in a sentence. */
  readonly does: string;
  /** What is there when the step begins, in words. */
  readonly given: string;
  /** Whether the step pins maps, in a directory that is its own. */
  readonly pins?: boolean;
  /** Makes what is given. The directory is the one for pins. */
  readonly begin: (bpf: Bpf, directory: string) => Given;
  readonly calls: readonly Call<Given>[];
}

/** A step that is ready to run on any kernel. */
export interface Step {
  readonly command: string;
  readonly does: string;
  readonly given: string;
  readonly pins: boolean;
  readonly calls: readonly Call<never>[];
  /** Makes the calls one after another, and says what came back from each. Throws when what is given cannot be made. */
  play(bpf: Bpf, directory: string): string[];
}

export function step<Given>(parts: StepParts<Given>): Step {
  const { command, does, given, pins = false, begin, calls } = parts;
  return {
    command,
    does,
    given,
    pins,
    calls,
    play(bpf, directory) {
      try {
        const made = begin(bpf, directory);
        return calls.map((call) => answerOf(call, made));
      } finally {
        if (pins) for (const name of bpf.bpffs.readdir(directory)) bpf.bpffs.unlink(`${directory}/${name}`);
      }
    },
  };
}

/** What Linux 6.18 answered to a call. */
export function recordedAnswer(call: Pick<Call<never>, "answer">): string {
  return call.answer ?? "done";
}

function answerOf<Given>(call: Call<Given>, given: Given): string {
  try {
    const value = call.run(given);
    return call.answer === undefined ? "done" : inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (error instanceof BpfError) return `throws ${error.code}`;
    return `throws ${error instanceof Error ? error.name : String(error)}`;
  }
}

import { painter, type Style, wrap } from "./terminal.ts";
import { type Call, recordedAnswer, type Step } from "./tour-step.ts";

/** What came back from a step, on the embedded kernel and from what it is compared with. */
export interface StepResult {
  readonly step: Step;
  /** The answers of the embedded kernel, one for each call. */
  readonly embedded: readonly string[];
  /** Those of the running kernel; without them what is recorded of Linux 6.18 counts. */
  readonly linux?: readonly string[];
  /** Why the running kernel was asked other steps, but not this one. */
  readonly notAsked?: string;
}

/** Everything that the tour has to tell. */
export interface TourResult {
  /** Each kernel that was asked and what it is, and each that was not and why: `["linux", "…"]`. */
  readonly kernels: readonly (readonly [name: string, description: string])[];
  readonly steps: readonly StepResult[];
}

/** One call and its two answers. */
interface Comparison {
  readonly call: Call<never>;
  readonly embedded: string;
  readonly other: string;
}

const INDENT = "   ";
/** The room for an answer in a column of its own. */
const ANSWER_WIDTH = 18;

function comparisonsOf({ step, embedded, linux }: StepResult): Comparison[] {
  return step.calls.map((call, index) => ({
    call,
    embedded: embedded[index] ?? "",
    other: linux === undefined ? recordedAnswer(call) : (linux[index] ?? ""),
  }));
}

/** How many answers there were, and how many of them agreed. */
export function tally({ steps }: TourResult): { readonly answers: number; readonly agreed: number } {
  const comparisons = steps.flatMap(comparisonsOf);
  return { answers: comparisons.length, agreed: comparisons.filter(agrees).length };
}

/** The tour as text, for a person to read. */
export function tourPage(result: TourResult, style: Style): string {
  const page = new TourPage(style);
  return [
    ...page.opening(result),
    ...result.steps.flatMap((step, index) => page.step(step, index + 1, result.steps.length)),
    ...page.ending(result),
    "",
  ].join("\n");
}

class TourPage {
  readonly #width: number;
  readonly #rule: string;
  readonly #marks: { readonly same: string; readonly different: string };
  readonly #hasBoxes: boolean;
  readonly #paint: ReturnType<typeof painter>;

  constructor(style: Style) {
    this.#width = style.width;
    this.#hasBoxes = style.hasBoxes;
    this.#rule = style.hasBoxes ? "─" : "-";
    this.#marks = style.hasBoxes ? { same: "✓", different: "✗" } : { same: "same", different: "DIFFERENT" };
    this.#paint = painter(style);
  }

  opening({ kernels }: TourResult): string[] {
    const title = "mapiary: the twelve commands of bpf(2) on eBPF maps";
    const nameWidth = Math.max(...kernels.map(([name]) => name.length)) + 3;
    const lines = kernels.flatMap(([name, description]) => {
      const [first, ...rest] = wrap(description, this.#width - INDENT.length - nameWidth);
      const indent = INDENT + " ".repeat(nameWidth);
      return [`${INDENT}${this.#paint("bold", name.padEnd(nameWidth))}${first}`, ...rest.map((line) => indent + line)];
    });
    return [...this.#boxed(title), "", ...lines];
  }

  step(result: StepResult, number: number, of: number): string[] {
    const { step } = result;
    const other = result.linux === undefined ? "recorded" : "linux";
    return [
      "",
      this.#heading(`${number} of ${of}`, step.command),
      ...this.#prose(step.does),
      ...this.#comment(step.given),
      ...(result.notAsked === undefined ? [] : this.#prose(`Linux is not asked: ${result.notAsked}`)),
      "",
      this.#columnTitles(other),
      ...comparisonsOf(result).flatMap((comparison) => this.#comparison(comparison, other)),
    ];
  }

  ending(result: TourResult): string[] {
    const { answers, agreed } = tally(result);
    const text = `${agreed} of ${answers} results of the embedded kernel agree with ${comparedWith(result)}.`;
    const differing = result.steps.filter((step) => !comparisonsOf(step).every(agrees));
    const where =
      differing.length === 0 ? "" : ` They differ in ${differing.map(({ step }) => step.command).join(", ")}.`;
    const paint = agreed === answers ? "green" : "red";
    return [
      "",
      this.#rule.repeat(this.#width),
      ...wrap(text + where, this.#width).map((line) => this.#paint(paint, line)),
    ];
  }

  #boxed(title: string): string[] {
    if (!this.#hasBoxes) return [title];
    const inside = this.#width - 4;
    const bar = "─".repeat(inside + 2);
    return [`╭${bar}╮`, `│ ${this.#paint("bold", title.padEnd(inside))} │`, `╰${bar}╯`];
  }

  #heading(number: string, command: string): string {
    const line = this.#rule.repeat(2);
    const rest = this.#rule.repeat(Math.max(2, this.#width - number.length - command.length - 5));
    return `${line} ${number} ${this.#paint("bold", this.#paint("cyan", command))} ${rest}`;
  }

  #prose(text: string): string[] {
    return wrap(text, this.#width - INDENT.length).map((line) => INDENT + line);
  }

  #comment(text: string): string[] {
    const lines = wrap(text, this.#width - INDENT.length - "// ".length);
    return lines.map((line) => INDENT + this.#paint("dim", `// ${line}`));
  }

  get #codeWidth(): number {
    return this.#width - INDENT.length - 2 * ANSWER_WIDTH - this.#marks.same.length;
  }

  #columnTitles(other: string): string {
    const titles = "embedded".padEnd(ANSWER_WIDTH) + other;
    return INDENT + " ".repeat(this.#codeWidth) + this.#paint("dim", titles);
  }

  /** A call and its answers: beside it, or below it when it is long, or one below the other when they are. */
  #comparison(comparison: Comparison, other: string): string[] {
    const { call } = comparison;
    const lines = call.code.split("\n");
    const last = lines.at(-1) ?? "";
    const comment = call.comment === undefined ? [] : this.#comment(call.comment);
    const code = [...comment, ...lines.map((line) => INDENT + line)];
    if (!this.#fitsColumns(comparison)) return [...code, ...this.#answersBelow(comparison, other)];
    const answers = this.#answersBeside(comparison);
    if (last.length + 2 > this.#codeWidth) return [...code, INDENT + " ".repeat(this.#codeWidth) + answers];
    return [...code.slice(0, -1), INDENT + last.padEnd(this.#codeWidth) + answers];
  }

  #fitsColumns({ embedded, other }: Comparison): boolean {
    return embedded === other && embedded.length < ANSWER_WIDTH;
  }

  #answersBeside(comparison: Comparison): string {
    const { embedded, other } = comparison;
    return (
      this.#answer(embedded.padEnd(ANSWER_WIDTH)) + this.#answer(other.padEnd(ANSWER_WIDTH)) + this.#mark(comparison)
    );
  }

  #answersBelow(comparison: Comparison, other: string): string[] {
    const titleWidth = "embedded".length + 2;
    const title = (text: string) => INDENT + INDENT + this.#paint("dim", text.padEnd(titleWidth));
    const room = this.#width - 2 * INDENT.length - titleWidth - this.#marks.same.length;
    return [
      title("embedded") + this.#answer(comparison.embedded),
      title(other) + this.#answer(comparison.other.padEnd(room)) + this.#mark(comparison),
    ];
  }

  #answer(text: string): string {
    return text.startsWith("throws ") ? this.#paint("yellow", text) : text;
  }

  #mark(comparison: Comparison): string {
    return agrees(comparison) ? this.#paint("green", this.#marks.same) : this.#paint("red", this.#marks.different);
  }
}

/** Whose answers the embedded kernel's were compared with, and how many, where it is not one for all. */
function comparedWith({ steps }: TourResult): string {
  const live = steps.filter(({ linux }) => linux !== undefined).flatMap(comparisonsOf).length;
  const recorded = steps.flatMap(comparisonsOf).length - live;
  const [running, record] = ["the running Linux kernel", "what Linux 6.18 answered to the same calls"];
  if (recorded === 0) return running;
  return live === 0 ? record : `${running} (${live}) or ${record} (${recorded})`;
}

function agrees({ embedded, other }: Comparison): boolean {
  return embedded === other;
}

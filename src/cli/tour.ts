/**
 * The tour: every command of `bpf(2)` on maps, on the embedded kernel and, where it may be used, on the running Linux
 * kernel beside it.
 */
import { BpfError } from "mapiary";
import { linux } from "mapiary/linux";
import { styleOf } from "./terminal.ts";
import { embeddedKernel, linuxKernel, type TourKernel } from "./tour-kernels.ts";
import { type StepResult, type TourResult, tally, tourPage } from "./tour-page.ts";
import type { Step } from "./tour-step.ts";
import { STEPS } from "./tour-steps.ts";

/** What the tour is written to. */
interface TourOutput {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/** Takes the tour. Answers 0 when both kernels answered alike, and 1 when they did not. */
export function takeTour(asksLinux: boolean, output: TourOutput, env: NodeJS.ProcessEnv): number {
  const result = tour(asksLinux ? linux.unavailableReason() : "--kernel embedded leaves it alone");
  output.write(tourPage(result, styleOf(output, env)));
  const { answers, agreed } = tally(result);
  return agreed === answers ? 0 : 1;
}

function tour(noLinux: string | undefined): TourResult {
  using embedded = embeddedKernel();
  using running = noLinux === undefined ? linuxKernel() : undefined;
  return {
    kernels: [["embedded", embedded.description], ...comparedWith(running, noLinux)],
    steps: STEPS.map((step) => play(step, embedded, running)),
  };
}

function comparedWith(running: TourKernel | undefined, noLinux: string | undefined): TourResult["kernels"] {
  if (running !== undefined) return [["linux", running.description]];
  return [
    ["linux", `not asked: ${noLinux}`],
    ["recorded", "what Linux 6.18 answered to the same calls"],
  ];
}

function play(step: Step, embedded: TourKernel, running: TourKernel | undefined): StepResult {
  const answers = step.play(embedded.bpf, directoryOf(embedded));
  return { step, embedded: answers, ...(running === undefined ? {} : ask(step, running)) };
}

/** The answers of the running kernel, or why it could not be asked: some maps need more privileges than others. */
function ask(step: Step, running: TourKernel): Pick<StepResult, "linux" | "notAsked"> {
  if (step.pins && "missing" in running.pins) return { notAsked: running.pins.missing };
  try {
    return { linux: step.play(running.bpf, directoryOf(running)) };
  } catch (error) {
    if (error instanceof BpfError && error.code === "EPERM") return { notAsked: error.message };
    throw error;
  }
}

function directoryOf({ pins }: TourKernel): string {
  return "directory" in pins ? pins.directory : "";
}

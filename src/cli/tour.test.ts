import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { onLinux } from "../../test/kernels.ts";
import { styleOf } from "./terminal.ts";
import { type StepResult, tally, tourPage } from "./tour-page.ts";
import { recordedAnswer } from "./tour-step.ts";
import { STEPS } from "./tour-steps.ts";

const ESC = "\x1b";
const CLI = resolve(import.meta.dirname, "cli.ts");

/** The commands on maps, in the order of their numbers in the documentation. */
const COMMANDS = [
  "BPF_MAP_CREATE",
  "BPF_MAP_UPDATE_ELEM",
  "BPF_MAP_LOOKUP_ELEM",
  "BPF_MAP_DELETE_ELEM",
  "BPF_MAP_LOOKUP_AND_DELETE_ELEM",
  "BPF_MAP_GET_NEXT_KEY",
  "BPF_MAP_LOOKUP_BATCH",
  "BPF_MAP_UPDATE_BATCH",
  "BPF_MAP_DELETE_BATCH",
  "BPF_MAP_FREEZE",
  "BPF_OBJ_PIN",
  "BPF_OBJ_GET",
];

const CALLS = STEPS.flatMap(({ calls }) => calls);
const ALL_AGREE = `${CALLS.length} of ${CALLS.length} results of the embedded kernel agree`;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Takes the tour in a process of its own, whose output is a pipe. */
function takeTour(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  return new Promise((done) => {
    const options = { env: { ...inherited, ...env }, timeout: 60_000 };
    execFile(process.execPath, ["--import", "tsx", CLI, "tour", ...args], options, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function commandsIn(page: string): string[] {
  return [...page.matchAll(/^-- \d+ of 12 (\w+) -+$/gm)].map(([, command = ""]) => command);
}

describe("the tour", () => {
  test("on the embedded kernel alone shows all twelve commands, and all answers are Linux's", async () => {
    const { code, stdout, stderr } = await takeTour(["--kernel", "embedded"]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.deepEqual(commandsIn(stdout), COMMANDS);
    assert.match(stdout, /^ {3}linux +not asked: --kernel embedded leaves it alone$/m);
    assert.match(stdout, new RegExp(`^${ALL_AGREE} with what\\s+Linux 6.18`, "m"));
    assert.doesNotMatch(stdout, /DIFFERENT/);
  });

  onLinux(() => {
    test("asks the running Linux kernel the same, and all answers agree", async () => {
      const { code, stdout, stderr } = await takeTour();
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
      assert.deepEqual(commandsIn(stdout), COMMANDS);
      assert.match(stdout, /^ {3}linux +Linux \d/m);
      assert.doesNotMatch(stdout, /recorded|not asked|DIFFERENT/);
      assert.match(stdout, new RegExp(`^${ALL_AGREE} with the\\s+running`, "m"));
    });
  });

  test("is plain text where there is no terminal, no wider than 80 characters", async () => {
    const { stdout } = await takeTour();
    assert.doesNotMatch(stdout, /[─│✓✗]/);
    assert.ok(!stdout.includes(ESC));
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.length > 80),
      [],
    );
  });

  test("has colours where FORCE_COLOR asks for them", async () => {
    const { stdout } = await takeTour(["--kernel", "embedded"], { FORCE_COLOR: "1" });
    assert.ok(stdout.includes(`${ESC}[32msame${ESC}[39m`));
  });
});

describe("the page of the tour", () => {
  const style = { hasColour: false, hasBoxes: false, width: 80 };
  const steps: StepResult[] = STEPS.map((step) => ({
    step,
    embedded: step.calls.map(recordedAnswer),
  }));

  test("says where answers differ", () => {
    const [first, ...others] = steps as [StepResult, ...StepResult[]];
    const linux = first.embedded.with(0, "[ 1 ]");
    const result = { kernels: [["embedded", "here"]] as const, steps: [{ ...first, linux }, ...others] };
    const page = tourPage(result, style);
    assert.match(page, /embedded {2}\[\]\n +linux +\[ 1 \] +DIFFERENT\n/);
    assert.match(page, /They differ in\s+BPF_MAP_CREATE\./);
    assert.deepEqual(tally(result), { answers: CALLS.length, agreed: CALLS.length - 1 });
  });

  test("says what Linux was not asked, and why", () => {
    const asked = steps.map(({ step, embedded }) =>
      step.pins ? { step, embedded, notAsked: "no." } : { step, embedded, linux: embedded },
    );
    const page = tourPage({ kernels: [["embedded", "here"]], steps: asked }, style);
    assert.equal(page.match(/^ {3}Linux is not asked: no\.$/gm)?.length, 2);
    const text = page.replace(/\s+/g, " ");
    assert.match(text, /agree with the running Linux kernel \(\d+\) or what Linux 6\.18 answered .* \(\d+\)\./);
  });

  test("draws boxes on a terminal, as wide as it is", () => {
    const page = tourPage({ kernels: [["embedded", "here"]], steps }, { ...style, hasBoxes: true, width: 70 });
    assert.match(page, /^╭─{68}╮\n│ mapiary.{60}│\n/);
    assert.match(page, /^─{70}$/m);
  });
});

describe("the style of an output", () => {
  const terminal = { isTTY: true, columns: 90 };
  const pipe = { isTTY: false, columns: 0 };

  test("is coloured on a terminal alone", () => {
    assert.deepEqual(styleOf(terminal, {}), { hasColour: true, hasBoxes: true, width: 90 });
    assert.deepEqual(styleOf(pipe, {}), { hasColour: false, hasBoxes: false, width: 80 });
    assert.equal(styleOf(terminal, { TERM: "dumb" }).hasColour, false);
  });

  test("heeds NO_COLOR, and FORCE_COLOR before it", () => {
    assert.equal(styleOf(terminal, { NO_COLOR: "1" }).hasColour, false);
    assert.equal(styleOf(terminal, { NO_COLOR: "" }).hasColour, true);
    assert.equal(styleOf(pipe, { FORCE_COLOR: "1", NO_COLOR: "1" }).hasColour, true);
    assert.equal(styleOf(terminal, { FORCE_COLOR: "0" }).hasColour, false);
  });

  test("is readable on terminals of any width", () => {
    assert.equal(styleOf({ isTTY: true, columns: 20 }, {}).width, 60);
    assert.equal(styleOf({ isTTY: true, columns: 300 }, {}).width, 100);
    assert.equal(styleOf({ isTTY: true, columns: 0 }, {}).width, 80);
  });
});

describe("the steps of the tour", () => {
  /** Code without what formatting and destructuring add. */
  const bare = (code: string) => code.replace(/\breturn\b|\s|;/g, "").replace(/,(?=[\])}])/g, "");

  test("run the very code that they show", () => {
    for (const { code, run } of CALLS) assert.ok(bare(String(run)).includes(bare(code)), `${code}\nruns ${run}`);
  });
});

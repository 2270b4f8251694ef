import type { WriteStream } from "node:tty";

/** What may be written to an output: colours, box drawing, and how many characters fit on a line. */
export interface Style {
  readonly hasColour: boolean;
  readonly hasBoxes: boolean;
  readonly width: number;
}

/** The variables of a process. */
type Environment = Readonly<Record<string, string | undefined>>;

const PLAIN_WIDTH = 80;
const NARROWEST = 60;
const WIDEST = 100;

/**
 * The style of an output: colours and boxes on a terminal, plain text elsewhere. NO_COLOR takes the colours away,
 * FORCE_COLOR gives them even where there is no terminal and beats NO_COLOR, as it does in Node.
 */
export function styleOf(output: Pick<WriteStream, "isTTY" | "columns">, env: Environment): Style {
  const isTerminal = output.isTTY === true;
  return {
    hasColour: wantsColour(isTerminal, env),
    hasBoxes: isTerminal,
    width: isTerminal ? Math.min(Math.max(output.columns || PLAIN_WIDTH, NARROWEST), WIDEST) : PLAIN_WIDTH,
  };
}

function wantsColour(isTerminal: boolean, env: Environment): boolean {
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  return isTerminal && env["TERM"] !== "dumb";
}

// SGR, ECMA-48 8.3.117.
const PAINTS = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** How a piece of text may be painted. */
export type Paint = keyof typeof PAINTS;

/** A function that paints text in a style, or leaves it as it is. */
export function painter({ hasColour }: Pick<Style, "hasColour">): (paint: Paint, text: string) => string {
  if (!hasColour) return (_paint, text) => text;
  return (paint, text) => `\x1b[${PAINTS[paint][0]}m${text}\x1b[${PAINTS[paint][1]}m`;
}

/** Breaks text between words into lines of at most `width` characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

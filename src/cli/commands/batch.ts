import { readFileSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import type { Session } from "../session.ts";
import type { Words } from "../words.ts";

/** `batch file FILE`: the command lines of a file, one after another until one fails. */
export async function batch(words: Words, session: Session): Promise<number> {
  const { output } = session;
  if (words.left < 2) throw new CliError("too few parameters for batch", { hint: "Say which: batch file FILE." });
  if (words.left > 2) throw new CliError("too many parameters for batch", { hint: "One file: batch file FILE." });
  const word = words.peek();
  if (!words.takeIf("file")) throw new CliError(`expected 'file', got: ${word}`);
  const text = read(words.take("a file"), session);
  if (output.isJson) output.json.beginArray();
  let commands = 0;
  let exitCode = 0;
  for (const line of commandLines(text)) {
    const argv = splitLine(line, commands);
    if (argv.length === 0) continue;
    exitCode = await runLine(argv, session);
    if (exitCode !== 0) break;
    commands++;
  }
  if (output.isJson) output.json.end();
  else if (exitCode === 0) output.line(`processed ${commands} commands`);
  return exitCode;
}

async function runLine(argv: readonly string[], session: Session): Promise<number> {
  const { output } = session;
  if (output.isJson) {
    output.json.beginObject();
    output.json.name("command");
    output.json.value([...argv]);
    output.json.name("output");
  }
  const exitCode = await session.run(argv);
  if (output.isJson) output.json.end();
  return exitCode;
}

function read(file: string, { world }: Session): string {
  if (file === "-") return Buffer.concat([...world.stdin()]).toString();
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "No such file or directory" : message;
    throw new CliError(`Can't open file (${file}): ${what}`, { cause: error });
  }
}

/** The lines of a batch file: `#` begins a comment, and a `\` at the end of a line continues it. */
function commandLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/#.*$/, ""));
  const whole: string[] = [];
  let pending = "";
  for (const line of lines) {
    if (line.endsWith("\\")) {
      pending += line.slice(0, -1);
      continue;
    }
    whole.push(pending + line);
    pending = "";
  }
  return pending === "" ? whole : [...whole, pending];
}

/** The words of a line; one that begins with a quote ends at the next. */
function splitLine(line: string, command: number): string[] {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== "") {
    const quote = rest[0];
    const isQuoted = quote === "'" || quote === '"';
    const end = isQuoted ? rest.indexOf(quote, 1) : rest.search(/\s|$/);
    if (end < 0)
      throw new CliError(`unterminated quoted string in command ${command}`, { hint: `It begins at ${rest}.` });
    words.push(rest.slice(isQuoted ? 1 : 0, end));
    rest = rest.slice(end + 1).trimStart();
  }
  return words;
}

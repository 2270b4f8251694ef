import { MAP_TYPE_NAMES } from "../../abi/map-types.ts";
import { MAP_USAGE } from "../map-usage.ts";
import { OPTION_USAGE } from "../option-usage.ts";
import type { Output } from "../output/output.ts";
import type { Session } from "../session.ts";
import { LAYOUT_NAMES } from "../values/layout-syntax.ts";
import type { Words } from "../words.ts";

const WIDTH = 100;

/** `help`: what the command line can do. */
export function help(_words: Words, { output }: Session): Promise<number> {
  return answer(output, () => [
    "Usage: mapiary [OPTIONS] map COMMAND          eBPF maps: mapiary map help",
    "       mapiary [OPTIONS] batch file FILE      command lines from a file, - for standard input",
    "       mapiary types { MAP | FILE [NAME...] } TypeScript of a map, of a .bpf.o or of BTF",
    "       mapiary tour                           the commands of bpf(2) on maps, one by one",
    "       mapiary completion { bash | zsh | fish }",
    "       mapiary version",
    "",
    ...optionLines(),
  ]);
}

/** `map help`. */
export function mapHelp(_words: Words, { output }: Session): Promise<number> {
  return answer(output, () => {
    const width = Math.max(...MAP_USAGE.map(({ name }) => name.length));
    const usage = MAP_USAGE.flatMap(({ name, synopsis, does }, index) => {
      const lead = index === 0 ? "Usage: " : "       ";
      const line = `${lead}mapiary map ${name.padEnd(width)} ${synopsis}`;
      const isShort = line.length < 58;
      return isShort ? [`${line.padEnd(58)}${does}`] : [line, `${" ".repeat(58)}${does}`];
    });
    return [
      ...usage,
      "",
      "       MAP := [embedded | linux] { id MAP_ID | pinned FILE | name MAP_NAME }",
      "       DATA := { [hex] BYTES | WORD }",
      "         BYTES are decimal, 0x hexadecimal or octal; a WORD stands for all of them: 5, 10.0.0.1, 10.0.0.0/8",
      "       VALUE := { DATA | MAP | PROG }    PROG := { id ID | pinned FILE | tag TAG | name NAME }",
      "       UPDATE_FLAGS := { any | exist | noexist }",
      ...wrapped("TYPE", MAP_TYPE_NAMES),
      ...wrapped("LAYOUT", LAYOUT_NAMES),
      "",
      ...optionLines(),
    ];
  });
}

/** The options, those that belong together below each other. */
function optionLines(): string[] {
  const width = Math.max(...OPTION_USAGE.flatMap(({ options }) => options.map(([form]) => form.length)));
  const groups = OPTION_USAGE.flatMap(({ title, options }) => [
    `         ${title}`,
    ...options.map(([form, does]) => `           ${form.padEnd(width)}  ${does}`),
  ]);
  return ["       OPTIONS :=", ...groups];
}

function answer(output: Output, lines: () => readonly string[]): Promise<number> {
  if (output.isJson) output.json.value(null);
  else output.text(`${lines().join("\n")}\n`);
  return Promise.resolve(0);
}

function wrapped(name: string, words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = `       ${name} := {`;
  for (const [index, word] of words.entries()) {
    const part = `${index === 0 ? "" : " |"} ${word}`;
    if (line.length + part.length > WIDTH) {
      lines.push(`${line}${index === 0 ? "" : " |"}`);
      line = `           ${word}`;
    } else {
      line += part;
    }
  }
  return [...lines, `${line} }`];
}

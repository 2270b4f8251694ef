import { errnoCode } from "../../src/abi/errno.ts";
import type { Command } from "./command.ts";
import type { Observation } from "./machine.ts";

/** The first command of a program that showed something else on the two kernels, for a person to read and to paste; `undefined` when all agree. */
export function firstDifference(
  program: readonly Command[],
  embedded: readonly Observation[],
  linux: readonly Observation[],
): string | undefined {
  const at = embedded.findIndex((observation, index) => !isSame(observation, linux[index] ?? []));
  if (at < 0) return undefined;
  const where = at < program.length ? `command ${at + 1} of ${program.length}` : "what was left at the end";
  return [
    `the kernels differ at ${where}`,
    `  embedded: ${show(embedded[at])}`,
    `  linux:    ${show(linux[at])}`,
    "as a line for past-failures.ts:",
    `  { title: "", program: ${JSON.stringify(program)} },`,
  ].join("\n");
}

function isSame(one: Observation, other: Observation): boolean {
  return one.length === other.length && one.every((part, index) => isSamePart(part, other[index]));
}

function isSamePart(one: Observation[number], other: Observation[number] | undefined): boolean {
  if (!(one instanceof Uint8Array && other instanceof Uint8Array)) return one === other;
  return one.length === other.length && Buffer.compare(one, other) === 0;
}

function show(observation: Observation | undefined): string {
  if (observation === undefined) return "nothing";
  return observation.map((part) => (part instanceof Uint8Array ? showBytes(part) : showResult(part))).join(", ");
}

function showResult(part: number | string): string {
  return typeof part === "number" && part < 0 ? `${part} (${errnoCode(part)})` : String(part);
}

/** Bytes in hexadecimal, zeros at the end left out. */
function showBytes(bytes: Uint8Array): string {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const shown = Buffer.from(bytes.subarray(0, end))
    .toString("hex")
    .replace(/(00){16,}/g, "…");
  return `[${bytes.length}] ${shown.slice(0, 400)}`;
}

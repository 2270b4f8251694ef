import { E2BIG, EINVAL } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { LinkedProgram } from "../linked-program.ts";
import type { ProgramHost } from "../program-host.ts";
import { type FormatArguments, format } from "./format.ts";
import type { HelperFunction } from "./helper-function.ts";

/** `MAX_BPRINTF_VARARGS`, of 8 bytes. */
const MOST_ARGUMENTS = 12;
/** The most bytes of one text argument, and of one line of the trace. */
const MOST_TEXT = 1024;
const U32 = 0x100000000n;

function formatArguments({ memory }: ProgramHost, program: LinkedProgram, values: readonly bigint[]): FormatArguments {
  const bytes = (at: Address, length: number): Uint8Array | undefined =>
    program.canSee(at, length) ? memory.u8.slice(at, at + length) : undefined;
  const text = (at: Address): string => {
    let end = at;
    while (end - at < MOST_TEXT && program.canSee(end, 1) && memory.u8[end] !== 0) end++;
    return latin1(memory.u8.subarray(at, end));
  };
  return { values, text, bytes };
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** A format in memory, which must end with a NUL; `undefined` when it does not. */
function formatAt({ memory }: ProgramHost, at: Address, size: number): string | undefined {
  const bytes = memory.u8.subarray(at, at + size);
  const length = bytes.indexOf(0);
  return length < 0 ? undefined : latin1(bytes.subarray(0, length));
}

/** Arguments that lie in memory, 8 bytes each. */
function valuesAt({ memory }: ProgramHost, data: Address, bytes: number): bigint[] {
  return Array.from({ length: bytes / 8 }, (_, index) => memory.view.getBigUint64(data + index * 8, true));
}

function isUnfit(data: number, bytes: number): boolean {
  return bytes % 8 !== 0 || bytes > MOST_ARGUMENTS * 8 || (bytes !== 0 && data === 0);
}

/** bpf_trace_printk: three arguments at most. Answers how long the line is. */
export const TRACE_PRINTK: HelperFunction = {
  takes: ["u32", "u32", "halves", "halves", "halves"],
  answers: "s32",
  make:
    (host, program) =>
    (at, size, ...halves) => {
      const values = [0, 2, 4].map(
        (index) => BigInt(halves[index] as number) + BigInt(halves[index + 1] as number) * U32,
      );
      return trace(host, program, formatAt(host, at as number, size as number), values);
    },
};

/** bpf_trace_vprintk: arguments in memory. */
export const TRACE_VPRINTK: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32"],
  answers: "s32",
  make: (host, program) => (at, size, data, bytes) => {
    if (isUnfit(data as number, bytes as number)) return -EINVAL;
    const values = valuesAt(host, data as number, bytes as number);
    return trace(host, program, formatAt(host, at as number, size as number), values);
  },
};

function trace(host: ProgramHost, program: LinkedProgram, text: string | undefined, values: readonly bigint[]): number {
  if (text === undefined) return -EINVAL;
  const line = format(text, formatArguments(host, program, values));
  if (typeof line === "number") return line;
  host.trace(line.slice(0, MOST_TEXT - 1));
  return Math.min(line.length, MOST_TEXT - 1);
}

/** bpf_snprintf: answers how many bytes the whole text takes, its NUL included. */
export const SNPRINTF: HelperFunction = {
  takes: ["u32", "u32", "u32", "u32", "u32"],
  answers: "s32",
  make: (host, program) => (to, size, at, data, bytes) => {
    if (isUnfit(data as number, bytes as number)) return -EINVAL;
    const text = formatAt(host, at as number, MOST_TEXT);
    if (text === undefined) return -E2BIG;
    const values = valuesAt(host, data as number, bytes as number);
    const line = format(text, formatArguments(host, program, values));
    if (typeof line === "number") return line;
    if ((size as number) > 0) {
      const { u8 } = host.memory;
      const length = Math.min(line.length, (size as number) - 1);
      for (let index = 0; index < length; index++) u8[(to as number) + index] = line.charCodeAt(index);
      u8[(to as number) + length] = 0;
    }
    return line.length + 1;
  },
};

import { EINVAL, ERANGE } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";
import type { ProgramHost } from "../program-host.ts";
import type { HelperFunction } from "./helper-function.ts";

const BASES: ReadonlySet<number> = new Set([0, 8, 10, 16]);
const I64_MAX = 2n ** 63n - 1n;
const U64_MAX = 2n ** 64n - 1n;

/** A number that a text begins with. */
interface Parsed {
  readonly magnitude: bigint;
  readonly isNegative: boolean;
  /** The characters that it takes. */
  readonly length: number;
}

/** bpf_strtol: what is no number leaves 0. */
export const STRTOL: HelperFunction = {
  takes: ["u32", "u32", "u64", "u32"],
  answers: "s32",
  make: (host) => (text, length, flags, to) => {
    host.memory.view.setBigInt64(to as number, 0n, true);
    const parsed = parse(host, text as number, length as number, flags as number);
    if (typeof parsed === "number") return parsed;
    const { magnitude, isNegative } = parsed;
    if (magnitude > (isNegative ? I64_MAX + 1n : I64_MAX)) return -ERANGE;
    host.memory.view.setBigInt64(to as number, isNegative ? -magnitude : magnitude, true);
    return parsed.length;
  },
};

/** bpf_strtoul. */
export const STRTOUL: HelperFunction = {
  takes: ["u32", "u32", "u64", "u32"],
  answers: "s32",
  make: (host) => (text, length, flags, to) => {
    host.memory.view.setBigInt64(to as number, 0n, true);
    const parsed = parse(host, text as number, length as number, flags as number);
    if (typeof parsed === "number") return parsed;
    if (parsed.isNegative) return -EINVAL;
    host.memory.view.setBigUint64(to as number, parsed.magnitude, true);
    return parsed.length;
  },
};

/** `kernel/bpf/helpers.c: __bpf_strtoull`, 6.18: spaces, a minus, digits of a base that may be guessed, and whatever follows. */
function parse({ memory }: ProgramHost, text: Address, length: number, flags: number): Parsed | number {
  if (!BASES.has(flags) || length === 0) return -EINVAL;
  const characters = String.fromCharCode(...memory.u8.subarray(text, text + Math.min(length, 256)));
  const start = characters.search(/[^\t-\r \xa0]/);
  if (start < 0) return -EINVAL;
  const sign = characters.charAt(start);
  const digits = characters.slice(start + (sign === "-" ? 1 : 0));
  const base = flags === 0 ? guessedBase(digits) : flags;
  const prefix = base === 16 && /^0x/i.test(digits) ? 2 : 0;
  const found = DIGITS[base]?.exec(digits.slice(prefix))?.[0] ?? "";
  if (found === "") return -EINVAL;
  const magnitude = BigInt(`${PREFIXES[base]}${found}`);
  if (magnitude > U64_MAX) return -ERANGE;
  const end = characters.length - digits.length + prefix + found.length;
  return { magnitude, isNegative: sign === "-", length: end };
}

const DIGITS: Readonly<Record<number, RegExp>> = { 8: /^[0-7]+/, 10: /^[0-9]+/, 16: /^[0-9a-f]+/i };
const PREFIXES: Readonly<Record<number, string>> = { 8: "0o", 10: "", 16: "0x" };

/** `_parse_integer_fixup_radix`. */
function guessedBase(digits: string): number {
  if (!digits.startsWith("0")) return 10;
  return /^0x[0-9a-f]/i.test(digits) ? 16 : 8;
}

import { EINVAL } from "../../../../abi/errno.ts";
import type { Address } from "../../../../memory/address-space.ts";

/** What a format may take of the program: the values of its arguments, and texts at addresses. */
export interface FormatArguments {
  readonly values: readonly bigint[];
  /** The NUL-terminated text at an address; empty when the program must not see it. */
  readonly text: (at: Address) => string;
  /** Bytes at an address; `undefined` when the program must not see them. */
  readonly bytes: (at: Address, length: number) => Uint8Array | undefined;
}

const CONVERSION = /%(%|([-+ 0]*)(\d*)(pks|pus|p[ksSBx]|pi4|pI4|pi6|pI6|p|s|c|(?:ll|l)?[diuxX])(.?))/gy;
const SIGNED = /[di]$/;
const BITS: Readonly<Record<string, number>> = { ll: 64, l: 64 };

/**
 * A text after a format of the kernel's: `%d %i %u %x %X` with `l` and `ll`, `%s`, `%c`, `%p` and its kinds, with flags
 * and a width. `−EINVAL` for any other. `kernel/bpf/helpers.c: bpf_bprintf_prepare`, 6.18.
 */
export function format(text: string, args: FormatArguments): string | number {
  let next = 0;
  let result = "";
  for (let at = 0; at < text.length; ) {
    const percent = text.indexOf("%", at);
    result += percent < 0 ? text.slice(at) : text.slice(at, percent);
    if (percent < 0) break;
    CONVERSION.lastIndex = percent;
    const match = CONVERSION.exec(text);
    if (match === null) return -EINVAL;
    const [whole, all, flags = "", width = "", conversion = "", behind = ""] = match;
    at = percent + whole.length - behind.length;
    if (all === "%") {
      result += "%";
      continue;
    }
    const value = args.values[next++];
    if (value === undefined) return -EINVAL;
    result += pad(convert(conversion, value, flags, args), flags, Number(width), conversion);
  }
  // Linux refuses formats with other characters than those of ASCII that can be printed.
  return [...text].some((character) => character > "~" || (character < " " && !/\s/.test(character)))
    ? -EINVAL
    : result;
}

function convert(conversion: string, value: bigint, flags: string, args: FormatArguments): string {
  if (conversion.startsWith("p")) return pointer(conversion, value, args);
  if (conversion === "s") return args.text(Number(value));
  if (conversion === "c") return String.fromCharCode(Number(value & 0xffn));
  const bits = BITS[conversion.slice(0, -1)] ?? 32;
  if (SIGNED.test(conversion)) {
    const number = BigInt.asIntN(bits, value);
    const plus = flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
    return number < 0n ? `${number}` : `${plus}${number}`;
  }
  const number = BigInt.asUintN(bits, value);
  if (conversion.endsWith("u")) return `${number}`;
  const digits = number.toString(16);
  return conversion.endsWith("X") ? digits.toUpperCase() : digits;
}

function pointer(conversion: string, value: bigint, args: FormatArguments): string {
  switch (conversion) {
    case "pks":
    case "pus":
      return args.text(Number(value));
    case "pi4":
    case "pI4": {
      const bytes = args.bytes(Number(value), 4) ?? new Uint8Array(4);
      return conversion === "pI4" ? bytes.join(".") : [...bytes].map((byte) => `${byte}`.padStart(3, "0")).join(".");
    }
    case "pi6":
    case "pI6": {
      const bytes = args.bytes(Number(value), 16) ?? new Uint8Array(16);
      const groups = Array.from({ length: 8 }, (_, i) => hex(bytes.subarray(i * 2, i * 2 + 2)));
      return groups.join(conversion === "pI6" ? ":" : "");
    }
    default:
      return value.toString(16).padStart(16, "0");
  }
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pad(text: string, flags: string, width: number, conversion: string): string {
  if (flags.includes("-")) return text.padEnd(width);
  const isNumber = /[diuxX]$/.test(conversion);
  if (!flags.includes("0") || !isNumber) return text.padStart(width);
  const sign = /^[-+ ]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

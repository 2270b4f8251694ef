import type { Memory } from "../memory/address-space.ts";
import { define, refuse } from "./define.ts";
import { outOfRange, quote, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

const DOT = 0x2e;
const COLON = 0x3a;
const HYPHEN = 0x2d;

/** The texts of bytes, as they were needed: in decimal, in hexadecimal, and in hexadecimal of two digits. */
const DECIMAL: string[] = [];
const HEX: string[] = [];
const HEX_PADDED: string[] = [];

/**
 * An IPv4 address, `__be32` or `struct in_addr`: `"10.0.0.1"`, four bytes in network order. Four decimal numbers
 * without leading zeros, which some programs take for octal; anything else throws a `RangeError`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ipv4 } from "mapiary";
 *
 * assert.deepEqual(ipv4.encode("10.0.0.1"), Uint8Array.of(10, 0, 0, 1));
 * assert.throws(() => ipv4.encode("10.0.0.256"), RangeError);
 * ```
 */
export const ipv4: Layout<string> = defineAddress({
  name: "ipv4",
  size: 4,
  align: 4,
  described: "an IPv4 address, such as 10.0.0.1",
  parse: (text, bytes) => parseIpv4(text, 0, bytes, 0),
  read: ({ u8 }, address) => formatIpv4(u8, address),
});

/**
 * An IPv6 address, `struct in6_addr`: 16 bytes in network order. Every form of RFC 4291 is written, `"::ffff:10.0.0.1"`
 * too; what is read is the one form of RFC 5952: lower case, the longest run of zeros shortened, IPv4-mapped addresses
 * with their last four bytes in decimal. Anything else, a zone (`%eth0`) too, throws a `RangeError`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ipv6 } from "mapiary";
 *
 * assert.equal(ipv6.decode(ipv6.encode("2001:DB8:0:0:0:0:0:1")), "2001:db8::1");
 * assert.throws(() => ipv6.encode("fe80::1%eth0"), RangeError);
 * ```
 */
export const ipv6: Layout<string> = defineAddress({
  name: "ipv6",
  size: 16,
  align: 4,
  described: "an IPv6 address, such as 2001:db8::1",
  parse: parseIpv6,
  read: ({ u8 }, address) => formatIpv6(u8, address),
});

/**
 * An Ethernet address, `unsigned char[ETH_ALEN]`: `"aa:bb:cc:dd:ee:ff"`, six bytes. Written with colons or hyphens and
 * in either case, read with colons in lower case. Anything else throws a `RangeError`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mac } from "mapiary";
 *
 * assert.deepEqual(mac.encode("02-00-00-00-00-0A"), Uint8Array.of(2, 0, 0, 0, 0, 10));
 * assert.equal(mac.decode(Uint8Array.of(2, 0, 0, 0, 0, 10)), "02:00:00:00:00:0a");
 * ```
 */
export const mac: Layout<string> = defineAddress({
  name: "mac",
  size: 6,
  align: 1,
  described: "an Ethernet address, such as aa:bb:cc:dd:ee:ff",
  parse: parseMac,
  read: ({ u8 }, address) => formatMac(u8, address),
});

interface AddressDefinition {
  readonly name: string;
  readonly size: number;
  readonly align: number;
  readonly described: string;
  /** Fills `bytes` from text; false when the text is no such address. */
  parse(text: string, bytes: Uint8Array): boolean;
  readonly read: Layout<string>["read"];
}

function defineAddress({ name, size, align, described, parse, read }: AddressDefinition): Layout<string> {
  const parsed = new Uint8Array(size);
  const layout: Layout<string> = define<string>({
    name,
    size,
    align,
    read,
    write({ u8 }: Memory, address, value) {
      if (typeof value !== "string" || !parse(value, parsed)) refuse(layout, value);
      for (let i = 0; i < size; i++) u8[address + i] = parsed[i] as number;
    },
    fault(value) {
      if (typeof value !== "string") return wrongKind(name, "a string", value);
      return parse(value, parsed) ? undefined : outOfRange(name, `${quote(value)} is not ${described}`);
    },
  });
  return layout;
}

/** Parses the dotted form from `start` to the end of `text` into four bytes at `at`; false when it is none. */
export function parseIpv4(text: string, start: number, bytes: Uint8Array, at: number): boolean {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let next = start; next < text.length; next++) {
    const code = text.charCodeAt(next);
    if (code === DOT) {
      if (digits === 0 || part === 3) return false;
      bytes[at + part++] = value;
      digits = 0;
      value = 0;
      continue;
    }
    const leadingZero = digits > 0 && value === 0;
    if (code < 0x30 || code > 0x39 || leadingZero) return false;
    value = value * 10 + code - 0x30;
    if (value > 255) return false;
    digits++;
  }
  if (part !== 3 || digits === 0) return false;
  bytes[at + 3] = value;
  return true;
}

/**
 * Parses an IPv6 address into 16 bytes; false when it is none. Groups up to the end; where `::` stood is remembered, and in
 * the end what came behind it moves to the right.
 */
export function parseIpv6(text: string, bytes: Uint8Array): boolean {
  let at = 0;
  let gap = -1;
  let next = 0;
  if (text.startsWith("::")) {
    gap = 0;
    next = 2;
  }
  while (next < text.length) {
    const start = next;
    let group = 0;
    for (let digit = hexDigit(text, next); digit >= 0 && next - start <= 4; digit = hexDigit(text, next)) {
      group = (group << 4) | digit;
      next++;
    }
    if (text.charCodeAt(next) === DOT) {
      if (at > 12 || !parseIpv4(text, start, bytes, at)) return false;
      at += 4;
      break;
    }
    if (next === start || next - start > 4 || at === 16) return false;
    bytes[at++] = group >> 8;
    bytes[at++] = group & 0xff;
    if (next === text.length) break;
    if (text.charCodeAt(next++) !== COLON || next === text.length) return false;
    if (text.charCodeAt(next) !== COLON) continue;
    if (gap >= 0) return false;
    gap = at;
    next++;
  }
  if (gap < 0) return at === 16;
  if (at === 16) return false;
  bytes.copyWithin(16 - (at - gap), gap, at);
  bytes.fill(0, gap, 16 - (at - gap));
  return true;
}

function parseMac(text: string, bytes: Uint8Array): boolean {
  if (text.length !== 17) return false;
  const separator = text.charCodeAt(2);
  if (separator !== COLON && separator !== HYPHEN) return false;
  for (let i = 0; i < 6; i++) {
    const high = hexDigit(text, i * 3);
    const low = hexDigit(text, i * 3 + 1);
    if (high < 0 || low < 0 || (i < 5 && text.charCodeAt(i * 3 + 2) !== separator)) return false;
    bytes[i] = (high << 4) | low;
  }
  return true;
}

function formatIpv4(u8: Uint8Array, at: number): string {
  return `${decimal(u8, at)}.${decimal(u8, at + 1)}.${decimal(u8, at + 2)}.${decimal(u8, at + 3)}`;
}

/** RFC 5952, sections 4 and 5. */
function formatIpv6(u8: Uint8Array, at: number): string {
  if (isIpv4Mapped(u8, at)) return `::ffff:${formatIpv4(u8, at + 12)}`;
  const [start, end] = longestZeros(u8, at);
  if (start === end) return formatGroups(u8, at, 0, 8);
  return `${formatGroups(u8, at, 0, start)}::${formatGroups(u8, at, end, 8)}`;
}

function formatGroups(u8: Uint8Array, at: number, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) {
    const high = u8[at + 2 * i] as number;
    const low = u8[at + 2 * i + 1] as number;
    if (i > from) text += ":";
    text += high === 0 ? hex(low) : hex(high) + paddedHex(low);
  }
  return text;
}

function formatMac(u8: Uint8Array, at: number): string {
  let text = paddedHex(u8[at] as number);
  for (let i = 1; i < 6; i++) text += `:${paddedHex(u8[at + i] as number)}`;
  return text;
}

/** `::ffff:0:0/96`. */
function isIpv4Mapped(u8: Uint8Array, at: number): boolean {
  for (let i = 0; i < 5; i++) if (groupAt(u8, at, i) !== 0) return false;
  return groupAt(u8, at, 5) === 0xffff;
}

/** The longest run of at least two zero groups, the first of equals; empty when there is none. */
function longestZeros(u8: Uint8Array, at: number): [start: number, end: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  for (let i = 0; i <= 8; i++) {
    if (i < 8 && groupAt(u8, at, i) === 0) continue;
    if (i - start > Math.max(1, best[1] - best[0])) best = [start, i];
    start = i + 1;
  }
  return best;
}

function groupAt(u8: Uint8Array, at: number, index: number): number {
  return ((u8[at + 2 * index] as number) << 8) | (u8[at + 2 * index + 1] as number);
}

function decimal(u8: Uint8Array, at: number): string {
  const byte = u8[at] as number;
  DECIMAL[byte] ??= byte.toString();
  return DECIMAL[byte];
}

function hex(byte: number): string {
  HEX[byte] ??= byte.toString(16);
  return HEX[byte];
}

function paddedHex(byte: number): string {
  HEX_PADDED[byte] ??= hex(byte).padStart(2, "0");
  return HEX_PADDED[byte];
}

function hexDigit(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

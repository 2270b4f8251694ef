import type { Memory } from "../memory/address-space.ts";
import { ipv4, ipv6, parseIpv4, parseIpv6 } from "./address.ts";
import { define, refuse } from "./define.ts";
import { type Fault, outOfRange, quote, wrongKind } from "./fault.ts";
import type { Layout } from "./layout.ts";

/** The prefix length, a `__u32` in the byte order of the machine, in front of the address. */
const ADDRESS = 4;

/** What a text is instead of a network. */
const NO_NETWORK = -1;
const LONG_PREFIX = -2;
const HOST_BITS = -3;

/**
 * An IPv4 network, the key of an LPM trie: `struct bpf_lpm_trie_key` with four bytes of data, `"10.0.0.0/8"`. Eight bytes:
 * the prefix length as a `u32`, then the address in network order. An address alone is itself with all its bits, /32:
 * what a trie is asked about.
 *
 * A network with bits set behind its prefix (`"10.1.2.3/8"`) throws a `RangeError` that names the network, as does
 * anything else that is none. Linux keeps such bits and pays no heed to them; they are read as zeros.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cidr } from "mapiary";
 *
 * assert.deepEqual(cidr.encode("10.0.0.0/8"), Uint8Array.of(8, 0, 0, 0, 10, 0, 0, 0));
 * assert.equal(cidr.decode(cidr.encode("10.0.0.1")), "10.0.0.1/32");
 * assert.throws(() => cidr.encode("10.1.2.3/8"), /the network is 10\.0\.0\.0\/8/);
 * ```
 */
export const cidr: Layout<string> = defineNetwork({
  name: "cidr",
  address: ipv4,
  described: "an IPv4 network, such as 10.0.0.0/8",
  parse: (text, bytes) => parseIpv4(text, 0, bytes, 0),
});

/**
 * An IPv6 network, the key of an LPM trie: `"2001:db8::/32"`, 20 bytes: the prefix length as a `u32`, then the address in
 * network order. As `cidr` is, with an address alone being a /128.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cidr6 } from "mapiary";
 *
 * assert.equal(cidr6.decode(cidr6.encode("2001:DB8:0::/32")), "2001:db8::/32");
 * assert.equal(cidr6.decode(cidr6.encode("::1")), "::1/128");
 * ```
 */
export const cidr6: Layout<string> = defineNetwork({
  name: "cidr6",
  address: ipv6,
  described: "an IPv6 network, such as 2001:db8::/32",
  parse: parseIpv6,
});

interface NetworkDefinition {
  readonly name: string;
  readonly address: Layout<string>;
  readonly described: string;
  /** Fills `bytes` from the text of an address; false when it is none. */
  parse(text: string, bytes: Uint8Array): boolean;
}

function defineNetwork({ name, address, described, parse }: NetworkDefinition): Layout<string> {
  const bits = address.size * 8;
  const parsed = new Uint8Array(address.size);

  /** Fills `parsed`, and answers the prefix length, or what is wrong. */
  const parseNetwork = (text: string): number => {
    const slash = text.indexOf("/");
    if (slash < 0) return parse(text, parsed) ? bits : NO_NETWORK;
    const length = prefixLength(text, slash + 1);
    if (length === NO_NETWORK || !parse(text.slice(0, slash), parsed)) return NO_NETWORK;
    if (length > bits) return LONG_PREFIX;
    return hasBitsBehind(parsed, length) ? HOST_BITS : length;
  };

  const faultIn = (text: string): Fault | undefined => {
    switch (parseNetwork(text)) {
      case NO_NETWORK:
        return outOfRange(name, `${quote(text)} is not ${described}`);
      case LONG_PREFIX:
        return outOfRange(name, `the prefix of ${quote(text)} is longer than the ${bits} bits of an address`);
      case HOST_BITS:
        return outOfRange(name, hostBits(text));
      default:
        return undefined;
    }
  };

  const hostBits = (text: string): string => {
    const [host = "", length = ""] = text.split("/");
    const network = parsed.slice();
    clearBehind(network, Number(length));
    return `${quote(text)} has bits set behind its prefix: the network is ${address.decode(network)}/${length}, the address alone ${host}`;
  };

  const layout: Layout<string> = define<string>({
    name,
    size: ADDRESS + address.size,
    align: 4,
    read(memory, at) {
      const length = memory.view.getUint32(at, true);
      if (length > bits)
        throw new RangeError(`${name}: the bytes have a prefix of ${length} bits, of an address of ${bits}`);
      for (let i = 0; i < parsed.length; i++) parsed[i] = memory.u8[at + ADDRESS + i] as number;
      clearBehind(parsed, length);
      return `${address.read(memoryOfParsed, 0)}/${length}`;
    },
    write({ u8, view }: Memory, at, value) {
      const length = typeof value === "string" ? parseNetwork(value) : NO_NETWORK;
      if (length < 0) refuse(layout, value);
      view.setUint32(at, length, true);
      for (let i = 0; i < parsed.length; i++) u8[at + ADDRESS + i] = parsed[i] as number;
    },
    fault(value) {
      return typeof value === "string" ? faultIn(value) : wrongKind(name, "a string", value);
    },
  });
  const memoryOfParsed: Memory = { u8: parsed, view: new DataView(parsed.buffer) };
  return layout;
}

/** The number from `start` to the end of a text, without leading zeros; what is far too long is just large. */
function prefixLength(text: string, start: number): number {
  const leadingZero = text.charCodeAt(start) === 0x30 && text.length > start + 1;
  if (start === text.length || leadingZero) return NO_NETWORK;
  let length = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return NO_NETWORK;
    length = length * 10 + digit;
  }
  return length;
}

function hasBitsBehind(address: Uint8Array, length: number): boolean {
  for (let byte = length >>> 3; byte < address.length; byte++) {
    if (((address[byte] as number) & maskBehind(byte, length)) !== 0) return true;
  }
  return false;
}

function clearBehind(address: Uint8Array, length: number): void {
  for (let byte = length >>> 3; byte < address.length; byte++) {
    address[byte] = (address[byte] as number) & ~maskBehind(byte, length);
  }
}

/** The bits of a byte of an address that lie behind a prefix which reaches that byte at least. */
function maskBehind(byte: number, length: number): number {
  return 0xff >>> Math.max(0, length - byte * 8);
}

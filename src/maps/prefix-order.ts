import type { Address } from "../memory/address-space.ts";

/** Where the data of an LPM key begins, behind its prefix length. */
const DATA = 4;

/** The bytes that keys lie in. */
interface Bytes {
  readonly u8: Uint8Array;
  readonly view: DataView;
}

/**
 * Compares two keys of an LPM trie in the order in which Linux goes through one: by the first bit in which they differ,
 * and what a prefix covers before the prefix itself. Negative when the first key comes first, 0 when they are the same
 * prefix. `kernel/bpf/lpm_trie.c: trie_get_next_key`, 6.18.
 */
export function comparePrefixes(one: Bytes, at: Address, other: Bytes, otherAt: Address): number {
  const bits = one.view.getUint32(at, true);
  const otherBits = other.view.getUint32(otherAt, true);
  const shared = Math.min(bits, otherBits);
  for (let byte = 0; byte * 8 < shared; byte++) {
    const mine = one.u8[at + DATA + byte] as number;
    const others = other.u8[otherAt + DATA + byte] as number;
    const counted = byte * 8 + 8 <= shared ? 0xff : 0xff00 >>> (shared & 7);
    const difference = (mine & counted) - (others & counted);
    if (difference !== 0) return difference;
  }
  return otherBits - bits;
}

import { xorshift32 } from "../key-sequence.ts";

/** An IPv4 prefix: so many bits of an address in whose others is 0. */
export interface Prefix {
  readonly length: number;
  readonly address: number;
}

const SHORTEST = 8;
const LONGEST = 32;

/** So many different prefixes of 8 to 32 bits, which many others lie in, and an address in each of them: its /32. */
export function randomPrefixes(count: number, seed: number): { prefixes: Prefix[]; addresses: Prefix[] } {
  const next = xorshift32(seed);
  const seen = new Set<number>();
  const prefixes: Prefix[] = [];
  const addresses: Prefix[] = [];
  while (prefixes.length < count) {
    const length = SHORTEST + (next() % (LONGEST - SHORTEST + 1));
    const inside = next();
    const address = (inside & (-1 << (32 - length))) >>> 0;
    const identity = address * 64 + length;
    if (seen.has(identity)) continue;
    seen.add(identity);
    prefixes.push({ length, address });
    addresses.push({ length: 32, address: inside });
  }
  return { prefixes, addresses };
}

/** As `cidr` has it; an address alone without its prefix length. */
export function prefixText({ length, address }: Prefix): string {
  const dotted = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
  return length === 32 ? dotted : `${dotted}/${length}`;
}

/** As it lies in memory: `struct bpf_lpm_trie_key`. */
export function prefixBytes({ length, address }: Prefix): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, address, false);
  return bytes;
}

import type { Address, AddressSpace } from "../../../memory/address-space.ts";
import { bitAt, CHILDREN, DATA, dataAt, KEY_HEADER, LPM_HEADER, PREFIX, VALUE } from "../maps/lpm-segment.ts";
import type { Pieces } from "./pieces.ts";

/**
 * Ways through an LPM trie in a segment that is shared. Without the lock of the map they may lead astray, and are only as
 * good as its version; they end all the same, for a prefix only grows on the way down, and stay inside the segment.
 * Links are words of the memory that link to a node, nodes are words from the segment's start, 0 is none.
 */
export class TrieWalk {
  /** The link to the root. */
  readonly root: number;
  readonly mostBits: number;
  readonly #memory: AddressSpace;
  readonly #origin: number;
  readonly #keySize: number;
  readonly #nodes: Pieces;
  readonly #values: Pieces;

  constructor(memory: AddressSpace, base: Address, keySize: number, nodes: Pieces, values: Pieces) {
    this.#memory = memory;
    this.#origin = base >>> 2;
    this.#keySize = keySize;
    this.#nodes = nodes;
    this.#values = values;
    this.root = this.#origin + LPM_HEADER.ROOT / 4;
    this.mostBits = (keySize - KEY_HEADER) * 8;
  }

  /** The value of the longest prefix that a key begins with, from the segment's start; 0 when there is none. */
  longest(key: Address, bits: number): number {
    let found = 0;
    let above = -1;
    let node = this.#nodes.linked(this.root);
    while (node !== 0) {
      const prefix = this.prefixOf(node);
      if (prefix <= above || prefix > bits || this.agreement(node, key, Math.max(above, 0), prefix) < prefix) break;
      found = this.valueOf(node) || found;
      if (prefix === bits) break;
      above = prefix;
      node = this.child(node, bitAt(this.#memory.view, key, prefix));
    }
    return found;
  }

  /** The link to the first node on the way to a key that is no shorter prefix of it, and the link above that; 0 for none. */
  placeOf(key: Address, bits: number): { readonly link: number; readonly above: number } {
    let link = this.root;
    let above = 0;
    let known = -1;
    for (;;) {
      const node = this.#nodes.linked(link);
      if (node === 0) return { link, above };
      const prefix = this.prefixOf(node);
      const isAbove =
        prefix > known && prefix < bits && this.agreement(node, key, Math.max(known, 0), prefix) === prefix;
      if (!isAbove) return { link, above };
      above = link;
      known = prefix;
      link = this.#origin + node + CHILDREN + bitAt(this.#memory.view, key, prefix);
    }
  }

  /** Whether a node is that of a key itself. */
  isNodeOf(node: number, key: Address, bits: number): boolean {
    return node !== 0 && this.prefixOf(node) === bits && this.agreement(node, key, 0, bits) === bits;
  }

  /** The entry after a key, 0 after the last; the first one when the key is not there: `trie_get_next_key`. */
  after(key: Address, bits: number): number {
    const root = this.#nodes.linked(this.root);
    let branch = 0;
    let follower = 0;
    let known = -1;
    let node = root;
    while (node !== 0) {
      const prefix = this.prefixOf(node);
      if (prefix <= known || prefix > bits) break;
      if (this.agreement(node, key, Math.max(known, 0), prefix) < prefix) break;
      if (prefix === bits) {
        if (this.valueOf(node) === 0) break;
        return branch === 0 ? follower : this.first(branch);
      }
      const bit = bitAt(this.#memory.view, key, prefix);
      const other = bit === 0 ? this.child(node, 1) : 0;
      if (other !== 0) {
        branch = other;
      } else if (this.valueOf(node) !== 0) {
        branch = 0;
        follower = node;
      }
      known = prefix;
      node = this.child(node, bit);
    }
    return root === 0 ? 0 : this.first(root);
  }

  /** The first entry at or below a node: down to the left as far as it goes. */
  first(node: number): number {
    let first = node;
    for (;;) {
      const child = this.child(first, 0) || this.child(first, 1);
      if (child === 0 || this.prefixOf(child) <= this.prefixOf(first)) return first;
      first = child;
    }
  }

  child(node: number, bit: number): number {
    return this.#nodes.linked(this.#origin + node + CHILDREN + bit);
  }

  /** The bits of a node's prefix; more than there are in no key, for whatever is no number of bits. */
  prefixOf(node: number): number {
    const prefix = this.#memory.u32[this.#origin + node + PREFIX] as number;
    return Math.min(prefix, this.mostBits + 1);
  }

  valueOf(node: number): number {
    return this.#values.linked(this.#origin + node + VALUE);
  }

  /** How many of their first `limit` bits a node and a key have in common, when the first `known` are known to be. */
  agreement(node: number, key: Address, known: number, limit: number): number {
    const { i32, view } = this.#memory;
    const data = this.#origin + node + DATA;
    for (let word = known >>> 5; word * 32 < limit; word++) {
      const difference = (i32[data + word] as number) ^ dataAt(view, key, word);
      if (difference !== 0) return Math.min(word * 32 + Math.clz32(difference), limit);
    }
    return limit;
  }

  /** Writes the key of a node to an address. */
  copyKey(node: number, to: Address): void {
    const { i32, u8, view } = this.#memory;
    view.setUint32(to, i32[this.#origin + node + PREFIX] as number, true);
    const data = this.#origin + node + DATA;
    for (let byte = 0; byte < this.#keySize - KEY_HEADER; byte++) {
      u8[to + KEY_HEADER + byte] = (i32[data + (byte >>> 2)] as number) >>> (24 - (byte & 3) * 8);
    }
  }
}

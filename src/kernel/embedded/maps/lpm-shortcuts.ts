/** The most bits that shortcuts go by: their table then takes half a mebibyte, and what a shortest prefix clears of it is soon cleared. */
const MOST_BITS = 16;

/** What a shortcut says when no node lies below it. */
export const NO_NODE = -1;

/**
 * Shortcuts into an LPM trie, one for each value of the first bits of a key: what a walk from the root has found when it
 * has come past those bits, so that the next one need not begin at the root. They are taken down when one is first
 * needed, and forgotten when they are no longer true. A shortcut holds two links of a trie:
 *
 * - the first node whose prefix has those bits, or more and begins with them; `NO_NODE` when there is none, 0 as long as
 *   nothing is known;
 * - the value of the longest prefix that is shorter; 0 when there is none.
 *
 * What is added or deleted below a shortcut is below that one alone, for nodes that begin with other bits are not noted.
 * So is an intermediate node. A prefix that is shorter than the bits concerns the shortcuts of all keys that begin with
 * it, which lie side by side.
 */
export class LpmShortcuts {
  /** How many bits a shortcut goes by: some fewer than it would take to have one for each entry. */
  readonly bits: number;
  /** Two words for each shortcut: the node, the value. Private to this kernel, not a part of the segment. */
  readonly table: Int32Array;

  constructor(maxEntries: number, mostBits: number) {
    this.bits = Math.min(MOST_BITS, mostBits, Math.max(4, Math.floor(Math.log2(maxEntries))));
    this.table = new Int32Array(2 << this.bits);
  }

  /** Where in the table the shortcut of a key begins whose first word this is. */
  of(data: number): number {
    return (data >>> (32 - this.bits)) * 2;
  }

  /** Forgets what is no longer true when an entry has come or gone: the first word of its data, and how long its prefix is. */
  forget(data: number, prefix: number): void {
    const first = this.of(data);
    if (prefix >= this.bits) {
      this.table[first] = 0;
      return;
    }
    const words = 2 << (this.bits - prefix);
    const start = first & -words;
    this.table.fill(0, start, start + words);
  }
}
